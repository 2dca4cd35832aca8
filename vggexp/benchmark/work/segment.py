"""Training all of a U-Net on VGG16: as ``fine_tune``, with a mask for each photo and no augmentation."""

from vggexp.benchmark.plan import Job, Sizes, Work, same


def plan(sizes: Sizes) -> Work:
    """Steps of a batch each; smp's U-Net is its own, with fewer channels."""
    words = sizes.words("task=segmentation", sizes.resized, batch_size=8)
    job = Job("steps", words, sizes.steps, segments=True)
    return Work({"": job}, same(job, "plain", "reference", "lightning", "smp"), train=sizes.met(8), bounded=True)
