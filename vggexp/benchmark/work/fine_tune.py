"""Fine-tuning all of VGG16: from JPEG files to the optimizer's step, without validation and checkpoints."""

from vggexp.benchmark.plan import Job, Sizes, Work, same

AUGMENTATION = "data.train_transform=[{RandomResizedCrop:{size:[%d,%d]}},RandomHorizontalFlip]"
"""The crop and the flip of the official tutorial."""


def plan(sizes: Sizes) -> Work:
    """Training steps of one batch each."""
    words = sizes.words("task=classification", *sizes.mlp, AUGMENTATION % sizes.image_size, batch_size=16)
    job = Job("steps", words, sizes.steps)
    return Work(
        {"": job}, same(job, "plain", "reference", "lightning", "timm"), train=sizes.photos_needed(16), bounded=True
    )
