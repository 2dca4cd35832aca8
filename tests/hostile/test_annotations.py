"""Annotations, tables, lists and masks that cannot be: each ends in one line, or is read with what is wrong told."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.hostile.conftest import ending
from vggexp.data.coco import coco
from vggexp.data.csv import csv
from vggexp.data.image_folder import image_folder
from vggexp.data.mask_folder import mask_folder
from vggexp.data.voc import voc
from vggexp.data.yolo import yolo
from vggexp.sample.data_contract import check_data
from vggexp.sample.voc_xml import read_annotation

IMAGE = {"id": 1, "file_name": "a.jpg", "height": 12, "width": 16}
BOX = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 5, 5]}
CLASS = {"id": 1, "name": "cat"}
LAUGHS = '<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><annotation>&c;</annotation>'
LEAK = '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><annotation>&b;</annotation>'


def photos(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (16, 12), (len(name), 9, 9)).save(name)


def whole(images: Any = (IMAGE,), annotations: Any = (BOX,), categories: Any = (CLASS,)) -> str:
    return json.dumps({"images": images, "annotations": annotations, "categories": categories})


def box(inner: str, name: str = "cat") -> str:
    return f"<annotation><object><name>{name}</name><bndbox>{inner}</bndbox></object></annotation>"


SIDES = "<xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax>"
JSON = {
    "empty": ("", "is no sound JSON"),
    "half": (whole()[:60], "is no sound JSON"),
    "bytes": ("\0\1", "is no sound JSON"),
    "a list": ("[]", "it is no object"),
    "deep": ("[" * 100_000, "is no sound JSON"),
    "no lists": ("{}", "lacks one of the lists"),
    "images that are a number": (whole(images=5), "lacks one of the lists"),
    "an image that is text": (whole(images=["a.jpg"]), "images[0] lacks id and file_name"),
    "an image whose id is a list": (whole(images=[{**IMAGE, "id": [1]}]), "image without an id"),
    "an image whose name is a number": (whole(images=[{**IMAGE, "file_name": 5}]), "image without an id or a"),
    "an image outside": (whole(images=[{**IMAGE, "file_name": "../../etc/passwd"}]), "leads outside the folder"),
    "an image at the root": (whole(images=[{**IMAGE, "file_name": "/etc/passwd"}]), "leads outside the folder"),
    "two of one id": (whole(images=[IMAGE, IMAGE]), "id that several images have"),
    "a category without a name": (whole(categories=[{"id": 1}]), "categories[0] lacks an id or a name"),
    "a category that is null": (whole(categories=[None]), "categories[0] lacks an id or a name"),
    "two categories of one id": (whole(categories=[CLASS, CLASS]), "two categories have the id 1"),
    "a class that is not listed": (whole(annotations=[{**BOX, "category_id": 9}]), "category that the file"),
    "a category that is a list": (whole(annotations=[{**BOX, "category_id": []}]), "category that the file"),
    "three numbers": (whole(annotations=[{**BOX, "bbox": [1, 2, 3]}]), "without four numbers"),
    "a box of text": (whole(annotations=[{**BOX, "bbox": "1234"}]), "without four numbers"),
    "a box of nulls": (whole(annotations=[{**BOX, "bbox": [None] * 4}]), "without four numbers"),
    "a box beyond floats": (whole(annotations=[{**BOX, "bbox": [1, 1, 10**400, 5]}]), "without four numbers"),
    "a box of NaN": (whole(annotations=[{**BOX, "bbox": [float("nan"), 1, 2, 3]}]), "without four numbers"),
}  # fmt: skip
ROWS = {
    "empty": ("", "no header row"),
    "no column of files": ("a,b\n1,2\n", "no column of files"),
    "too many cells": ("file,label\na.jpg,x,y\n", "has 3 cells, and the header 2"),
    "a split that is none": ("file,label,split\na.jpg,x,tset\n", "has the split 'tset'"),
    "two splits": ("file,label,split\na.jpg,x,train\na.jpg,y,val\n", "an earlier row into"),
    "a huge cell": ("file,label\na.jpg," + "x" * 200_000 + "\n", "is no row of a table"),
    "nothing but missing photos": ("file,label\nb.jpg,x\n", ""),
    "outside": ("file,label\n../../etc/passwd,x\n", ""),
    "a huge size": (f"file,label,width,height\nb.jpg,x,{'9' * 5000},{'9' * 5000}\n", ""),
    "bytes": ("\0\1\2", "no column of files"),
}
YAML = {
    "empty": ("", "names no classes"),
    "no YAML": ("names: [", "is not YAML"),
    "no date": ("names: [cat]\nx: 2001-99-99", "is not YAML"),
    "a huge number": (f"names: [cat]\nx: {'9' * 5000}", "is not YAML"),
    "deep": ("[" * 5000, "is not YAML"),
    "an object": ("names: !!python/object/apply:os.system ['touch x']", "is not YAML"),
    "names that are null": ("names:", "names no classes"),
    "no name": ("names: []", "names no classes"),
    "names that are lists": ("a: &a [x, x]\nnames: [*a, *a]", "names no classes"),
    "a name twice": ("names: [cat, cat]", "gives the name 'cat' twice"),
    "another count": ("names: [cat]\nnc: 5", "has nc: 5 and 1 names"),
    "outside": ("names: [cat]\ntrain: /etc", "is nothing below"),
    "above": ("names: [cat]\ntrain: ../../../../etc", "is nothing below"),
    "a long name": ("names: [cat]\ntrain: " + "x" * 5000, "is nothing below"),
}
XML = {
    "empty": ("", "is no VOC annotation"),
    "half": (box(SIDES.format(1, 1, 5, 5))[:40], "is no VOC annotation"),
    "laughs": (LAUGHS, "declares a document type"),
    "a leak": (LEAK, "declares a document type"),
    "an encoding": ('<?xml version="1.0" encoding="klingon"?><annotation/>', "is no VOC annotation"),
    "another root": ("<svg/>", "is <svg>, not <annotation>"),
    "no box": ("<annotation><object><name>cat</name></object></annotation>", "without <bndbox>"),
    "three sides": (box("<xmin>1</xmin><ymin>1</ymin><xmax>5</xmax>"), "is no VOC annotation"),
    "text": (box(SIDES.format("a", 1, 5, 5)), "is no VOC annotation"),
    "NaN": (box(SIDES.format("nan", 1, 5, 5)), "box without area"),
    "turned round": (box(SIDES.format(9, 9, 5, 5)), "box without area"),
    "shares": (box(SIDES.format(0.1, 0.1, 0.5, 0.5)), "look like shares"),
    "an infinite photo": (
        "<annotation><size><width>inf</width><height>5</height></size></annotation>", "a side of inf pixels"
    ),
}  # fmt: skip
LABELS = ("", "x", "0", "0 0.5", "0 a b c d", "9 .5 .5 .1 .1", "0 nan 0 0 0", "0 50 50 10 10", "-1 .5 .5 .1 .1",
          "0.5 .5 .5 .1 .1", "1e999 0 0 0 0", "\0", "0 .1 .1 .2 .2 .3", "9" * 5000)  # fmt: skip


def one_line(action: Any, message: str) -> None:
    code, errors = ending(action)
    assert (code, errors.count("\n")) == (1, 1), errors
    assert message in errors


@pytest.mark.parametrize("case", JSON)
def test_coco(case: str) -> None:
    photos("photos/a.jpg")
    content, message = JSON[case]
    Path("photos/instances.json").write_text(content)
    one_line(lambda: check_data(coco("photos")), message)


@pytest.mark.parametrize("case", ROWS)
def test_tables(case: str) -> None:
    photos("photos/a.jpg")
    content, message = ROWS[case]
    Path("photos/labels.csv").write_text(content)
    one_line(lambda: check_data(csv("photos")), message)


def test_a_table_with_the_line_ends_of_old_macs() -> None:
    photos("photos/a.jpg")
    Path("photos/labels.csv").write_bytes(b"file,label\ra.jpg,x\n")
    check_data(found := csv("photos"))
    assert found.info.classes == ("x",)


@pytest.mark.parametrize("case", YAML)
def test_yolo(case: str) -> None:
    photos("photos/images/a.jpg")
    content, message = YAML[case]
    Path("photos/data.yaml").write_text(content)
    one_line(lambda: check_data(yolo("photos", "data.yaml")), message)
    assert not Path("x").exists()


@pytest.mark.parametrize("case", XML)
def test_voc(case: str) -> None:
    """Both readers: that of Pets, which stops at once, and that of folders, which tells all problems together."""
    content, message = XML[case]
    photos("photos/a.jpg", "photos/b.jpg")
    Path("photos/a.xml").write_text(content)
    Path("photos/b.xml").write_text(box(SIDES.format(1, 1, 5, 5)))
    one_line(lambda: read_annotation(Path("photos/a.xml")), message)
    code, errors = ending(lambda: check_data(voc("photos")))
    assert code in (0, 1)  # a box that means nothing is dropped with a warning
    assert errors.count("\n") == code
    assert "ha" * 8 not in errors


def test_rows_of_labels() -> None:
    photos(*(f"photos/images/{number}.jpg" for number in range(len(LABELS) + 1)))
    Path("photos/labels").mkdir()
    for number, row in enumerate((*LABELS, "0 .5 .5 .1 .1")):
        Path(f"photos/labels/{number}.txt").write_text(row)
    Path("photos/data.yaml").write_text("names: [cat]")
    found = yolo("photos")
    check_data(found)
    assert sum(problem.what.endswith(": skipped") for problem in found.problems) >= len(LABELS) - 1
    Path("photos/labels/0.txt").write_bytes(b"\xff\xfe\x00")
    one_line(lambda: check_data(yolo("photos")), "0.txt is not UTF-8")


def test_lists_lead_nowhere_else() -> None:
    photos("photos/JPEGImages/a.jpg", "secret.jpg")
    Path("photos/Annotations").mkdir()
    Path("photos/Annotations/a.xml").write_text(box(SIDES.format(1, 1, 5, 5)))
    Path("photos/ImageSets/Main").mkdir(parents=True)
    Path("photos/ImageSets/Main/train.txt").write_text("a\n../../secret\n/etc/passwd\n\0\n" + "x" * 5000 + "\n")
    found = voc("photos")
    assert [record.name for record in found.listing.records] == ["JPEGImages/a.jpg"]
    assert len(found.problems) >= 1


def read_masks() -> None:
    data = mask_folder("photos", mask_classes=["ground", "line"], split={"val": 0, "test": 0})
    check_data(data)
    for sample in data.split("train", frozenset({"mask"})):  # type: ignore[attr-defined]
        assert sample["mask"].shape == (12, 16)


def test_masks() -> None:
    photos(*(f"photos/images/{name}.png" for name in "abc"))
    Path("photos/masks").mkdir()
    for name in "abc":
        Image.fromarray(np.eye(12, 16, dtype=np.uint8)).save(f"photos/masks/{name}.png")
    read_masks()
    for content in (b"", b"no image", Path("photos/masks/a.png").read_bytes()[:45]):
        Path("photos/masks/a.png").write_bytes(content)
        one_line(read_masks, "a.png")
    Image.new("L", (16, 12), 77).save("photos/masks/a.png")
    one_line(read_masks, "77")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"root": "nothing"}, "nothing"),
        ({"root": "file"}, "is a file"),
        ({"root": "empty"}, "no photo"),
        ({"root": "photos", "classes": ["dog"]}, "dog"),
        ({"root": "photos", "split": "file"}, "file"),
        ({"root": "photos", "split": "nothing.csv"}, "nothing.csv cannot be read"),
        ({"root": "photos", "group": "("}, "group"),
    ],
)
def test_class_folders(words: dict[str, Any], message: str) -> None:
    photos("photos/a/1.png", "photos/b/2.png")
    Path("file").write_text("x,y\n1,2\n")
    Path("empty").mkdir()
    code, errors = ending(lambda: check_data(image_folder(**words)))
    assert code in (1, 2)
    assert errors.count("\n") == 1
    assert message in errors


def test_names_that_a_spreadsheet_would_calculate() -> None:
    from vggexp.sample.record.record import Record
    from vggexp.sample.record.split_file import read_splits, splits_text

    names = ["=1+1.png", "-a.png", "'=x.png", "@b.png", "a.png", "+c.png", "'.png"]
    text = splits_text(dict.fromkeys(names, "train"))
    assert not any(line.startswith(("=", "-", "@", "+")) for line in text.splitlines())
    Path("splits.csv").write_text(text)
    splits, problems = read_splits("splits.csv", [Record(Path(name), name) for name in names])
    assert (splits, problems) == (dict.fromkeys(names, "train"), [])
