"""From the start of the process to the end of its first training step, on two images."""

from vggexp.benchmark.plan import Job, Sizes, Work, same
from vggexp.benchmark.work.fine_tune import AUGMENTATION


def plan(sizes: Sizes) -> Work:
    """Imports, config, building, reading and one step."""
    words = sizes.words(
        "task=classification", *sizes.mlp, AUGMENTATION % sizes.image_size, "data.batch_size=2", batch_size=2
    )
    job = Job("steps", words)
    return Work({"": job}, same(job, "plain", "lightning"), train=4, starts=True)
