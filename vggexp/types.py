"""The types and interfaces that data, backbone, head, task, loss and freeze policy share.

These parts do not import one another. They depend only on these types, and ``trainer/`` connects them.
Shapes: N images, C classes, H x W pixels.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, Protocol, TypedDict, overload, runtime_checkable

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

VOID = 255
"""The mask label for pixels without ground truth. Losses and metrics ignore these pixels."""


@dataclass(frozen=True, eq=False)
class Objects:
    """The objects of one image, or those that a network found in it: any number K, none too."""

    boxes: Tensor
    """float32, (K, 4): (left, top, right, bottom), pixels of the network's input; torchvision's order."""
    labels: Tensor
    """int64, (K,): class, 0 to C - 1; none of them is the background."""
    masks: Tensor | None = None
    """uint8, (K, H, W): 1 where the object is, 0 elsewhere, in the network's pixels."""
    crowd: Tensor | None = None
    """bool, (K,): whether it is a group, annotated as one; None: none is."""
    difficult: Tensor | None = None
    """bool, (K,): VOC's flag of objects that are not scored; None: none is."""
    scores: Tensor | None = None
    """float32, (K,): of a prediction only, in descending order."""

    def __len__(self) -> int:
        """How many objects."""
        return len(self.boxes)

    def __getitem__(self, chosen: Tensor | slice | list[int]) -> "Objects":
        """Some of the objects: by their places, a slice or a bool mask."""
        return self._each(lambda value: value[chosen])

    def to(self, device: Any) -> "Objects":
        """The same on a device."""
        return self._each(lambda value: value.to(device))

    def clone(self) -> "Objects":
        """A copy that shares no memory."""
        return self._each(Tensor.clone)

    def cpu(self) -> "Objects":
        """The same on the CPU."""
        return self.to("cpu")

    def counted(self) -> Tensor:
        """bool, (K,): which of them are to be found: neither a crowd nor difficult."""
        whole = torch.ones(len(self), dtype=torch.bool, device=self.boxes.device)
        for flag in (self.crowd, self.difficult):
            if flag is not None:
                whole = whole & ~flag
        return whole

    def _each(self, change: Callable[[Tensor], Tensor]) -> "Objects":
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return replace(self, **{name: change(value) for name, value in values.items() if value is not None})


def same_objects(one: Objects, other: Objects) -> bool:
    """Whether two images' objects are equal to the bit, in order."""
    pairs = [(getattr(one, each.name), getattr(other, each.name)) for each in fields(Objects)]
    return all(a is b if a is None or b is None else torch.equal(a, b) for a, b in pairs)


class ObjectList(list[Objects]):
    """The objects of each image of a batch."""

    @overload  # type: ignore[override]
    def __getitem__(self, place: int) -> Objects: ...
    @overload
    def __getitem__(self, place: slice | list[int] | Tensor) -> "ObjectList": ...
    def __getitem__(self, place: int | slice | list[int] | Tensor) -> "Objects | ObjectList":
        """The objects of one image, or the list of several."""
        if isinstance(place, Tensor):
            place = place.tolist()
        if isinstance(place, list):
            return ObjectList(list.__getitem__(self, row) for row in place)
        found = list.__getitem__(self, place)
        return found if isinstance(found, Objects) else ObjectList(found)

    def to(self, device: Any, **_: Any) -> "ObjectList":
        """The same on a device."""
        return ObjectList(one.to(device) for one in self)

    def cpu(self) -> "ObjectList":
        """The same on the CPU."""
        return self.to("cpu")


class Batch(TypedDict, total=False):
    """One batch: ``image`` and ``index`` from every data set, and the targets that the task needs."""

    image: Tensor
    """uint8, (N, 3, H, W): RGB, not normalised; the backbone normalises it on the device."""
    feature: Tensor
    """(N, C, h, w): cached features of the backbone's frozen stages, in place of ``image`` (``feature_cache``)."""
    index: Tensor
    """int64, (N,): the sample's index in its split, from 0."""
    label: Tensor
    """int64, (N,): class, 0 to C - 1."""
    labels: Tensor
    """uint8, (N, C): 1 for each class that the image shows, else 0; VOID for one that is not asked for."""
    box: Tensor
    """float32, (N, 4): (x, y, h, w) as fractions of the image size, 0 to 1; (x, y) is the top-left corner."""
    mask: Tensor
    """uint8, (N, H, W): class of each pixel, or VOID."""
    objects: ObjectList
    """The objects of each image; their masks if the task needs "object_masks". In a sample, its ``Objects``."""


