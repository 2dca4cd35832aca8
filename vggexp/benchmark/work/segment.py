"""Training all of a U-Net on VGG16: as ``fine_tune``, with masks and without augmentation."""

from vggexp.benchmark.plan import Job, Sizes, Work, same


def plan(sizes: Sizes) -> Work:
    """Training steps of one batch each; smp's U-Net has fewer channels."""
    words = sizes.words("task=segmentation", sizes.resized, batch_size=8)
    job = Job("steps", words, sizes.steps, segments=True)
    return Work(
        {"": job}, same(job, "plain", "reference", "lightning", "smp"), train=sizes.photos_needed(8), bounded=True
    )
