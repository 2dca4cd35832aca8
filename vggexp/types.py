"""The nouns every part agrees on: what data hands over, what a backbone returns, what a head and a task are.

The parts never import one another; they meet in these types, and ``build.py`` puts them together.
Shapes: N images, C classes, H x W pixels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypedDict, runtime_checkable

from torch import Tensor, nn
from torch.utils.data import Dataset

VOID = 255
"""The mask label that stands for "no ground truth here": no loss, no metric counts such a pixel."""


class Batch(TypedDict, total=False):
    """One batch. Every data set gives ``image`` and ``index``; of the targets, those that its task needs."""

    image: Tensor
    """uint8, (N, 3, H, W): RGB as decoded; the backbone normalises it on the device."""
    feature: Tensor
    """(N, C, h, w): in place of ``image``, what the backbone's frozen first stages gave for it (``feature_cache``)."""
    index: Tensor
    """int64, (N,): the sample's place in its split."""
    label: Tensor
    """int64, (N,): class, 0 to C - 1."""
    box: Tensor
    """float32, (N, 4): (x, y, h, w) as shares of the image, (x, y) the top-left corner."""
    mask: Tensor
    """uint8, (N, H, W): class of each pixel, or VOID."""


Objective = tuple[str, Literal["min", "max"]]
"""The one metric that a run is to improve, such as "val/miou", and its direction."""

Sample = Batch
"""One sample has a batch's keys, without the leading N."""

Outputs = Tensor | dict[str, Tensor]
"""What a head returns: one tensor, or one a named head."""

Prediction = dict[str, Tensor]
"""Outputs in a target's terms: ``label`` and ``probability``, ``box`` (corner format), ``mask``."""

Rows = dict[str, dict[str, Tensor]]
"""What is worth keeping of N images, by kind of target: columns with a leading N, among them ``score``, 0 to 1."""


@dataclass(frozen=True)
class Features:
    """What a backbone hands on, from shallow to deep: one entry a stage."""

    stages: tuple[Tensor, ...]
    """Stage k's feature map after its pooling: (N, channels[k], about H / strides[k], about W / strides[k])."""
    size: tuple[int, int]
    """(H, W) of the images."""
    skips: tuple[Tensor, ...] = ()
    """Stage k's feature map before its pooling, at twice the resolution; only if the head reads "skips"."""
    switches: tuple[Tensor, ...] = ()
    """Where each pooled maximum came from, as ``max_unpool2d`` takes it; only if the head reads "switches"."""


@dataclass(frozen=True)
class DataInfo:
    """What a data set knows of itself once it is opened."""

    classes: tuple[str, ...]
    """Names of the image classes, by label."""
    mask_classes: tuple[str, ...]
    """Names of the pixel classes, by mask label; () if there are no masks."""


@dataclass(frozen=True)
class HeadSpec:
    """What a head must know before it can be built."""

    channels: tuple[int, ...]
    """Channels of each stage, from shallow to deep."""
    strides: tuple[int, ...]
    """Pixels a cell of each stage after its pooling: (2, 4, 8, 16, 32) in VGG."""
    classes: Mapping[str, int]
    """Classes that the task distinguishes, by the task's name: {"classification": 10}."""

    @property
    def num_classes(self) -> int:
        """The number of classes, for a head that serves one task."""
        (count,) = self.classes.values()
        return count


@runtime_checkable
class Backbone(Protocol):
    """Images to stage features."""

    channels: tuple[int, ...]
    strides: tuple[int, ...]

    def normalize(self, images: Tensor) -> Tensor:
        """uint8 images to the floats that the weights were trained on."""

    def stages(self) -> tuple[nn.Module, ...]:
        """The modules of each stage, from shallow to deep; together all of the backbone's parameters."""

    def __call__(
        self,
        images: Tensor,
        reads: frozenset[str] = frozenset(),
        start: int = 0,
        size: tuple[int, int] | None = None,
    ) -> Features:
        """Normalised images to features; ``reads`` names what else than the stages a head wants.

        With ``start`` = k, ``images`` are what stage k gave for images of ``size``, and stages before k are empty.
        """


