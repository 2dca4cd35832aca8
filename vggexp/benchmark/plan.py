"""The content of a work: which contestant does which job. Plain data, sent to a contestant's process as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent
REQUIRED = {"smp": "segmentation_models_pytorch", "timm": "timm"}
"""The package that each alternative needs."""


@dataclass(frozen=True)
class Sizes:
    """Sizes of the works: the keys of ``conf/benchmark.yaml``, and the folder of the photos."""

    root: str
    batch_size: int | None
    image_size: tuple[int, int]
    steps: int
    images: int
    epochs: int
    sample: int
    width: float
    hidden: int
    precision: str
    gpus: int | None
    repeats: int

    def photos_needed(self, batch_size: int) -> int:
        """Photos that all steps of this batch size need: the warm-up batch, those of all rounds, and one spare."""
        return (self.batch_size or batch_size) * (2 + self.steps * self.repeats)

    def words(self, *more: str, batch_size: int) -> tuple[str, ...]:
        """The command line words of the training that every contestant does."""
        height, width = self.image_size
        return (
            "data=pets", f"data.root='{self.root}'", "data.workers=0", f"data.image_size=[{height},{width}]",
            f"data.batch_size={self.batch_size or batch_size}", "backbone=vgg16", f"backbone.width={self.width}",
            "optimizer=sgd", "optimizer.lr=0.001", "optimizer.weight_decay=0", f"trainer.precision={self.precision}",
            f"trainer.gpus={'null' if self.gpus is None else self.gpus}", *more,
        )  # fmt: skip

    @property
    def resized(self) -> str:
        """The command line word for a training transform that only resizes."""
        height, width = self.image_size
        return f"data.train_transform=[{{Resize:{{size:[{height},{width}]}}}}]"

    @property
    def mlp(self) -> tuple[str, ...]:
        """The command line words for VGG's dense layers; images below 224 pixels have a smaller grid to pool."""
        return (f"head.hidden={self.hidden}", f"head.pool={min(7, min(self.image_size) // 32)}")


@dataclass(frozen=True)
class Job:
    """What one contestant does.

    Args:
        kind: the function of a contestant's module for it: "steps", "run", "whole", "sweep", "evaluate", "load",
            "detect" or "index".
        words: the training as command line words.
        batches: number of batches per round.
        sample: number of images of a whole run that an alternative processes; of index, its files.
        frozen: whether the backbone is frozen.
        segments: whether the targets are masks, not labels.
    """

    kind: str
    words: tuple[str, ...]
    batches: int = 1
    sample: int = 0
    frozen: bool = False
    segments: bool = False


@dataclass(frozen=True)
class Work:
    """The jobs of vggexp ("ours"), by name ("" if there is one), and of the alternatives.

    Args:
        ours: by name, the job for ``against.ours``.
        against: by name, the module and its job.
        train, test: number of photos that it needs in each split.
        bounded: whether FLOPs bound its time, so that the share of the machine's peak is meaningful.
        starts: whether it measures the time from the start of the process to the end of the first step.
    """

    ours: Mapping[str, Job]
    against: Mapping[str, tuple[str, Job]]
    train: int
    test: int = 3
    bounded: bool = False
    starts: bool = False
    note: str = ""
    """A remark about the numbers."""


def works() -> list[str]:
    """The names of all works."""
    return sorted(path.stem for path in (_HERE / "work").glob("[a-z]*.py"))


def alternatives() -> list[str]:
    """The names of all alternatives."""
    return sorted(path.stem for path in (_HERE / "against").glob("[a-z]*.py") if path.stem != "ours")


def plan(name: str, sizes: Sizes) -> Work:
    """A work of these sizes."""
    work: Work = import_module(f"vggexp.benchmark.work.{name}").plan(sizes)
    return work


def about(name: str) -> str:
    """The description of a work: the docstring of its file."""
    return (import_module(f"vggexp.benchmark.work.{name}").__doc__ or "").strip()


def same(job: Job, *names: str) -> dict[str, tuple[str, Job]]:
    """The same job for several alternatives."""
    return {name: (name, job) for name in names}


def job_of(content: Mapping[str, Any]) -> Job:
    """A job from its JSON content."""
    words: Sequence[str] = content["words"]
    return Job(**{**content, "words": tuple(words)})
