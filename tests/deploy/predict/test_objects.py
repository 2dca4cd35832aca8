"""Objects in a photo's pixels, whatever the evaluation recipe does to it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from vggexp.deploy.predict.coco import coco
from vggexp.deploy.predict.objects import above, describe_objects, save_object
from vggexp.deploy.predict.view import View
from vggexp.types import DataInfo, Objects

INFO = DataInfo(("cat", "dog"), ())
RECIPES: dict[str, list[Any]] = {
    "squash": [{"Fit": {"size": [64, 64]}}],
    "letterbox": [{"Fit": {"size": [64, 64], "mode": "letterbox"}}],
    "crop": [{"Fit": {"size": [64, 64], "mode": "crop"}}],
}


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_bright_square_comes_back_to_where_it_was(recipe: str) -> None:
    """What the network would find: the box of the bright pixels in its image."""
    photo = torch.zeros(3, 120, 200, dtype=torch.uint8)
    photo[:, 40:80, 90:150] = 255
    seen, window = View(RECIPES[recipe], (64, 64))(photo)
    bright = seen[0] > 192  # a letterbox pads with 128
    rows, columns = bright.any(1).nonzero()[:, 0], bright.any(0).nonzero()[:, 0]
    box = torch.tensor([[columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]], dtype=torch.float32)
    found = Objects(box, torch.tensor([1]), bright[None].byte(), scores=torch.tensor([0.75]))
    masks: list[torch.Tensor] = []
    (row,) = describe_objects(
        found, window, (120, 200), INFO, lambda number, mask: masks.append(mask) or f"{number}.png"
    )
    assert (row["class"], row["score"], row["mask"]) == ("dog", 0.75, "0.png")
    assert row["box_pixels"] == pytest.approx([90, 40, 150, 80], abs=4)  # a pixel of the network is 3 of the photo's
    assert masks[0].shape == (120, 200)
    assert row["pixels"] == masks[0].sum() == pytest.approx(40 * 60, rel=0.15)
    assert masks[0][60, 120] == 1
    assert row["rle"]["size"] == [120, 200]


def test_without_masks_there_is_no_word_of_any() -> None:
    _, window = View(RECIPES["squash"], (64, 64))(torch.zeros(3, 32, 32, dtype=torch.uint8))
    found = Objects(torch.tensor([[0.0, 0, 32, 64]]), torch.tensor([0]), scores=torch.tensor([0.5]))
    assert describe_objects(found, window, (32, 32), INFO) == [
        {"class": "cat", "score": 0.5, "box_pixels": [0, 0, 16, 32]}
    ]


def test_the_threshold_leaves_out_what_scores_below_it() -> None:
    found = Objects(torch.zeros(3, 4), torch.tensor([0, 1, 0]), scores=torch.tensor([0.9, 0.5, 0.1]))
    assert len(above({"objects": found}, 0.5)["objects"]) == 2
    assert len(above({"objects": found}, None)["objects"]) == 3
    assert above({"label": torch.tensor(1)}, 0.5).keys() == {"label"}


def test_a_mask_is_a_picture_of_black_and_white() -> None:
    save_object(torch.tensor([[0, 1], [1, 1]], dtype=torch.uint8), Path("x.png"))
    with Image.open("x.png") as picture:
        assert picture.mode == "1"
        assert np.array(picture).tolist() == [[False, True], [True, True]]


def test_each_object_is_an_annotation_of_coco() -> None:
    one = {
        "class": "dog",
        "score": 0.75,
        "box_pixels": [1.0, 2.0, 4.0, 6.0],
        "pixels": 9,
        "rle": {"size": [8, 8], "counts": "x"},
    }
    rows = [{"file": "a.jpg", "width": 8, "height": 8, "objects": [one, {**one, "class": "cat"}]},
            {"file": "b.jpg", "width": 8, "height": 8, "objects": []}]  # fmt: skip
    content = coco(rows, INFO.classes)
    assert [image["file_name"] for image in content["images"]] == ["a.jpg", "b.jpg"]
    assert [entry["category_id"] for entry in content["annotations"]] == [2, 1]
    assert content["annotations"][0] == {
        "id": 1, "image_id": 1, "category_id": 2, "score": 0.75, "bbox": [1, 2, 3, 4], "area": 9, "iscrowd": 0,
        "segmentation": {"size": [8, 8], "counts": "x"},
    }  # fmt: skip