Mixed = list[tuple[float, Batch]]
"""Batches of the same images with different targets, each with its share of the loss; the shares sum to 1."""

TARGETS = ("label", "labels", "box", "mask", "objects")
"""The keys of a batch that a task may learn from."""

OBJECT_MASKS = "object_masks"
"""What a task ``needs``, and data ``provides``, if ``objects`` have masks: a word, and no key of a batch."""

Objective = tuple[str, Literal["min", "max"]]
"""The metric that a run optimizes, such as "val/miou", and its direction."""

Sample = Batch
"""One sample: the keys of a batch, without the dimension N."""

Outputs = Tensor | ObjectList | dict[str, Any]
"""What a head returns: a tensor, the objects it found or, of one that learns from targets, its losses by name; and of
several heads, that of each by its name."""

Prediction = dict[str, Any]
"""Outputs in the format of the targets: ``label`` or ``labels`` with ``probability``, ``box`` (corner), ``mask``, all
tensors of one row an image; ``objects``, an ``ObjectList`` with scores."""

Rows = dict[str, dict[str, Tensor]]
"""Results per image, by kind of target: tensors (N, ...), one of which is ``score``, 0 to 1."""


@dataclass(frozen=True)
class Features:
    """What a backbone returns: one entry per stage, from shallow to deep."""

    stages: tuple[Tensor, ...]
    """Stage k's feature map after its pooling: (N, channels[k], about H / strides[k], about W / strides[k])."""
    size: tuple[int, int]
    """(H, W) of the images."""
    skips: tuple[Tensor, ...] = ()
    """Stage k's feature map before its pooling, at twice the resolution; only if the head reads "skips"."""
    switches: tuple[Tensor, ...] = ()
    """The indices of stage k's max pooling, as ``max_unpool2d`` takes them; only if the head reads "switches"."""


@dataclass(frozen=True)
class DataInfo:
    """The class names of an opened data set."""

    classes: tuple[str, ...]
    """Names of the image classes, by label."""
    mask_classes: tuple[str, ...]
    """Names of the pixel classes, by mask label; () if the data set has no masks."""


@dataclass(frozen=True)
class HeadSpec:
    """What a head's constructor needs to know of the backbone and the task."""

    channels: tuple[int, ...]
    """Channels of each stage, from shallow to deep."""
    strides: tuple[int, ...]
    """Stride of each stage's output, pixels: (2, 4, 8, 16, 32) in VGG."""
    classes: Mapping[str, int]
    """Number of classes, by task name: {"classification": 10}."""

    @property
    def num_classes(self) -> int:
        """The number of classes, for a head with a single task."""
        (count,) = self.classes.values()
        return count


@runtime_checkable
class Backbone(Protocol):
    """Computes the features of each stage from images."""

    channels: tuple[int, ...]
    strides: tuple[int, ...]

    def normalize(self, images: Tensor) -> Tensor:
        """Convert uint8 images to floats, with the normalisation that the weights were trained with."""

    def stages(self) -> tuple[nn.Module, ...]:
        """The module of each stage, from shallow to deep; together they hold all parameters of the backbone."""

    def __call__(
        self,
        images: Tensor,
        reads: frozenset[str] = frozenset(),
        start: int = 0,
        size: tuple[int, int] | None = None,
    ) -> Features:
        """Compute features from normalised images; ``reads`` names the further features that the head reads.

        With ``start`` = k, ``images`` are the output of stage k for images of ``size``; the entries of earlier stages
        are empty, and so are those of the first k skips and switches.
        """


@runtime_checkable
class Head(Protocol):
    """Computes outputs from features."""

    reads: frozenset[str]
    """The features that it reads besides ``Features.stages``: a subset of {"skips", "switches"}."""
    shallowest: int
    """The shallowest stage of which it reads the output, a skip or a switch, 1 to 5."""

    def __call__(self, features: Features) -> Outputs:
        """Compute outputs in the shape that the task expects."""


