"""What a work consists of: who does which job. Plain data, which travels to a contestant's process as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent
REQUIRED = {"smp": "segmentation_models_pytorch", "timm": "timm"}
"""What must be installed for an alternative to take part."""


@dataclass(frozen=True)
class Sizes:
    """How large the works are: the verb's keys of these names (``conf/benchmark.yaml``), and where the photos lie."""

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

    def met(self, batch_size: int) -> int:
        """Photos that steps with batches of this size meet: one to warm up, those of all turns, one to spare."""
        return (self.batch_size or batch_size) * (2 + self.steps * self.repeats)

    def words(self, *more: str, batch_size: int) -> tuple[str, ...]:
        """The words of the training that every contestant does in its own way."""
        height, width = self.image_size
        return (
            "data=pets", f"data.root='{self.root}'", "data.workers=0", f"data.image_size=[{height},{width}]",
            f"data.batch_size={self.batch_size or batch_size}", "backbone=vgg16", f"backbone.width={self.width}",
            "optimizer=sgd", "optimizer.lr=0.001", "optimizer.weight_decay=0", f"trainer.precision={self.precision}",
            f"trainer.gpus={'null' if self.gpus is None else self.gpus}", *more,
        )  # fmt: skip

    @property
    def resized(self) -> str:
        """The word for a training transform that only makes images equally large."""
        height, width = self.image_size
        return f"data.train_transform=[{{Resize:{{size:[{height},{width}]}}}}]"

    @property
    def mlp(self) -> tuple[str, ...]:
        """The words of VGG's own dense layers; an image smaller than 224 has fewer cells to average over."""
        return (f"head.hidden={self.hidden}", f"head.pool={min(7, min(self.image_size) // 32)}")


@dataclass(frozen=True)
class Job:
    """What one contestant does.

    Args:
        kind: the function of a contestant's module that does it: "steps", "run", "evaluate" or "load".
        words: the training, in the words of the command line.
        batches: to a turn.
        sample: images that an alternative sees of a whole run.
        frozen: whether the backbone stands still.
        segments: whether it is about masks, not labels.
    """

    kind: str
    words: tuple[str, ...]
    batches: int = 1
    sample: int = 0
    frozen: bool = False
    segments: bool = False


@dataclass(frozen=True)
class Work:
    """Ours, under one or several names ("" if there is one), and the alternatives.

    Args:
        ours: by name, the job that ``against.ours`` does.
        against: by name, the module and its job.
        train, test: photos that it needs in each split.
        bounded: whether FLOPs bound it, so that a share of the machine's peak says something.
        starts: a turn is a process's way from its start to the end of its first step.
    """

    ours: Mapping[str, Job]
    against: Mapping[str, tuple[str, Job]]
    train: int
    test: int = 3
    bounded: bool = False
    starts: bool = False
    note: str = ""
    """What must be said of the numbers beside what the work is."""


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
    """What a work is: its file's first line."""
    return (import_module(f"vggexp.benchmark.work.{name}").__doc__ or "").strip()


def same(job: Job, *names: str) -> dict[str, tuple[str, Job]]:
    """Alternatives that all do one job, each its own way."""
    return {name: (name, job) for name in names}


def job_of(content: Mapping[str, Any]) -> Job:
    """A job as JSON carries it."""
    words: Sequence[str] = content["words"]
    return Job(**{**content, "words": tuple(words)})
