"""The same objects, written in several formats, give the same samples."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from vggexp.data.csv import csv
from vggexp.data.yolo import yolo
from vggexp.sample.record.photos import Photos

BOXES = {"a": (4, 6, 20, 18), "b": (0, 0, 10, 30), "c": (13, 7, 64, 48), "d": (30, 20, 41, 47)}
"""By photo, the edges of its largest object."""
SMALL = (1, 1, 3, 4)
WIDTH, HEIGHT = 64, 48
NEEDS = frozenset({"label", "box"})


def objects(name: str) -> list[tuple[str, tuple[int, ...]]]:
    return [("cat", SMALL), ("dog" if name in "ac" else "cat", BOXES[name])]


def photos(root: Path, ending: str = ".png", folder: str = "images") -> Path:
    (root / folder).mkdir(parents=True)
    for number, name in enumerate(BOXES):
        pixels = np.random.default_rng(number).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
        Image.fromarray(pixels).save(root / folder / f"{name}{ending}")
    return root


def edges_in_pixels(root: Path) -> Photos:
    rows = [f"images/{name}.png,{label},{','.join(map(str, box))}" for name in BOXES for label, box in objects(name)]
    (photos(root) / "labels.csv").write_text("\n".join(["filename,class,xmin,ymin,xmax,ymax", *rows]))
    return csv(str(root), split={"val": 0, "test": 0})


def sides_in_shares(root: Path) -> Photos:
    rows = []
    for name in BOXES:
        for label, (left, top, right, bottom) in objects(name):
            sides = left / WIDTH, top / HEIGHT, (right - left) / WIDTH, (bottom - top) / HEIGHT
            rows.append(";".join([name, label, *(f"{side:.9f}".replace(".", ",") for side in sides)]))
    (photos(root) / "labels.csv").write_text("\n".join(["image_id;label;x;y;w;h", *rows]))
    return csv(str(root), split={"val": 0, "test": 0})


def centres_in_shares(root: Path) -> Photos:
    photos(root)
    (root / "labels").mkdir()
    (root / "data.yaml").write_text("{names: [cat, dog], train: images}")
    for name in BOXES:
        rows = []
        for label, (left, top, right, bottom) in objects(name):
            middle = (left + right) / 2 / WIDTH, (top + bottom) / 2 / HEIGHT
            sides = (right - left) / WIDTH, (bottom - top) / HEIGHT
            rows.append(" ".join([str(["cat", "dog"].index(label)), *(f"{share:.9f}" for share in (*middle, *sides))]))
        (root / "labels" / f"{name}.txt").write_text("\n".join(rows))
    return yolo(str(root), split={"val": 0})


def outlines_in_shares(root: Path) -> Photos:
    centres_in_shares(root)
    for name in BOXES:
        rows = []
        for label, (left, top, right, bottom) in objects(name):
            corners = (left, top), (right, top), (right, bottom), (left, bottom)
            shares = [f"{x / WIDTH:.9f} {y / HEIGHT:.9f}" for x, y in corners]
            rows.append(" ".join([str(["cat", "dog"].index(label)), *shares]))
        (root / "labels" / f"{name}.txt").write_text("\n".join(rows))
    return yolo(str(root), split={"val": 0})


@pytest.mark.parametrize("write", [sides_in_shares, centres_in_shares, outlines_in_shares])
def test_equal_samples(write: object, tmp_path: Path) -> None:
    reference, other = edges_in_pixels(tmp_path / "reference"), write(tmp_path / "other")  # type: ignore[operator]
    assert other.info.classes == reference.info.classes == ("cat", "dog")
    expected, found = reference.split("train", NEEDS), other.split("train", NEEDS)
    assert len(found) == len(expected) == 4
    for index in range(4):
        assert found[index].keys() == expected[index].keys()
        for key, value in expected[index].items():
            torch.testing.assert_close(found[index][key], value, rtol=0, atol=1e-6)  # type: ignore[literal-required]
