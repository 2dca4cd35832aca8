"""Objects of an example image as W&B's boxes and masks."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Pixels = np.ndarray[Any, Any]


def object_boxes(image: Mapping[str, Any], kind: str, classes: Sequence[str]) -> dict[str, Any]:
    """The boxes of ``image[kind]["objects"]``: class, what became of the object, and the score if there is one.

    >>> one = {"box": [0.1, 0.2, 0.5, 0.25], "label": 1, "status": "false", "score": 0.75}
    >>> found = object_boxes({"prediction": {"objects": [one]}}, "prediction", ["cat", "dog"])["box_data"][0]
    >>> found["box_caption"], found["scores"], [round(found["position"][name], 2) for name in ("maxX", "maxY")]
    ('prediction: dog 0.75, false', {'score': 0.75}, [0.35, 0.7])
    """
    return {
        "box_data": [_box(one, kind, classes) for one in image[kind]["objects"]],
        "class_labels": dict(enumerate(classes)),
    }


def object_masks(values: Mapping[str, Any], pixels: Pixels, classes: Sequence[str]) -> dict[str, Any]:
    """The masks: each object's pixels with its class, counted from 1, for 0 is where there is none.

    >>> object_masks({"objects": [{"label": 4}, {"label": 0}]}, np.array([[0, 1, 2]]), "abcde")["mask_data"]
    array([[0, 5, 1]], dtype=uint8)
    """
    labels = np.array([0, *(min(one["label"] + 1, 255) for one in values["objects"])], dtype=np.uint8)
    names = {0: "no object"} | dict(enumerate(classes, start=1))
    return {"mask_data": labels[pixels], "class_labels": names}


def _box(one: Mapping[str, Any], kind: str, classes: Sequence[str]) -> dict[str, Any]:
    x, y, h, w = one["box"]
    edges = {"minX": x, "minY": y, "maxX": x + w, "maxY": y + h}
    score = f" {one['score']:.2f}" if "score" in one else ""
    box = {
        "position": {name: min(1.0, max(0.0, value)) for name, value in edges.items()},
        "class_id": one["label"],
        "box_caption": f"{kind}: {classes[one['label']]}{score}, {one['status']}",
    }
    return {**box, "scores": {"score": one["score"]}} if "score" in one else box
