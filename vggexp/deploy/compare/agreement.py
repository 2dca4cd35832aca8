"""Which images one run gains and which it loses against another, from what both runs recorded of each test image."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from vggexp.errors import DataError
from vggexp.run_folder import RunFolder

MARGIN = 0.1
"""How far apart two scores (0 to 1) of an image must be for a gain or a loss, where there is no right and wrong."""
Recorded = Mapping[str, Any]


def recorded(folder: Path) -> Recorded | None:
    """What a run kept of its test images; None if it kept nothing of single ones."""
    file = RunFolder(folder).predictions / "test.json"
    if not file.exists():
        return None
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{file} cannot be read ({error}); evaluate {folder} writes it anew") from error
    return content if isinstance(content, dict) and content.get("index") else None


def agreement(first: Recorded, second: Recorded) -> dict[str, Any]:
    """The second run against the first, image by image.

    Returns:
        ``count`` of images that both could score; ``score``, each run's mean; ``difference``, its mean, and
        ``interval``, the half width of its 95 % interval (Student's t, paired); ``gained`` and ``lost``, the images'
        places in the split with their two scores, the largest difference first; and of classification ``right``: how
        many both, only the first, only the second and neither have right, with ``p`` of McNemar's exact test.
    """
    scores = np.array([first["score"], second["score"]], dtype=float)
    known = np.isfinite(scores).all(0)
    change = scores[1] - scores[0]
    right = _right(first, second)
    if right is None:
        gained, lost = known & (change > MARGIN), known & (change < -MARGIN)
    else:
        gained, lost = right[1] & ~right[0], right[0] & ~right[1]
    places = np.array(first["index"])
    found: dict[str, Any] = {
        "count": int(known.sum()),
        "score": [float(row[known].mean()) for row in scores],
        "difference": float(change[known].mean()),
        "interval": _half_width(change[known]),
        "gained": _listed(places, scores, gained, -change),
        "lost": _listed(places, scores, lost, change),
        "margin": None if right is not None else MARGIN,
    }
    return found if right is None else {**found, "right": _table(right)}


def _right(first: Recorded, second: Recorded) -> np.ndarray | None:
    """(2, N): whether each run has each image's class right; None if classes are not all that the runs predict."""
    if list(first["diagnostics"]) != ["classification"]:
        return None
    each = [one["diagnostics"]["classification"]["each"] for one in (first, second)]
    return np.array([np.array(one["label"]) == np.array(one["predicted"]) for one in each])


def _table(right: np.ndarray) -> dict[str, Any]:
    first, second = right
    only = [int((first & ~second).sum()), int((second & ~first).sum())]
    p = float(stats.binomtest(only[0], sum(only), 0.5).pvalue) if sum(only) else 1.0
    return {"both": int((first & second).sum()), "first": only[0], "second": only[1],
            "neither": int((~first & ~second).sum()), "p": p}  # fmt: skip


def _half_width(change: np.ndarray) -> float | None:
    """None for fewer than two images."""
    count = len(change)
    if count < 2:
        return None
    return float(stats.t.ppf(0.975, count - 1) * change.std(ddof=1) / count**0.5)


def _listed(places: np.ndarray, scores: np.ndarray, chosen: np.ndarray, order: np.ndarray) -> list[list[float]]:
    """[place, the first run's score, the second's] of the chosen images, in ascending order of ``order``."""
    found = sorted(np.flatnonzero(chosen), key=lambda place: (order[place], place))
    return [[int(places[one]), float(scores[0, one]), float(scores[1, one])] for one in found]


def hindrance(names: Sequence[str], pair: Sequence[Recorded | None], prints: Sequence[str | None]) -> str:
    """Why two runs' images cannot be compared one by one; "" if they can.

    Args:
        prints: the fingerprint of each run's test split; None: it recorded none.
    """
    for name, one in zip(names, pair, strict=True):
        if one is None:
            return f"{name} kept nothing of its single test images; python -m vggexp evaluate {name} writes it"
    first, second = (one for one in pair if one is not None)
    if list(first["diagnostics"]) != list(second["diagnostics"]):
        kinds = [" and ".join(one["diagnostics"]) for one in (first, second)]
        return f"{names[0]} predicts {kinds[0]}, {names[1]} {kinds[1]}"
    for field in ("classes", "mask_classes"):
        if first.get(field) != second.get(field):
            return f"they have other {field.replace('_', ' ')}"
    if first["index"] != second["index"] or (None not in prints and prints[0] != prints[1]):
        return "they were tested on other images, or on images of another size"
    return ""
