import pytest
import torch

from vggexp.loss.squared_box import SquaredBox


def test_is_the_lectures_formula_to_the_letter() -> None:
    y = torch.tensor([[0.1, 0.2, 0.3, 0.4], [0.5, 0.6, 0.7, 0.8]])
    y_hat = torch.tensor([[0.2, 0.2, 0.1, 0.4], [0.5, 0.3, 0.7, 0.4]])
    total = 0.0
    for i in range(2):
        for k in range(4):
            total += float(y[i, k] - y_hat[i, k]) ** 2
    assert float(SquaredBox()(y_hat, y)) == pytest.approx(total / (2 * 2))
    assert total / 4 == pytest.approx((0.01 + 0.04 + 0.09 + 0.16) / 4)


def test_compares_the_coordinates_as_they_are() -> None:
    y, y_hat = torch.rand(3, 4), torch.rand(3, 4)
    assert SquaredBox()(y_hat, y, "center") == SquaredBox()(y_hat, y, "corner")