@runtime_checkable
class Head(Protocol):
    """Features to outputs."""

    reads: frozenset[str]
    """What else than ``Features.stages`` it reads: a subset of {"skips", "switches"}."""
    shallowest: int
    """The first stage that it reads, 1 to 5."""

    def __call__(self, features: Features) -> Outputs:
        """Outputs of the shape its task takes."""


class Loss(Protocol):
    """(outputs, target) to a scalar."""

    def __call__(self, outputs: Tensor, target: Tensor) -> Tensor:
        """The mean loss over the batch."""


@runtime_checkable
class Metrics(Protocol):
    """Running scores over one pass of a split."""

    def update(self, prediction: Prediction, batch: Batch) -> None:
        """Count one batch."""

    def compute(self) -> dict[str, Tensor]:
        """Name to scalar, over all that was counted; a score without any ground truth is NaN."""

    def reset(self) -> None:
        """Begin another pass."""


class Task(Protocol):
    """Owns targets, losses, metrics, how outputs become predictions, and how a prediction is drawn."""

    classes: Mapping[str, int]
    """The number of classes it distinguishes, by task name: what ``HeadSpec.classes`` is filled with."""

    def loss(self, outputs: Outputs, batch: Batch) -> dict[str, Tensor]:
        """``loss``, the scalar to minimise, and its ``loss_<part>``s if it has parts."""

    def predict(self, outputs: Outputs) -> Prediction:
        """Outputs in the target's terms, on the outputs' device."""

    def metrics(self) -> Metrics:
        """A fresh set of running scores."""

    def observe(self, batch: Batch) -> None:
        """Count one batch of training targets: what the baseline and class balancing are made of."""

    def finish_observing(self) -> None:
        """Balance the loss by what was observed, if anything was; DataError if a class never occurs."""

    def baseline(self, batch: Batch) -> Prediction:
        """What the baseline says of this batch."""

    def rows(self, prediction: Prediction, batch: Batch) -> Rows:
        """How each single image fared."""

    def diagnostics(self, rows: Rows) -> dict[str, Any]:
        """Of the rows of many images what tables and figures show, by kind of target, in JSON's types."""

    def draw(self, image: Tensor, values: Mapping[str, Tensor]) -> Tensor:
        """Show one sample's target or prediction on its image: uint8 (3, H, W) to a picture, often a larger one."""


@dataclass(frozen=True)
class ParameterInfo:
    """What a freeze policy may know of a parameter."""

    name: str
    """As in the learner's state dict: "backbone.features.0.weight"."""
    stage: int | None
    """Its stage in the backbone, from 1; None in the head."""
    is_norm: bool = False
    """Whether it belongs to a normalisation layer: its scale or its shift."""

    @property
    def is_bias(self) -> bool:
        """Whether it is added, not multiplied: a layer's bias, a normalisation's shift."""
        return self.name.rpartition(".")[2] == "bias"


@runtime_checkable
class FreezePolicy(Protocol):
    """(epoch, parameter) to the factor on its learning rate; 0 means frozen. It touches no parameter itself."""

    @property
    def constant(self) -> bool:
        """Whether the answer is the same in every epoch."""

    def __call__(self, epoch: int, parameter: ParameterInfo) -> float:
        """The factor in this epoch, counted from 0."""


@runtime_checkable
class PolicyOfNames(FreezePolicy, Protocol):
    """A policy that must see what the parameters are called before it can be trusted."""

    def check(self, parameters: Sequence[ParameterInfo]) -> None:
        """Look at all parameters of the network; ValueError if the policy does not fit them."""


class Data(Protocol):
    """A data set with fixed, disjoint splits."""

    info: DataInfo

    def split(self, name: str, needs: frozenset[str], *, augment: bool = False) -> Dataset[Sample]:
        """Split "train", "val" or "test", of the samples that have every target in ``needs``."""
