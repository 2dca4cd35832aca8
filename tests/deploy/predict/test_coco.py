"""Boxes as COCO's own tools read them."""

import json
from pathlib import Path
from typing import Any

import pytest

from vggexp.deploy.predict.coco import coco

ROWS: list[dict[str, Any]] = [
    {"file": "a.jpg", "width": 200, "height": 100, "class": "dog", "probability": {"cat": 0.25, "dog": 0.75},
     "box_pixels": [20.0, 10.0, 120.0, 60.0]},
    {"file": "b.jpg", "width": 50, "height": 50, "class": "cat", "probability": {"cat": 1.0, "dog": 0.0}},
]  # fmt: skip


def test_a_box_by_hand() -> None:
    content = coco(ROWS, ("cat", "dog"))
    assert [image["file_name"] for image in content["images"]] == ["a.jpg", "b.jpg"]
    assert content["categories"] == [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
    (box,) = content["annotations"]
    assert (box["bbox"], box["area"], box["category_id"], box["score"]) == ([20, 10, 100, 50], 5000, 2, 0.75)


def test_without_a_class_the_category_is_object() -> None:
    content = coco(
        [{key: value for key, value in ROWS[0].items() if key not in ("class", "probability")}], ("cat", "dog")
    )
    assert content["categories"] == [{"id": 1, "name": "object"}]
    assert (content["annotations"][0]["category_id"], content["annotations"][0]["score"]) == (1, 1.0)


def test_pycocotools_reads_it_as_a_data_set_and_as_results() -> None:
    tools = pytest.importorskip("pycocotools.coco", reason="COCO's own tools")
    evaluation = pytest.importorskip("pycocotools.cocoeval")
    Path("coco.json").write_text(json.dumps(coco(ROWS, ("cat", "dog"))))
    truth = tools.COCO("coco.json")
    assert truth.loadCats(truth.getCatIds()) == [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
    score = evaluation.COCOeval(truth, truth.loadRes(truth.dataset["annotations"]), "bbox")
    score.evaluate()
    score.accumulate()
    score.summarize()
    assert score.stats[0] == pytest.approx(1)  # the same boxes as truth and as results: average precision 1
