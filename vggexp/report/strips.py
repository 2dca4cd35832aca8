"""Photos for comparison: one strip for each image, with what each setting predicts for it side by side."""

from collections.abc import Mapping, Sequence
from typing import Any

SMALL, LARGE = 0.1, 0.3
"""Shares of the image below which an object is small, and above which it is large."""


def strips(look: Mapping[str, Any], settings: Mapping[str, int]) -> dict[str, Any]:
    """A gallery (``gallery.gallery``) by image in place of by setting; {} of an empty one.

    Args:
        settings: by label, the place of each setting in its group.
    """
    if not look:
        return {}
    images: dict[int, dict[str, Any]] = {}
    for column in look["columns"]:
        head = {key: column[key] for key in ("label", "name", "link")} | {"setting": settings[column["label"]]}
        for shot in column["shots"]:
            image = images.setdefault(shot["index"], _image(shot))
            image["fixed"] |= shot["fixed"]
            image["shots"].append({**shot, **head, "right": _is_right(shot)})
    ordered = [images[index] for index in sorted(images)]
    return {
        **{key: value for key, value in look.items() if key != "columns"},
        "images": ordered,
        "runs": [(settings[column["label"]], column["label"]) for column in look["columns"]],
        "classes": sorted({name for image in ordered for name in image["classes"]}),
        "sizes": [word for word in ("small", "medium", "large") if any(image["extent"] == word for image in ordered)],
    }


def _image(shot: Mapping[str, Any]) -> dict[str, Any]:
    classes: Sequence[str] = shot.get("classes", [])
    return {
        "index": shot["index"], "fixed": False, "classes": list(classes), "extent": _extent(shot.get("area")),
        "shots": [],
    }  # fmt: skip


def _extent(area: float | None) -> str:
    if area is None:
        return ""
    return "small" if area < SMALL else "large" if area > LARGE else "medium"


def _is_right(shot: Mapping[str, Any]) -> bool | None:
    """Whether the class is right, or the box above an IoU of 0.5; None where neither is asked, as with a mask."""
    if shot["texts"]["truth"] and shot["texts"]["prediction"]:
        return not shot["is_wrong"]
    if shot["truth"]["box"] and not shot["truth"]["mask"] and shot["score"] is not None:
        return bool(shot["score"] > 0.5)
    return None
