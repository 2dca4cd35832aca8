"""Training steps and inference, with suppression, of Faster R-CNN and SSD300 on VGG16, on a batch that is in memory.

A batch is one image unless ``batch_size`` says more, so that two cores need minutes.
Faster R-CNN has ``image_size``, SSD 300 x 300 pixels, as torchvision's has. Below ``width=1``, which torchvision's SSD
does not know, Faster R-CNN alone.
"""

from vggexp.benchmark.plan import Job, Sizes, Work, same

HEADS = {
    "faster_rcnn": ("head=faster_rcnn", "head.anchors=[0.2,0.4,0.8]", "head.stride=16"),
    "ssd": ("head=ssd", "data.image_size=[300,300]"),
}


def plan(sizes: Sizes) -> Work:
    """``sizes.steps`` steps and as many batches of inference a turn; both in the precision of ``precision``."""
    height, width = sizes.image_size
    words = (
        "task=detection", "data=digits", f"data.image_size=[{height},{width}]",
        f"data.batch_size={sizes.batch_size or 1}", "data.size=[28,32]", "backbone=vgg16",
        f"backbone.width={sizes.width}", f"head.hidden={sizes.hidden}",
        "optimizer=sgd", "optimizer.lr=0.0001", "optimizer.weight_decay=0", f"trainer.precision={sizes.precision}",
        f"trainer.gpus={'null' if sizes.gpus is None else sizes.gpus}",
    )  # fmt: skip
    job = Job("detect", words, sizes.steps)
    return Work({"": job}, same(job, "torchvision"), train=4, note="an image shows five objects, drawn at random")


def words_of(job: Job) -> dict[str, tuple[str, ...]]:
    """The trainings of a job, by head."""
    full = "backbone.width=1.0" in job.words
    plain = tuple(word for word in job.words if not word.startswith("head.hidden"))
    return {
        name: (*(job.words if name == "faster_rcnn" else plain), *more)
        for name, more in HEADS.items()
        if full or name == "faster_rcnn"
    }
