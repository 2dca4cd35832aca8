"""VOC's rule: of a class that a photo shows in difficult objects alone, nobody asks whether it shows it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from vggexp.data.voc import voc
from vggexp.loss.binary_cross_entropy import BinaryCrossEntropy
from vggexp.task.diagnostics import multilabel
from vggexp.task.metric.multilabel import MultilabelMetrics
from vggexp.types import VOID, Batch

TRUTH = torch.tensor([[1, 0], [VOID, 1], [0, 1], [1, VOID]], dtype=torch.uint8)
PROBABILITY = torch.tensor([[0.9, 0.2], [0.95, 0.8], [0.3, 0.1], [0.2, 0.99]])


def test_the_label_of_a_difficult_object_alone_is_void(tmp_path: Path) -> None:
    for folder in ("JPEGImages", "Annotations"):
        (tmp_path / folder).mkdir()
    box = "<bndbox><xmin>2</xmin><ymin>2</ymin><xmax>9</xmax><ymax>9</ymax></bndbox>"
    for number, marks in enumerate([[("cat", 1)], [("cat", 1), ("cat", 0)], [("dog", 0)]]):
        Image.fromarray(np.full((24, 32, 3), number, np.uint8)).save(tmp_path / "JPEGImages" / f"{number}.jpg")
        objects = "".join(f"<object><name>{n}</name><difficult>{d}</difficult>{box}</object>" for n, d in marks)
        (tmp_path / "Annotations" / f"{number}.xml").write_text(f"<annotation>{objects}</annotation>")

    def labels(difficult: bool) -> dict[str, list[int]]:
        data = voc(str(tmp_path), split={"val": 0, "test": 0}, difficult=difficult)
        split, needs = data.split("train", frozenset({"labels"})), frozenset({"labels"})
        names = [record.image.stem for record in data.photos("train", needs)[0]]
        return {name: split[place]["labels"].tolist() for place, name in enumerate(names)}

    assert labels(False) == {"0": [VOID, 0], "1": [1, 0], "2": [0, 1]}
    assert labels(True) == {"0": [1, 0], "1": [1, 0], "2": [0, 1]}


def test_it_counts_neither_in_the_loss_nor_in_the_scores() -> None:
    outputs = PROBABILITY.logit()
    known = TRUTH != VOID
    expected = torch.nn.functional.binary_cross_entropy(PROBABILITY[known], TRUTH[known].float())
    torch.testing.assert_close(BinaryCrossEntropy()(outputs, TRUTH), expected)
    metrics, prediction = (
        MultilabelMetrics(["cat", "dog"]),
        {"labels": (PROBABILITY > 0.5).byte(), "probability": PROBABILITY},
    )
    batch: Batch = {"labels": TRUTH, "index": torch.arange(4)}
    metrics.update(prediction, batch)
    scores = metrics.compute()
    # cat: 0.9 true, 0.3 false, 0.2 true: (1 + 2/3) / 2; dog: 0.8 true, 0.2 false, 0.1 true: the same.
    assert scores["ap/cat"] == pytest.approx(5 / 6)
    assert scores["ap/dog"] == pytest.approx(5 / 6)
    assert scores["f1"] == pytest.approx(2 / 3)  # one of two found, none false
    rows = multilabel.rows(prediction, batch)
    assert rows["score"].tolist() == pytest.approx([1.0, 1.0, 0.0, 0.0])
    by_class = multilabel.diagnostics(rows, ["cat", "dog"])["by_class"]
    assert [(row["shown"], row["predicted"], row["recall"]) for row in by_class] == [(2, 1, 0.5), (2, 1, 0.5)]