@runtime_checkable
class Slides(Protocol):
    """A head whose layers can be applied at every position of a last stage that is larger than in training."""

    def maps(self, features: Features, grid: tuple[int, int]) -> Tensor:
        """Outputs (N, ..., h', w'): those of each window of ``grid`` cells, which are what training gave the head.

        Raises:
            ValueError: the grid does not divide into the cells that the head reads.
        """


@runtime_checkable
class LearningHead(Head, Protocol):
    """A head that computes its own losses, because what it learns depends on what it found (``lessons``)."""

    learns_from: frozenset[str]
    """The keys of a batch that it learns from, such as {"objects"}; no such attribute, or none of them: it does not."""

    def __call__(self, features: Features, targets: Mapping[str, Any] | None = None) -> Outputs:
        """With targets, as in training: its losses, scalars by name. Without: its outputs, as of any head."""


def lessons(head: Head) -> frozenset[str]:
    """The keys of a batch that a head takes as targets while it trains; most heads take none."""
    return getattr(head, "learns_from", frozenset())


@runtime_checkable
class Anchors(Protocol):
    """Boxes of fixed shapes and places that objects are compared with, so that their sizes should be the objects'.

    A detection head that has some has them as ``anchors``.
    """

    @property
    def unset(self) -> tuple[str, ...]:
        """The head's arguments that a training fits to its objects."""

    def overlaps(self, boxes: Tensor, size: tuple[int, int]) -> Tensor:
        """(N,): the IoU of each of the boxes (N, 4), in pixels of images of ``size`` = (H, W), with its best anchor."""

    def fitted(self, boxes: Tensor, size: tuple[int, int]) -> dict[str, Any]:
        """Values of the head's arguments, of the unset ones if there are any, whose anchors these boxes fit best."""


class Loss(Protocol):
    """Computes a scalar loss from outputs and target."""

    def __call__(self, outputs: Tensor, target: Tensor) -> Tensor:
        """The mean loss over the batch."""


@runtime_checkable
class Metrics(Protocol):
    """Metrics accumulated over one pass of a split."""

    def update(self, prediction: Prediction, batch: Batch) -> None:
        """Add one batch."""

    def compute(self) -> dict[str, Tensor]:
        """The value of each metric over all added batches; NaN if there was no ground truth for it."""

    def reset(self) -> None:
        """Reset for another pass."""


class Mix(Protocol):
    """Mixes the images of a training batch."""

    def __call__(self, batch: Batch, seed: int) -> Mixed:
        """The mixed images, once with each label that they show.

        Args:
            seed: all that is drawn depends on it and on nothing else.
        """


class Task(Protocol):
    """Defines the targets, losses, metrics, predictions and drawings of a task."""

    classes: Mapping[str, int]
    """Number of classes, by task name; passed to the head in ``HeadSpec.classes``."""

    def loss(self, outputs: Outputs, batch: Batch) -> dict[str, Tensor]:
        """``loss``, the scalar to minimise, and ``loss_<part>`` for each part if the loss has parts."""

    def predict(self, outputs: Outputs) -> Prediction:
        """Convert outputs to predictions, on the outputs' device."""

    def metrics(self) -> Metrics:
        """Return new metrics."""

    def observe(self, batch: Batch) -> None:
        """Add one batch of training targets, from which the baseline and the class weights are computed."""

    def finish_observing(self) -> None:
        """Set the loss's class weights from the observed targets, if any; DataError if a class never occurs."""

    def baseline(self, batch: Batch) -> Prediction:
        """The prediction of the baseline (the best constant predictor) for this batch."""

    def rows(self, prediction: Prediction, batch: Batch) -> Rows:
        """The results of each image."""

    def diagnostics(self, rows: Rows) -> dict[str, Any]:
        """The data of tables and figures from the rows of many images, by kind of target, in JSON types."""

    def draw(self, image: Tensor, values: Mapping[str, Tensor]) -> Tensor:
        """Draw one sample's target or prediction on its image, uint8 (3, H, W). The picture may be larger."""


