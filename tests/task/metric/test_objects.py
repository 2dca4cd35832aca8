"""Scores of objects against pycocotools and a plain reading of VOC's rules."""

import contextlib
import io
import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.ops import box_iou

from vggexp.errors import ConfigError, DivergedError
from vggexp.task.metric import scored
from vggexp.task.metric.objects import ObjectMetrics
from vggexp.types import ObjectList, Objects

NAMES = ("cat", "dog", "cow")
SIDE = 120
COCO = (
    "map", "map_50", "map_75", "map_small", "map_medium", "map_large", "ar_1", "ar_10", "ar_100", "ar_small",
    "ar_medium", "ar_large",
)  # fmt: skip
"""In the order of pycocotools' ``stats``."""

Pair = tuple[Objects, Objects]
"""An image's true and predicted objects."""


def boxes(generator: torch.Generator, count: int) -> torch.Tensor:
    corner = torch.rand(count, 2, generator=generator) * SIDE * 0.7
    size = 4 + torch.rand(count, 2, generator=generator) ** 2 * SIDE
    return torch.cat((corner, (corner + size).clamp(max=SIDE)), 1).round()


def filled(edges: torch.Tensor) -> torch.Tensor:
    """The masks of boxes with a corner cut off, so that their IoU is not the boxes'."""
    masks = torch.zeros(len(edges), SIDE, SIDE, dtype=torch.uint8)
    for mask, (left, top, right, bottom) in zip(masks, edges.round().int().tolist(), strict=True):
        mask[top:bottom, left:right] = 1
        mask[top : (top + bottom) // 2, left : (left + right) // 2] = 0
    return masks


def image(generator: torch.Generator, masks: bool = False, crowds: bool = False) -> Pair:
    """Up to six objects; of each a prediction near it or none, some of another class, and some of nothing."""
    count = int(torch.randint(0, 7, (1,), generator=generator))
    edges = boxes(generator, count)
    labels = torch.randint(0, 3, (count,), generator=generator)
    crowd, difficult = (torch.rand(2, count, generator=generator) < 0.2) if crowds else (None, None)
    near = edges + torch.randn(edges.shape, generator=generator) * torch.rand(count, 1, generator=generator) * 9
    twice = torch.cat((near, edges[: count // 2], boxes(generator, 3))).round()
    twice = torch.cat((twice[:, :2], torch.maximum(twice[:, 2:], twice[:, :2] + 1)), 1).clamp(0, SIDE)
    kinds = torch.cat((labels, labels[: count // 2], torch.randint(0, 3, (3,), generator=generator)))
    other = torch.rand(len(kinds), generator=generator) < 0.2
    kinds = torch.where(other, (kinds + 1) % 3, kinds)
    score = (torch.rand(len(kinds), generator=generator) * 20).round() / 20  # some are equal
    order = score.argsort(descending=True, stable=True)
    truth = Objects(edges, labels, filled(edges) if masks else None, crowd, difficult)
    found = Objects(twice[order], kinds[order], filled(twice[order]) if masks else None, scores=score[order])
    return truth, found


def images(seed: int, count: int = 12, masks: bool = False, crowds: bool = False) -> list[Pair]:
    generator = torch.Generator().manual_seed(seed)
    return [image(generator, masks, crowds) for _ in range(count)]


def scores(pairs: list[Pair], masks: bool = False, batch: int = 4) -> dict[str, float]:
    metrics = ObjectMetrics(NAMES, masks)
    for start in range(0, len(pairs), batch):
        add(metrics, pairs, list(range(start, min(start + batch, len(pairs)))))
    return {name: float(value) for name, value in metrics.compute().items()}


def add(metrics: ObjectMetrics, pairs: list[Pair], places: list[int]) -> None:
    truth, found = (ObjectList(pairs[place][which] for place in places) for which in (0, 1))
    metrics.update({"objects": found}, {"index": torch.tensor(places), "objects": truth})


def by_pycocotools(pairs: list[Pair], kind: str) -> list[float]:
    from pycocotools import coco, mask
    from pycocotools.cocoeval import COCOeval

    def notes(which: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for place, pair in enumerate(pairs):
            one = pair[which]
            for row in range(len(one)):
                left, top, right, bottom = one.boxes[row].tolist()
                note = {
                    "id": len(found) + 1, "image_id": place, "category_id": int(one.labels[row]),
                    "bbox": [left, top, right - left, bottom - top], "area": (right - left) * (bottom - top),
                    "iscrowd": int(not one.counted()[row]), "score": 0.0 if which == 0 else float(one.scores[row]),
                }  # fmt: skip
                if one.masks is not None:
                    note["segmentation"] = mask.encode(np.asfortranarray(one.masks[row].numpy()))
                    if kind == "segm" or which == 0:
                        note["area"] = int(one.masks[row].sum())
                found.append(note)
        return found

    both = []
    with contextlib.redirect_stdout(io.StringIO()):
        for which in (0, 1):
            files = coco.COCO()
            files.dataset = {
                "images": [{"id": place, "height": SIDE, "width": SIDE} for place in range(len(pairs))],
                "annotations": notes(which),
                "categories": [{"id": label} for label in range(3)],
            }
            files.createIndex()
            both.append(files)
        done = COCOeval(*both, kind)
        done.evaluate()
        done.accumulate()
        done.summarize()
    return [math.nan if value == -1 else float(value) for value in done.stats]


def same(found: dict[str, float], expected: list[float], prefix: str = "") -> None:
    assert [found[prefix + name] for name in COCO] == pytest.approx(expected, abs=1e-6, nan_ok=True)


@pytest.mark.parametrize("crowds", [False, True])
def test_boxes_score_as_pycocotools_says(crowds: bool) -> None:
    for seed in range(4):
        pairs = images(seed, crowds=crowds)
        same(scores(pairs), by_pycocotools(pairs, "bbox"))


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**31), count=st.integers(1, 5), crowds=st.booleans())
def test_any_few_images_score_as_pycocotools_says(seed: int, count: int, crowds: bool) -> None:
    pairs = images(seed, count, masks=True, crowds=crowds)
    found = scores(pairs, masks=True)
    same(found, by_pycocotools(pairs, "bbox"))
    same(found, by_pycocotools(pairs, "segm"), "segm_")


@pytest.mark.parametrize("label", range(3))
def test_a_class_scores_as_pycocotools_says_of_it_alone(label: int) -> None:
    pairs = images(3)
    expected = by_pycocotools([(t[t.labels == label], g[g.labels == label]) for t, g in pairs], "bbox")
    found = scores(pairs)
    assert (found[f"ap/{NAMES[label]}"], found[f"ap_50/{NAMES[label]}"]) == pytest.approx(expected[:2], abs=1e-6)


def voc_as_written(pairs: list[Pair], label: int, eleven: bool) -> float:
    """The devkit's loop: from the highest score down, the best overlap decides; a found object is found once."""
    ranked = sorted(
        ((-float(found.scores[row]), place, row) for place, (_, found) in enumerate(pairs)
         for row in range(len(found)) if found.labels[row] == label),
        key=lambda one: one[0],
    )  # fmt: skip
    used: set[tuple[int, int]] = set()
    hits: list[bool] = []
    for _, place, row in ranked:
        truth, found = pairs[place]
        rows = [one for one in range(len(truth)) if truth.labels[one] == label]
        overlap = [float(box_iou(found.boxes[row][None].double(), truth.boxes[one][None].double())) for one in rows]
        best = max(range(len(rows)), key=overlap.__getitem__, default=None)
        if best is not None and overlap[best] >= 0.5:
            if truth.difficult is not None and truth.difficult[rows[best]]:
                continue
            hits.append((place, rows[best]) not in used)
            used.add((place, rows[best]))
        else:
            hits.append(False)
    total = sum(
        int(truth.labels[one]) == label and not (truth.difficult is not None and bool(truth.difficult[one]))
        for truth, _ in pairs for one in range(len(truth))
    )  # fmt: skip
    if not total:
        return math.nan
    tp = np.cumsum(hits)
    recall, precision = tp / total, tp / np.arange(1, len(tp) + 1)
    if eleven:
        return sum(max(precision[recall >= t - 1e-9], default=0.0) for t in np.linspace(0, 1, 11)) / 11
    edges = np.concatenate(([0.0], recall, [1.0]))
    heights = np.concatenate(([0.0], precision, [0.0]))
    for place in range(len(heights) - 1, 0, -1):
        heights[place - 1] = max(heights[place - 1], heights[place])
    return float(((edges[1:] - edges[:-1]) * heights[1:]).sum())


@pytest.mark.parametrize("seed", range(4))
def test_voc_scores_as_its_rules_say(seed: int) -> None:
    pairs = images(seed, crowds=True)
    pairs = [(Objects(one.boxes, one.labels, difficult=one.difficult), found) for one, found in pairs]
    found = scores(pairs)
    for name, eleven in (("voc_ap", False), ("voc_ap_11", True)):
        expected = np.nanmean([voc_as_written(pairs, label, eleven) for label in range(3)])
        assert found[name] == pytest.approx(expected, abs=1e-6)


def objects(*rows: tuple[float, ...], **more: Any) -> Objects:
    """Rows (left, top, right, bottom, label) or, of predictions, (..., label, score)."""
    table = torch.tensor(rows) if rows else torch.zeros(0, 6)
    if table.shape[1] == 6:
        more["scores"] = table[:, 5]
    return Objects(table[:, :4], table[:, 4].long(), **more)


def test_iou_dice_and_panoptic_quality_of_a_case_by_hand() -> None:
    truth = objects((0, 0, 10, 10, 0), (20, 0, 30, 10, 0), (40, 0, 50, 10, 1))
    guess = objects((0, 0, 10, 8, 0, 0.9), (60, 0, 70, 10, 1, 0.8), (40, 0, 50, 10, 2, 0.7), (20, 0, 30, 10, 0, 0.4))
    found = scores([(truth, guess)])
    # Found with a score of at least 0.5: the first alone, at an IoU of 0.8. Class 0: 1 right, 1 missed; class 1: one
    # missed, one false; class 2: one false.
    assert found["object_iou"] == pytest.approx(0.8)
    assert found["object_dice"] == pytest.approx(1.6 / 1.8)
    assert found["rq"] == pytest.approx((1 / 1.5 + 0 + 0) / 3)
    assert found["pq"] == pytest.approx((0.8 / 1.5 + 0 + 0) / 3)


def test_of_masks_the_masks_overlap_counts() -> None:
    edges = torch.tensor([[0.0, 0, 40, 40]])
    masks = torch.zeros(2, 1, SIDE, SIDE, dtype=torch.uint8)
    masks[0, 0, :40, :40], masks[1, 0, :40, :24] = 1, 1
    truth, guess = Objects(edges, torch.tensor([1]), masks[0]), Objects(edges, torch.tensor([1]), masks[1])
    guess = Objects(guess.boxes, guess.labels, guess.masks, scores=torch.tensor([0.9]))
    found = scores([(truth, guess)], masks=True)
    assert (found["map"], found["map_75"], found["segm_map_75"]) == (1, 1, 0)
    assert found["segm_map_50"] == found["segm_voc_ap"] == 1
    assert (found["object_iou"], found["object_dice"]) == pytest.approx((0.6, 0.75))


def test_without_an_object_nothing_has_a_score() -> None:
    nothing = [(objects(), objects((0, 0, 9, 9, 0, 0.9))), (objects(), objects())]
    found = scores(nothing)
    assert len(found) == 12 + 2 * 3 + 2 + 4
    assert all(map(math.isnan, found.values()))
    assert all(map(math.isnan, scores([]).values()))


def test_a_class_without_an_object_has_no_score_and_objects_without_predictions_score_zero() -> None:
    found = scores([(objects((0, 0, 9, 9, 1)), objects())])
    assert (found["map"], found["voc_ap"], found["object_iou"], found["pq"], found["ap/dog"]) == (0, 0, 0, 0, 0)
    assert math.isnan(found["ap/cat"])


def test_boxes_without_area_find_nothing_and_do_no_harm() -> None:
    found = scores(
        [(objects((5, 5, 5, 9, 0), (20, 0, 30, 10, 0)), objects((5, 5, 5, 9, 0, 1.0), (20, 0, 30, 10, 0, 0.9)))]
    )
    assert found["object_iou"] == 1
    assert 0 < found["map"] < 1


def test_neither_the_batches_nor_their_order_change_a_score() -> None:
    pairs = images(5, masks=True, crowds=True)
    whole, parts = scores(pairs, masks=True, batch=12), ObjectMetrics(NAMES, masks=True)
    for places in ([7, 8, 9, 10, 11], [3], [0, 1, 2], [4, 5, 6]):
        add(parts, pairs, places)
    assert {name: float(value) for name, value in parts.compute().items()} == pytest.approx(whole, nan_ok=True, abs=0)
    parts.reset()
    assert math.isnan(float(parts.compute()["map"]))


@pytest.mark.parametrize(("row", "what"), [((math.nan, 0, 9, 9, 0, 0.9), "box"), ((0, 0, 9, 9, 0, math.nan), "score")])
def test_a_number_that_is_none_ends_the_scoring_with_a_line(row: tuple[float, ...], what: str) -> None:
    with pytest.raises(DivergedError, match=f"a predicted {what} of image 0 is not finite"):
        scores([(objects((0, 0, 9, 9, 0)), objects(row))])


def test_without_the_package_a_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "faster_coco_eval", None)
    with pytest.raises(ConfigError, match=r"pip install 'vggexp\[detection\]'"):
        ObjectMetrics(NAMES, masks=False)
    assert scored.backend.__doc__
