"""What there is to explain in the outputs of each kind of head."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from torch import Tensor

from vggexp.deploy.explain.grad_cam import Target
from vggexp.errors import ConfigError, require_known
from vggexp.types import VOID, DataInfo, Outputs, Prediction

Config = Mapping[str, Any]
COORDINATES = ("x", "y", "h", "w")


def targets(
    config: Config, info: DataInfo, prediction: Prediction, classes: Sequence[str] | None
) -> Iterator[tuple[str, Target]]:
    """The name of each figure that is explained, and how it is taken from the outputs for one image.

    Classification: the class's logit. Localization: each of the box's four outputs. Segmentation: the mean of a class's
    logits over the pixels. Of several heads, what each has.

    Args:
        config: the run's.
        prediction: for the one image, without a dimension of images.
        classes: names of the classes; None: those that are predicted.

    Raises:
        ConfigError: a head's outputs have no such figures, or a class is not known.
    """
    parts = config["task"].get("parts")
    for name in parts or [""]:
        head = config["head"]["part"][name] if name else config["head"]
        for figure, target in _of_head(head["gives"], info, prediction, classes):
            yield (f"{name}-{figure}" if name else figure), _within(name, target)


def _within(part: str, target: Target) -> Target:
    def of_part(outputs: Outputs) -> Tensor:
        assert isinstance(outputs, dict)
        return target(outputs[part])

    return of_part if part else target


def _of_head(
    gives: str, info: DataInfo, prediction: Prediction, classes: Sequence[str] | None
) -> Iterator[tuple[str, Target]]:
    if gives == "class_logits":
        for label in _chosen(classes, info.classes, _predicted_labels(prediction)):
            yield info.classes[label], _column(label)
    elif gives == "box":
        for place, name in enumerate(COORDINATES):
            yield f"box-{name}", _column(place)
    elif gives == "pixel_logits":
        found = [label for label in prediction["mask"].unique().tolist() if label != VOID]
        for label in _chosen(classes, info.mask_classes, found):
            yield f"mask-{info.mask_classes[label]}", _mean_of(label)
    else:
        raise ConfigError(
            f"explain: a head that gives {gives} has no single outputs for Grad-CAM; those of classification, "
            "multilabel, localization (head=box) and segmentation have"
        )


def _predicted_labels(prediction: Prediction) -> list[int]:
    if "labels" in prediction:  # several classes, or none: then the most probable one
        shown: list[int] = prediction["labels"].nonzero()[:, 0].tolist()
        return shown or [int(prediction["probability"].argmax())]
    return [int(prediction["label"])]


def _chosen(classes: Sequence[str] | None, names: Sequence[str], predicted: Sequence[int]) -> list[int]:
    if classes is None:
        return list(predicted)
    for name in classes:
        require_known("classes", name, names)
    return [list(names).index(name) for name in classes]


def _column(place: int) -> Target:
    def column(outputs: Outputs) -> Tensor:
        assert isinstance(outputs, Tensor)
        return outputs[:, place]

    return column


def _mean_of(label: int) -> Target:
    def mean(outputs: Outputs) -> Tensor:
        assert isinstance(outputs, Tensor)
        return outputs[:, label].mean((1, 2))

    return mean
