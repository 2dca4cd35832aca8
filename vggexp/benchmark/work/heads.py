"""A sweep over eight linear heads, two seeds and four learning rates, on one frozen backbone: it shares features."""

from vggexp.benchmark.plan import Job, Sizes, Work


def plan(sizes: Sizes) -> Work:
    """Eight whole runs with ``sizes.images`` and ``sizes.epochs``, against eight that compute their own features."""
    words = sizes.words(
        "task=classification", "head=linear", "freeze=backbone", sizes.resized,
        f"trainer.max_epochs={sizes.epochs}", batch_size=64,
    )  # fmt: skip
    apart = Job("sweep", (*words, "cache.share=false"))
    return Work(
        {"": Job("sweep", words)}, {"cache.share=false": ("ours", apart)}, train=sizes.images,
        test=max(3, sizes.images // 4),
    )  # fmt: skip
