"""What is stored of an example image's objects, and what the page and W&B make of it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from vggexp.logger.wandb_objects import object_boxes, object_masks
from vggexp.report import object_layers as page
from vggexp.task.diagnostics.object_layers import write_objects
from vggexp.task.drawing import STATUS
from vggexp.types import Objects

SIZE, PIXELS = (60, 30), (20, 40)  # (width, height) of the picture, (H, W) of the image


def filled(edges: torch.Tensor) -> torch.Tensor:
    masks = torch.zeros(len(edges), *PIXELS, dtype=torch.uint8)
    for mask, (left, top, right, bottom) in zip(masks, edges.int().tolist(), strict=True):
        mask[top:bottom, left:right] = 1
    return masks


@pytest.fixture
def record(tmp_path: Path) -> dict[str, Any]:
    truth = torch.tensor([[0.0, 0, 20, 20], [30, 0, 40, 10]])
    guess = torch.tensor([[0.0, 0, 20, 20], [20, 10, 30, 20], [30, 0, 40, 10]])
    actual = Objects(truth, torch.tensor([1, 0]), filled(truth))
    found = Objects(guess, torch.tensor([1, 0, 0]), filled(guess), scores=torch.tensor([0.9, 0.6, 0.4]))
    return write_objects(3, {"objects": actual}, {"objects": found}, SIZE, tmp_path, PIXELS)


def test_each_object_has_its_status_and_those_that_are_not_sure_are_left_out(record: dict[str, Any]) -> None:
    assert record["truth"]["objects"] == [
        {"box": [0.0, 0.0, 1.0, 0.5], "label": 1, "status": "matched"},
        {"box": [0.75, 0.0, 0.5, 0.25], "label": 0, "status": "missed"},
    ]
    assert [(one["status"], one["score"]) for one in record["prediction"]["objects"]] == [
        ("matched", 0.9),
        ("false", 0.6),
    ]


def test_the_masks_keep_the_objects_apart_in_the_colours_of_their_status(
    record: dict[str, Any], tmp_path: Path
) -> None:
    with Image.open(tmp_path / record["prediction"]["object_mask"]) as picture:
        assert (picture.mode, picture.size, picture.info["transparency"]) == ("P", SIZE, 0)
        pixels, colours = np.asarray(picture), picture.getpalette() or []
    assert [pixels[5, 5], pixels[25, 40], pixels[5, 55]] == [1, 2, 0]
    assert [tuple(colours[3 * place : 3 * place + 3]) for place in (1, 2)] == [STATUS["matched"], STATUS["false"]]
    found = object_masks(record["prediction"], pixels, ["cat", "dog"])
    assert (found["mask_data"][5, 5], found["mask_data"][25, 40]) == (2, 1)
    assert found["class_labels"] == {0: "no object", 1: "cat", 2: "dog"}


def test_the_page_has_the_same_colours_and_says_how_many(record: dict[str, Any]) -> None:
    assert {word: "#{:02x}{:02x}{:02x}".format(*colour) for word, colour in STATUS.items()} == page.COLOURS
    shown = page.boxes(record["prediction"], SIZE, ["cat", "dog"])
    assert shown[1] == {"shape": [30.0, 15.0, 15.0, 15.0], "colour": page.COLOURS["false"], "title": "cat 60%, false"}
    assert (page.text(record["truth"]), page.text({"objects": []})) == ("1 found, 1 missed", "none")
    assert [word for word, _ in page.legend([record])] == ["found", "missed", "false"]
    assert page.legend([{"truth": {"label": 1}, "prediction": {}}]) == []


def test_wandb_boxes_lie_in_the_image(record: dict[str, Any]) -> None:
    found = object_boxes(record, "truth", ["cat", "dog"])
    assert found["box_data"][1]["position"] == {"minX": 0.75, "minY": 0.0, "maxX": 1.0, "maxY": 0.5}
    assert "scores" not in found["box_data"][1]


def test_of_an_image_without_objects_nothing_is_stored(tmp_path: Path) -> None:
    nothing = Objects(torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64), torch.zeros(0, *PIXELS, dtype=torch.uint8))
    found = Objects(nothing.boxes, nothing.labels, nothing.masks, scores=torch.zeros(0))
    record = write_objects(0, {"objects": nothing}, {"objects": found}, SIZE, tmp_path, PIXELS)
    assert record["truth"]["objects"] == record["prediction"]["objects"] == []
    with Image.open(tmp_path / record["truth"]["object_mask"]) as picture:
        assert not np.asarray(picture).any()
