"""Boxes and objects' masks in COCO's format, which COCO's tools and most annotation programs read.

The content is a data set for ``COCO(file)``. Its ``annotations`` have a ``score``, so they are also results for
``loadRes``. Format: https://cocodataset.org/#format-data
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def coco(rows: Iterable[Mapping[str, Any]], classes: Sequence[str]) -> dict[str, Any]:
    """Rows of ``predictions.jsonl`` as COCO's images, annotations and categories.

    The category of a box is its image's class, with the label plus 1 as id. Without a classifier there is one category,
    "object", and every score is 1. Of a detector's rows, each object is an annotation, with its mask if it has one.

    Args:
        rows: in the order of the photos; a row without a box becomes an image without annotation.
        classes: names by label.
    """
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    named = False
    for number, row in enumerate(rows, start=1):
        images.append({"id": number, "file_name": row["file"], "width": row["width"], "height": row["height"]})
        for one in row.get("objects", [row] if "box_pixels" in row else []):
            label = one.get("class")
            named = named or label is not None
            score = one["score"] if "score" in one else 1.0 if label is None else row["probability"][label]
            category = 1 if label is None else classes.index(label) + 1
            annotations.append(
                {"id": len(annotations) + 1, "image_id": number, "category_id": category, "score": score, **_place(one)}
            )
    names = classes if named else ["object"]
    categories = [{"id": place, "name": name} for place, name in enumerate(names, start=1)]
    return {"info": {"description": "vggexp"}, "images": images, "annotations": annotations, "categories": categories}


def _place(one: Mapping[str, Any]) -> dict[str, Any]:
    """Where an object is: its box, its area and, if it has one, its mask."""
    left, top, right, bottom = one["box_pixels"]
    width, height = round(right - left, 1), round(bottom - top, 1)
    found = {"bbox": [left, top, width, height], "area": one.get("pixels", round(width * height, 2)), "iscrowd": 0}
    return {**found, "segmentation": one["rle"]} if "rle" in one else found
