"""The saving of freezing: step time and peak memory under each policy, against training everything."""

from vggexp.benchmark.plan import Job, Sizes, Work

POLICIES = {
    "backbone": ("freeze=backbone",),
    "stage": ("freeze=stage", "freeze.stages=3"),
    "norm": ("freeze=norm",),
    "bias": ("freeze=bias",),
}


def plan(sizes: Sizes) -> Work:
    """Steps on VGG16 with batch normalisation and a linear head, without the feature cache."""
    words = sizes.words(
        "task=classification", "head=linear", "backbone=vgg16_bn", sizes.resized, "cache=off", batch_size=32
    )
    jobs = {name: Job("steps", (*words, *policy), sizes.steps) for name, policy in POLICIES.items()}
    return Work(jobs, {"freeze=none": ("ours", Job("steps", words, sizes.steps))}, train=sizes.photos_needed(32))
