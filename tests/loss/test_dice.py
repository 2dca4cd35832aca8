import pytest
import torch

from vggexp.loss.dice import Dice
from vggexp.types import VOID


def test_by_hand() -> None:
    torch.manual_seed(0)
    logits, mask = torch.randn(2, 3, 4, 4), torch.randint(0, 2, (2, 4, 4), dtype=torch.uint8)
    mask[0, 0] = VOID
    share = logits.softmax(1).movedim(1, 0)[:, mask != VOID]
    scores = []
    for c in range(2):  # class 2 is absent: it adds nothing and still divides
        truth = (mask[mask != VOID] == c).float()
        scores.append(1 - 2 * (share[c] * truth).sum() / (share[c].sum() + truth.sum()))
    assert float(Dice()(logits, mask)) == pytest.approx(float(sum(scores)) / 3, rel=1e-5)


def test_log() -> None:
    logits, mask = torch.randn(1, 2, 4, 4), torch.zeros(1, 4, 4, dtype=torch.uint8)
    plain, log = Dice()(logits, mask), Dice(log=True)(logits, mask)
    torch.testing.assert_close(log, -(1 - 2 * plain).log() / 2)