@runtime_checkable
class AveragesViews(Protocol):
    """A task that can average the outputs for several views of the same images (``evaluation.flip``, ``.scales``)."""

    def mirrored(self, outputs: Outputs) -> Outputs:
        """Outputs for mirrored images (left and right exchanged), as outputs for the images themselves."""

    def mean(self, views: Sequence[Outputs], size: tuple[int, int]) -> Outputs:
        """Outputs for images of ``size`` = (H, W) that stand for the mean prediction of the views."""


@runtime_checkable
class DrawsBoth(Protocol):
    """A task whose pictures of target and prediction say of each what became of the other's."""

    def draw_both(self, image: Tensor, truth: Mapping[str, Any], guess: Mapping[str, Any]) -> tuple[Tensor, Tensor]:
        """The target and the prediction of one sample, each drawn on its image."""


class Evaluation(Protocol):
    """Applies a network to images in another way than once and whole."""

    def __call__(self, forward: Callable[[Tensor], Outputs], task: Task, images: Tensor) -> Prediction:
        """The prediction for uint8 images (N, 3, H, W); ``forward`` gives the head's outputs for such images."""


class GivesOutputs(Evaluation, Protocol):
    """An evaluation that ends in outputs, which several networks may share (``evaluate checkpoint=[a,b]``)."""

    def outputs(self, forward: Callable[[Tensor], Outputs], task: Task, images: Tensor) -> Outputs:
        """Outputs of the head's kind that stand for the prediction."""


@dataclass(frozen=True)
class ParameterInfo:
    """What a freeze policy is told about a parameter."""

    name: str
    """Name in the learner's state dict, such as "backbone.features.0.weight"."""
    stage: int | None
    """Stage of the backbone, from 1; None for the head."""
    is_norm: bool = False
    """Whether it is the scale or the shift of a normalisation layer."""

    @property
    def is_bias(self) -> bool:
        """Whether it is a bias: a layer's bias or the shift of a normalisation layer."""
        return self.name.rpartition(".")[2] == "bias"

    @property
    def is_adapter(self) -> bool:
        """Whether a freeze policy added it to a layer (``AdaptingPolicy``)."""
        return ".parametrizations." in self.name and not self.name.endswith(".original")


@runtime_checkable
class FreezePolicy(Protocol):
    """Returns the learning-rate factor of a parameter in an epoch; 0 means frozen. It does not change parameters."""

    @property
    def constant(self) -> bool:
        """Whether the factors are the same in every epoch."""

    def __call__(self, epoch: int, parameter: ParameterInfo) -> float:
        """The factor in this epoch; epochs count from 0."""


@runtime_checkable
class PolicyOfNames(FreezePolicy, Protocol):
    """A policy that selects parameters by name, and so must be checked against the network."""

    def check(self, parameters: Sequence[ParameterInfo]) -> None:
        """Check the policy against all parameters of the network; ValueError if it does not fit."""


@runtime_checkable
class MeasuredPolicy(FreezePolicy, Protocol):
    """A policy that decides by measurements of the run: a pure function of epoch, parameter and these numbers.

    A constant one gets a single row before training: each stage's gradient norm divided by the norm of its parameters,
    over ``window`` batches. Another one gets a row every ``window`` epochs: the norms of the gradients' sums over them,
    and after them the head's, if it has ``measures_head = True``.
    """

    window: int
    """Batches or epochs that a row covers."""
    measured: list[list[float]]
    """The rows so far: a number a stage, from shallow to deep. Checkpoints keep them."""


@runtime_checkable
class AdaptingPolicy(FreezePolicy, Protocol):
    """A policy that trains a few parameters more in place of a layer's own."""

    def adapt(self, stages: Sequence[nn.Module]) -> None:
        """Add them to the layers of the stages; layers that have them stay as they are. Outputs do not change."""


class Data(Protocol):
    """A data set with fixed, disjoint splits."""

    info: DataInfo

    def split(self, name: str, needs: frozenset[str], *, augment: bool = False) -> Dataset[Sample]:
        """The split "train", "val" or "test", restricted to samples that have every target in ``needs``."""
