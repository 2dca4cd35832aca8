import json

import pytest
import torch

from vggexp.task.diagnostics import multilabel

TRUTH = torch.tensor([[1, 1, 0], [1, 0, 0], [0, 0, 0], [0, 1, 0]], dtype=torch.uint8)
SAID = torch.tensor([[1, 0, 0], [1, 0, 0], [0, 0, 0], [1, 0, 1]], dtype=torch.uint8)


def found() -> dict[str, torch.Tensor]:
    probability = SAID * 0.5 + 0.3
    batch, prediction = {"labels": TRUTH}, {"labels": SAID, "probability": probability}
    return multilabel.rows(prediction, batch)  # type: ignore[arg-type]


def test_an_images_score_is_the_f1_of_its_classes() -> None:
    """One of two found; right; right that there is none; two wrong and one missed."""
    torch.testing.assert_close(found()["score"], torch.tensor([2 / 3, 1.0, 1.0, 0.0]))


def test_each_class_has_a_row() -> None:
    diagnostics = multilabel.diagnostics(found(), ("cat", "dog", "eel"))
    cat, dog, eel = diagnostics["by_class"]
    assert cat == {
        "shown": 2, "predicted": 3, "precision": pytest.approx(2 / 3, abs=1e-4), "recall": 1.0, "f1": 0.8,
        "average_precision": pytest.approx(2 / 3, abs=1e-4),
    }  # fmt: skip
    assert (dog["shown"], dog["predicted"], dog["precision"], dog["recall"], dog["f1"]) == (2, 0, None, 0.0, 0.0)
    assert (eel["recall"], eel["average_precision"]) == (None, None)
    assert diagnostics["curve"][2] is None
    assert diagnostics["each"] == {
        "truth_labels": [[0, 1], [0], [], [1]], "predicted_labels": [[0], [0], [], [0, 2]],
    }  # fmt: skip
    assert json.loads(json.dumps(diagnostics)) == diagnostics
