"""The quick parser and Python's own give the same entries, or the same words for what is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from vggexp.errors import DataError
from vggexp.sample.layout import coco_json
from vggexp.sample.layout.coco_json import read_json

pytest.importorskip("msgspec")

IMAGE = {"id": 1, "file_name": "a.jpg", "height": 12, "width": 16, "license": 3}
BOX = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1.5, 5, 5], "iscrowd": 0}
CLASS = {"id": 1, "name": "cat"}


def whole(images: Any = (IMAGE,), annotations: Any = (BOX,), categories: Any = (CLASS,), **more: Any) -> str:
    return json.dumps({"info": {"year": 1}, "images": images, "annotations": annotations, "categories": categories} | more)


def outlined(*outlines: Any) -> str:
    return whole(annotations=[BOX | {"segmentation": outline} for outline in outlines])


TEXTS = {
    "plain": whole(),
    "mark": "\ufeff" + whole(),
    "outlines": outlined([[0, 0, 9, 0, 9, 9.25]], [], None, [[1, 2]], [0, 0, 9, 0, 9, 9], 7, [["a"]]),
    "runs": outlined({"size": [3, 4], "counts": [2, 10]}, {"size": [3, 4], "counts": "a\u00e9"}, {"size": [3, 4]}),
    "letters": whole(images=[IMAGE | {"file_name": "\u732b \\ \n.jpg"}]),
    "half a letter": whole(images=[IMAGE | {"file_name": "\udc80.jpg"}]),
    "odd fields": whole(images=[IMAGE | {"id": [1], "file_name": 5, "height": "x"}]),
    "large numbers": whole(images=[IMAGE | {"id": 10**30}], annotations=[BOX | {"id": -(10**20), "image_id": 1e300}]),
    "no number": outlined([[float("nan"), 0, 9, 0, 9, 9]]),
    "infinite": whole(annotations=[BOX | {"bbox": [0, 0, float("inf"), 1]}]),
    "twice": whole().replace('"id": 1,', '"id": 7, "id": 1,'),
    "fewer fields": whole(annotations=[{"image_id": 1, "category_id": 1}]),
    "lacking": whole(annotations=[BOX, {"id": 2, "image_id": 1}]),
    "lacking too": whole(images=[IMAGE, {"id": 2}]),
    "both kinds": whole(images=[IMAGE | {"image_id": 1, "category_id": 2}]),
    "a category like an image": whole(categories=[CLASS | {"file_name": "x"}]),
    "no entry": whole(annotations=[BOX, 5]),
    "cut off": whole()[:-20],
    "more behind": whole() + "x",
    "empty": "",
    "a list": "[]",
    "lists lacking": "{}",
    "a wrong sign": whole().replace("1.5", "1.5.2"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_both_parsers_say_the_same(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(TEXTS[name].encode())
    told = []
    for quick in (True, False):
        monkeypatch.setattr(coco_json, "HAS_MSGSPEC", quick)
        try:
            told.append(repr(read_json(path)))
        except DataError as error:
            told.append(str(error))
    assert told[0] == told[1]


def test_bytes_that_are_no_text_are_told_as_before(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(whole().encode().replace(b"a.jpg", b"\xff.jpg"))
    with pytest.raises(DataError, match="no sound JSON"):
        read_json(path)


def test_that_the_quick_parser_does_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coco_json, "_read_whole", None)
    path = tmp_path / "a.json"
    path.write_text(outlined([[0, 0, 9, 0, 9, 9]]), encoding="utf-8")
    (annotation,) = read_json(path).annotations
    assert (annotation.id, annotation.bbox, annotation.crowd) == (1, [1, 1.5, 5, 5], False)
    assert [list(polygon) for polygon in annotation.shape or ()] == [[0, 0, 9, 0, 9, 9]]
