"""What became of each object and each prediction, and the kinds of error."""

from typing import Any

import numpy as np
import pytest
import torch

from vggexp.task.diagnostics import objects
from vggexp.task.diagnostics.per_image import joined
from vggexp.task.diagnostics.tide import KINDS
from vggexp.task.metric.objects import ObjectMetrics
from vggexp.task.metric.scored import of_image
from vggexp.types import ObjectList, Objects

NAMES = ("cat", "dog", "cow")


def made(*rows: tuple[float, ...], **more: Any) -> Objects:
    """Rows (left, top, right, bottom, label) or, of predictions, (..., label, score)."""
    table = torch.tensor(rows) if rows else torch.zeros(0, 6)
    if table.shape[1] == 6:
        more["scores"] = table[:, 5]
    return Objects(table[:, :4], table[:, 4].long(), **more)


def found_in(*pairs: tuple[Objects, Objects]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Rows and diagnostics of images (truth, prediction)."""
    prediction = {"objects": ObjectList(guess for _, guess in pairs)}
    rows = objects.rows(
        prediction, {"index": torch.arange(len(pairs)), "objects": ObjectList(t for t, _ in pairs)}, False
    )
    return rows, objects.diagnostics(rows, NAMES)


TRUTH = made((0, 0, 10, 10, 0), (20, 0, 30, 10, 0), (40, 0, 50, 10, 1), (60, 0, 70, 10, 1), (0, 50, 10, 60, 2))
GUESS = made(
    (0, 0, 10, 10, 0, 0.95),  # right
    (0, 0, 10, 9, 0, 0.90),  # a second time
    (20, 0, 30, 4, 0, 0.85),  # the right class, IoU 0.4
    (40, 0, 50, 10, 2, 0.80),  # another class
    (60, 0, 70, 3, 2, 0.75),  # another class, IoU 0.3
    (90, 90, 99, 99, 1, 0.70),  # nothing there
    (90, 70, 99, 80, 1, 0.30),  # nothing there, and not sure
)


def test_each_kind_of_error_once() -> None:
    _, found = found_in((TRUTH, GUESS))
    counts = {one["kind"]: one["count"] for one in found["errors"]}
    assert counts == {"localization": 1, "class": 1, "both": 1, "duplicate": 1, "background": 1, "missed": 2}
    assert found["counts"] == {"matched": 1, "missed": 4, "false": 5}
    # By hand, at 101 recalls. Class 0 of two objects: hit, false, false: 51/101. With the localization mended: hit,
    # false, hit: 1 to a recall of 0.5, 2/3 above. Mean over three classes.
    base = 51 / 101 / 3
    gains = {one["kind"]: one["ap_50"] for one in found["errors"]}
    assert found["ap_50"] == pytest.approx(base, abs=1e-4)
    assert gains["localization"] == pytest.approx((51 + 50 * 2 / 3) / 101 / 3 - base, abs=1e-4)
    # The prediction of class 2 becomes the first of class 1, of whose two objects it finds one.
    assert gains["class"] == pytest.approx(51 / 101 / 3, abs=1e-4)
    assert (gains["both"], gains["duplicate"], gains["background"]) == (0, 0, 0)
    # Both misses count no more: the object of class 2, of which false things are said, and one of class 1.
    assert gains["missed"] == 0


def test_what_nothing_finds_costs_what_it_costs() -> None:
    _, found = found_in((made((0, 0, 9, 9, 0), (20, 0, 30, 9, 0)), made((0, 0, 9, 9, 0, 0.9))))
    gains = {one["kind"]: one["ap_50"] for one in found["errors"]}
    assert gains["missed"] == pytest.approx(1 - 51 / 101, abs=1e-4)
    assert all(gains[kind] == 0 for kind in KINDS)


def test_confusions_have_a_place_for_nothing() -> None:
    _, found = found_in((TRUTH, GUESS))
    assert found["classes"] == [*NAMES, "background"]
    assert found["confusion"] == [[1, 0, 0, 1], [0, 0, 1, 1], [0, 0, 0, 1], [2, 1, 1, 0]]


def test_what_is_not_scored_is_neither_missed_nor_false() -> None:
    truth = made((0, 0, 10, 10, 0), (20, 0, 30, 10, 1), difficult=torch.tensor([True, False]))
    rows, found = found_in((truth, made((0, 0, 10, 10, 0, 0.9), (20, 0, 30, 10, 1, 0.8))))
    assert found["counts"] == {"matched": 1, "missed": 0, "false": 0}
    assert np.sum(found["confusion"]) == found["confusion"][1][1] == 1
    assert rows["score"].tolist() == [1.0]
    image = of_image(0, truth, made((0, 0, 10, 10, 0, 0.9), (50, 0, 60, 10, 1, 0.8)), masks=False)
    assert objects.statuses(image) == (["ignored", "missed"], ["ignored", "false"])


def test_the_score_of_an_image_is_its_panoptic_quality() -> None:
    half = (made((0, 0, 10, 10, 0), (20, 0, 30, 10, 1)), made((0, 0, 10, 8, 0, 0.9)))
    rows, _ = found_in(half, (made(), made()), (made(), made((0, 0, 9, 9, 0, 0.9))), (made((0, 0, 9, 9, 0)), made()))
    assert rows["score"].tolist() == pytest.approx([0.8 / 1.5, 1, 0, 0])


def many(seed: int, count: int = 20) -> list[tuple[Objects, Objects]]:
    generator = torch.Generator().manual_seed(seed)
    pairs = []
    for _ in range(count):
        corner = torch.rand(4, 2, generator=generator) * 60
        edges = torch.cat((corner, corner + 10 + torch.rand(4, 2, generator=generator) * 30), 1)
        labels = torch.randint(0, 3, (4,), generator=generator)
        near = edges + torch.randn(4, 4, generator=generator) * 3
        score = torch.rand(4, generator=generator).sort(descending=True).values
        kinds = torch.where(torch.rand(4, generator=generator) < 0.2, (labels + 1) % 3, labels)
        pairs.append((Objects(edges, labels), Objects(near, kinds, scores=score)))
    return pairs


def test_the_curves_have_the_average_precision_of_the_metrics() -> None:
    pairs = many(0)
    _, found = found_in(*pairs)
    metrics = ObjectMetrics(NAMES, masks=False)
    batch = {"index": torch.arange(len(pairs)), "objects": ObjectList(truth for truth, _ in pairs)}
    metrics.update({"objects": ObjectList(guess for _, guess in pairs)}, batch)
    scores = metrics.compute()
    for name, curve in zip(NAMES, found["curve"], strict=False):
        assert curve["average_precision"] == pytest.approx(float(scores[f"ap_50/{name}"]), abs=1e-6)
        assert curve["recall"] == sorted(curve["recall"])
    assert found["curve"][3] is None
    assert found["ap_50"] == pytest.approx(float(scores["map_50"]), abs=1e-4)


def test_parts_and_their_order_change_nothing() -> None:
    pairs = many(1, 6)
    rows, whole = found_in(*pairs)
    parts = []
    for places in ([4, 2], [5, 0, 1, 3]):
        some, _ = found_in(*(pairs[place] for place in places))
        parts.append((torch.tensor(places), {"detection": some}))
    _, again = joined(parts)
    assert objects.diagnostics(again["detection"], NAMES) == whole
    assert again["detection"]["score"].tolist() == rows["score"].tolist()


def test_a_split_without_objects() -> None:
    _, found = found_in((made(), made()))
    assert (found["ap_50"], found["curve"]) == (None, [None] * 4)
    assert found["counts"] == {"matched": 0, "missed": 0, "false": 0}
