"""What a resize mode shows of a photo is what ``Transform`` shows; and what it cuts away is told before training."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from vggexp.data.csv import csv
from vggexp.errors import DataError
from vggexp.sample.open_check import check_crop
from vggexp.sample.transform import Transform
from vggexp.sample.window import Window
from vggexp.types import Objects

SIDE = st.integers(40, 90)
ALL = {"val": 0, "test": 0}


@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(SIDE, SIDE, SIDE, SIDE, st.sampled_from(["squash", "letterbox", "crop"]), st.integers(0, 30), st.integers(0, 30))
def test_the_window_agrees_with_what_becomes_of_a_box(
    height: int, width: int, rows: int, columns: int, resize: str, left: int, top: int
) -> None:
    box = [float(left), float(top), float(left + 9), float(top + 7)]
    objects = Objects(torch.tensor([box]), torch.tensor([0]), crowd=torch.tensor([True]))  # stays while any is in sight
    transform = Transform([{"Fit": {"size": [rows, columns], "mode": resize}}])
    found = transform(torch.zeros(3, height, width, dtype=torch.uint8), index=0, objects=objects)["objects"]
    window = Window.of((height, width), (rows, columns), resize)
    share = window.share(*box)
    area = float((found.boxes[:, 2:] - found.boxes[:, :2]).prod(1).sum())
    whole = 9 * 7 * window.scale[0] * window.scale[1]
    assert abs(share - area / whole) < 0.15  # sides are rounded to whole pixels


def table(root: Path, *boxes: tuple[int, ...]) -> Path:
    Image.fromarray(np.zeros((48, 96, 3), np.uint8)).save(root / "1.png")
    rows = [f"1.png,cat,{','.join(map(str, box))}" for box in boxes]
    (root / "labels.csv").write_text("\n".join(["filename,class,xmin,ymin,xmax,ymax", *rows]))
    return root


def test_what_a_crop_cuts_away_is_told_before_training(tmp_path: Path) -> None:
    root = str(table(tmp_path, (0, 0, 20, 20), (30, 10, 60, 40), (60, 10, 80, 40)))  # the crop shows 24 to 72
    objects = csv(root, split=ALL).split("train", frozenset({"objects"}))
    line = check_crop(objects, "val", (32, 32), objects=True)
    assert line.startswith(
        "data.resize=crop leaves out 1 of 3 objects of val, of which less than 30% is in sight; keep"
    )
    box = csv(root, split=ALL).split("train", frozenset({"box"}))
    assert check_crop(box, "val", (32, 32), objects=False) == ""
    single = csv(str(table(tmp_path, (0, 0, 20, 20))), split=ALL).split("train", frozenset({"box"}))
    with pytest.raises(
        DataError, match=r"^data\.resize=crop cuts away 1 of 1 boxes of val, the first of .*1\.png; keep"
    ):
        check_crop(single, "val", (32, 32), objects=False)
