"""A prediction in JSON's types."""

import json

import pytest
import torch

from vggexp.deploy.predict.row import describe
from vggexp.types import VOID, DataInfo

INFO = DataInfo(("cat", "dog"), ("ground", "cat", "dog"))


def test_a_row_by_hand() -> None:
    mask = torch.tensor([[0, 1, 1, VOID], [0, 2, 2, VOID]], dtype=torch.uint8)
    row = describe(
        {
            "label": torch.tensor(1),
            "probability": torch.tensor([0.25, 0.75]),
            "box": torch.tensor([0.5, 0.25, 0.5, 0.75]),
            "mask": mask,
        },
        INFO,
        (100, 200),
    )
    assert row["class"] == "dog"
    assert row["probability"] == {"cat": 0.25, "dog": 0.75}
    assert row["box"] == [0.5, 0.25, 0.5, 0.75]
    assert row["box_pixels"] == [100, 25, 200, 75]  # x + w is beyond the photo, which is 200 wide
    assert row["share"] == {name: pytest.approx(1 / 3, abs=1e-5) for name in INFO.mask_classes}
    assert json.loads(json.dumps(row)) == row


def test_one_box_a_class_is_named_by_class() -> None:
    row = describe({"box_per_class": torch.tensor([[0.0, 0, 1, 1], [0, 0, 0.5, 0.5]])}, INFO, (10, 10))
    assert row == {"box_per_class": {"cat": [0, 0, 1, 1], "dog": [0, 0, 0.5, 0.5]}}
