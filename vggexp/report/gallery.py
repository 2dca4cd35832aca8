"""The gallery: example images of each setting, with truth and prediction as layers that the reader can toggle."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vggexp.report.album import Album, data_uri, mask_colours, mask_counts
from vggexp.report.compare import Group
from vggexp.report.diagnostics import Diagnostics
from vggexp.report.object_layers import boxes, legend, text

_MARKUP = 900
"""Approximate number of characters of one image's layers and caption."""


def gallery(found: Sequence[Diagnostics], album: Album, budget: int) -> dict[str, Any]:
    """Columns of images, one per setting; {} if there are none. ``budget`` limits the characters of all columns."""
    columns: list[dict[str, Any]] = []
    begun, markup = album.size, 0
    for one in found:
        if album.size - begun + markup > budget:
            break
        shots = [shot for record in one.content["images"] if (shot := _shot(record, one, album))]
        markup += _MARKUP * len(shots)
        if shots:
            columns.append(
                {"label": one.setting.label, "name": one.run.name, "link": anchor(one.run.name), "shots": shots}
            )
    if not columns:
        return {}
    shots = [shot for column in columns for shot in column["shots"]]
    splits = {str(one.content["split"]) for one in found}
    return {
        "columns": columns,
        "splits": " and ".join(sorted(splits)),
        "extremes": max(int(one.content.get("extremes", 0)) for one in found),
        "has_masks": any(shot["truth"]["mask"] for shot in shots),
        "has_boxes": any(shot["truth"]["box"] or shot["truth"]["objects"] for shot in shots),
        "legend": _legend(found),
        "note": f" {len(columns)} of {len(found)} settings fit." if len(columns) < len(found) else "",
    }


def anchor(name: str) -> str:
    """A run's anchor id on the page: letters, digits and dashes.

    >>> anchor("a/<b> 1")
    'run-a-2f-3cb-3e-201'
    """
    return "run-" + "".join(char if char.isalnum() and char.isascii() else f"-{ord(char):x}" for char in name)


def _shot(record: Mapping[str, Any], one: Diagnostics, album: Album) -> dict[str, Any]:
    """One image and its layers; {} if its file is missing."""
    pixels = album.add(_inside(one.folder, record["image"]))
    if not pixels:
        return {}
    classes = one.content.get("classes", [])
    width, height = record["size"]
    layers = {
        kind: _layers(record[kind], one.folder, (width, height), album)
        | {"objects": boxes(record[kind], (width, height), classes)}
        for kind in ("truth", "prediction")
    }
    texts = {kind: _text(record[kind], classes) for kind in ("truth", "prediction")}
    says = f"{one.score_name} {'-' if record['score'] is None else format(record['score'], '.2f')}"
    labels = [record[kind].get("label", record[kind].get("labels")) for kind in ("truth", "prediction")]
    is_wrong = None not in labels and labels[0] != labels[1]
    return {
        "index": int(record["index"]),
        "fixed": bool(record["fixed"]),
        "score": record["score"],
        "says": says,
        "is_wrong": is_wrong,
        "alt": _alt(record["index"], texts, says, is_wrong),
        "pixels": pixels,
        "width": width,
        "height": height,
        "texts": texts,
        "classes": _classes(record["truth"], one),
        "area": _area(record["truth"], one),
        **layers,
    }


def _layers(values: Mapping[str, Any], folder: Path, size: tuple[int, int], album: Album) -> dict[str, Any]:
    """A mask's id in the album, and a box (x, y, width, height) in the image's pixels."""
    name = values.get("mask", values.get("object_mask"))
    mask = album.add(_inside(folder, name)) if name else ""
    box: list[float] = []
    if values.get("box") and None not in values["box"]:
        x, y, h, w = (float(value) for value in values["box"])
        box = [
            round(x * size[0], 1),
            round(y * size[1], 1),
            round(max(0.0, w) * size[0], 1),
            round(max(0.0, h) * size[1], 1),
        ]
    return {"mask": mask, "box": box}


def _text(values: Mapping[str, Any], classes: Sequence[str]) -> str:
    """The class or the classes, with their probabilities if there are any; of objects, how many."""
    if "objects" in values:
        return text(values)
    if "labels" in values and classes:
        shares = values.get("probabilities") or [None] * len(values["labels"])
        pairs = zip(values["labels"], shares, strict=True)
        return ", ".join(_with_share(classes[label], share) for label, share in pairs) or "no class"
    if "label" not in values or not classes:
        return ""
    return _with_share(classes[values["label"]], values.get("probability"))


def _classes(truth: Mapping[str, Any], one: Diagnostics) -> list[str]:
    """The names of the classes that the image shows: of its labels, or of its mask's pixels without the background."""
    names = one.content.get("classes", [])
    labels = [truth["label"]] if "label" in truth else truth.get("labels", [])
    if labels and names:
        return [names[label] for label in labels]
    pixels, names = _pixels(truth, one), one.content.get("mask_classes", [])
    return [name for place, name in enumerate(names) if place and pixels[place]] if pixels else []


def _area(truth: Mapping[str, Any], one: Diagnostics) -> float | None:
    """The object's share of the image: of its box, or of all pixels that are neither background nor void."""
    if truth.get("box") and None not in truth["box"]:
        *_, h, w = (float(value) for value in truth["box"])
        return round(max(0.0, h) * max(0.0, w), 4)
    pixels, names = _pixels(truth, one), one.content.get("mask_classes", [])
    return round(sum(pixels[1 : len(names)]) / max(1, sum(pixels)), 4) if pixels else None


def _pixels(truth: Mapping[str, Any], one: Diagnostics) -> list[int]:
    """The number of pixels of each value of the mask; [] if there is none that can be read."""
    if "mask" not in truth:
        return []
    return mask_counts(_inside(one.folder, truth["mask"]))


def _with_share(name: str, share: float | None) -> str:
    return name if share is None else f"{name} {share:.0%}"


def _alt(index: int, texts: Mapping[str, str], says: str, is_wrong: bool) -> str:
    parts = [f"image {index}", *(f"{kind} {text}" for kind, text in texts.items() if text), says]
    return ", ".join([*parts, *(["wrong"] if is_wrong else [])])


def _inside(folder: Path, name: str) -> Path:
    """The file of this name in ``folder`` itself: a record cannot point outside."""
    return folder / Path(str(name)).name


def _legend(found: Sequence[Diagnostics]) -> list[tuple[str, str]]:
    """The pixel classes and their colours, or what the colours of objects mean."""
    if shown := legend([record for one in found for record in one.content["images"]]):
        return shown
    for one in found:
        classes = one.content.get("mask_classes", [])
        for record in one.content["images"]:
            if classes and "mask" in record["truth"]:
                colours = mask_colours(_inside(one.folder, record["truth"]["mask"]), len(classes))
                return list(zip(classes, colours, strict=False))
    return []


def sheets(group: Group, most: int) -> list[dict[str, str]]:
    """For runs without example images: the picture of truth beside prediction, one per setting."""
    pictures: list[dict[str, str]] = []
    for setting in group.settings:
        run = next((run for run in setting.runs if (run.folder.predictions / "test.png").exists()), None)
        if run is None or len(pictures) == most:
            continue
        try:
            data = data_uri((run.folder.predictions / "test.png").read_bytes(), side=800)
        except OSError:
            continue
        pictures.append({"label": setting.label, "name": run.name, "link": anchor(run.name), "data": data})
    return pictures
