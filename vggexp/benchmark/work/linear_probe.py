"""A whole training that freezes the convolutions for half of its epochs, with or without the moving feature cache."""

from vggexp.benchmark.plan import Job, Sizes, Work


def plan(sizes: Sizes) -> Work:
    """Whole runs with ``sizes.images`` and ``sizes.epochs``."""
    return moving(sizes, "freeze=linear_probe", f"freeze.epochs={max(1, sizes.epochs // 2)}")


def moving(sizes: Sizes, *policy: str) -> Work:
    """Whole runs of a policy that changes, against the same run with ``cache=off``."""
    words = sizes.words(
        "task=classification", "head=linear", "backbone=vgg16_bn", *policy, sizes.resized, "test=false",
        f"trainer.max_epochs={sizes.epochs}", batch_size=16,
    )  # fmt: skip
    off = Job("whole", (*words, "cache=off"))
    return Work({"": Job("whole", words)}, {"cache=off": ("ours", off)}, train=sizes.images)
