"""JPEG files to normalised, augmented batches, on one core, without training."""

from vggexp.benchmark.plan import Job, Sizes, Work, same
from vggexp.benchmark.work.fine_tune import AUGMENTATION


def plan(sizes: Sizes) -> Work:
    """Batches of one pass over the photos."""
    words = sizes.words("task=classification", *sizes.mlp, AUGMENTATION % sizes.image_size, batch_size=16)
    batches = max(1, sizes.images // (sizes.batch_size or 16))
    return Work(
        {"": Job("load", words, batches)},
        same(Job("load", words, batches), "plain"),
        train=batches * (sizes.batch_size or 16),
    )
