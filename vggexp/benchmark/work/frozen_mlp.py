"""A whole training of VGG's dense layers on frozen convolutions; then the same again, as the second run of a sweep."""

from vggexp.benchmark.plan import Job, Sizes, Work, same

NOTE = (
    "ours: whole runs, with feature pass, validation, checkpoints and pictures. The alternatives process {sample} "
    "training and {held} validation images per round; the time is scaled to {epochs} epochs of {images} and {val}, "
    "and they save nothing"
)


def plan(sizes: Sizes) -> Work:
    """Whole runs with ``sizes.images`` and ``sizes.epochs``."""
    return frozen(sizes, *sizes.mlp, "head=mlp")


def frozen(sizes: Sizes, *head: str) -> Work:
    """Whole runs with a head on the frozen backbone."""
    words = sizes.words(
        "task=classification", *head, "freeze=backbone", sizes.resized, "test=false",
        f"trainer.max_epochs={sizes.epochs}", batch_size=64,
    )  # fmt: skip
    job = Job("run", words, sample=sizes.sample, frozen=True)
    val = max(1, sizes.images // 4)
    note = NOTE.format(
        sample=sizes.sample, held=min(sizes.sample, val), epochs=sizes.epochs, images=sizes.images, val=val
    )
    return Work({"": job}, same(job, "plain", "reference"), train=sizes.images, note=note)
