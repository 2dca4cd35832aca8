"""COCO's average precision and recall (Lin et al. 2014; cocodataset.org/#detection-eval), by faster-coco-eval."""

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vggexp.task.metric.scored import Scored, backend, corner_sizes

SIZES = ("all", "small", "medium", "large")
"""COCO's ranges of area: below 32 x 32 pixels, up to 96 x 96, above."""
MOST = (1, 10, 100)
"""Predictions of an image that count for the average recall; the last also for the average precision."""


def coco(images: Sequence[Scored], classes: Sequence[str], masks: bool) -> dict[str, float]:
    """COCO's twelve scores, and ``ap/<class>`` (mean over the IoUs) and ``ap_50/<class>``; NaN without ground truth.

    Crowds and difficult objects are regions: a prediction inside one is neither right nor wrong.

    Args:
        images: in the split's order.
        masks: compare masks and their areas, not boxes.
    """
    precision, recall = _evaluated(images, len(classes), masks)
    # precision: (IoU, recall, class, size, most), recall: (IoU, class, size, most); -1 where there is no object.
    scores = {
        "map": _mean(precision[..., 0, -1]),
        "map_50": _mean(precision[0, ..., 0, -1]),
        "map_75": _mean(precision[5, ..., 0, -1]),
    }
    scores |= {f"map_{name}": _mean(precision[..., place, -1]) for place, name in enumerate(SIZES) if place}
    scores |= {f"ar_{most}": _mean(recall[..., 0, place]) for place, most in enumerate(MOST)}
    scores |= {f"ar_{name}": _mean(recall[..., place, -1]) for place, name in enumerate(SIZES) if place}
    for place, name in enumerate(classes):
        scores[f"ap/{name}"] = _mean(precision[:, :, place, 0, -1])
        scores[f"ap_50/{name}"] = _mean(precision[0, :, place, 0, -1])
    return scores


def _evaluated(images: Sequence[Scored], classes: int, masks: bool) -> tuple[NDArray[Any], NDArray[Any]]:
    pair = [_dataset(images, classes, kind, masks) for kind in ("truth", "predicted")]
    done = backend().COCOeval_faster(*pair, "segm" if masks else "bbox", print_function=_silent, rle_iou_max_workers=1)
    done.params.imgIds, done.params.catIds = list(range(len(images))), list(range(classes))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # means of nothing
        done.evaluate()
        done.accumulate()
    shape = (len(done.params.iouThrs), len(done.params.recThrs), classes, len(SIZES), len(MOST))
    precision = np.asarray(done.eval["precision"], dtype=np.float64).reshape(shape)
    return precision, np.asarray(done.eval["recall"], dtype=np.float64).reshape(shape[:1] + shape[2:])


def _dataset(images: Sequence[Scored], classes: int, kind: str, masks: bool) -> Any:
    dataset = backend().COCO(print_function=_silent)
    notes = [note for place, image in enumerate(images) for note in _notes(image, place, kind, masks)]
    dataset.dataset = {
        "images": [{"id": place, **_size(image)} for place, image in enumerate(images)],
        "annotations": [{"id": number, **note} for number, note in enumerate(notes, start=1)],
        "categories": [{"id": label, "name": str(label)} for label in range(classes)],
    }
    dataset.createIndex()
    return dataset


def _notes(image: Scored, place: int, kind: str, masks: bool) -> Iterator[dict[str, Any]]:
    """COCO's annotations of one image.

    The area of a true object is its mask's, if it has one, as in COCO's files; that of a prediction is the area of
    what is compared.
    """
    objects, runs = getattr(image, kind), getattr(image, f"{kind}_runs")
    boxes = corner_sizes(objects.boxes)
    areas = boxes[:, 2] * boxes[:, 3]
    if runs and (masks or kind == "truth"):
        areas = np.asarray(backend().mask.area(list(runs)), dtype=np.float64)
    regions = (~objects.counted()).int().tolist()
    scores = [0.0] * len(objects) if objects.scores is None else objects.scores.tolist()
    for number, label in enumerate(objects.labels.tolist()):
        note = {
            "image_id": place, "category_id": label, "bbox": boxes[number].tolist(), "area": float(areas[number]),
            "iscrowd": regions[number], "score": scores[number],
        }  # fmt: skip
        yield {**note, "segmentation": runs[number]} if runs else note


def _size(image: Scored) -> dict[str, int]:
    """Height and width, which only masks need."""
    runs = (*(image.truth_runs or ()), *(image.predicted_runs or ()))
    high, wide = runs[0]["size"] if runs else (0, 0)
    return {"height": int(high), "width": int(wide)}


def _mean(values: NDArray[Any]) -> float:
    known = values[values > -1]
    return float(known.mean()) if known.size else float("nan")


def _silent(*_: object) -> None:
    """Print nothing."""
