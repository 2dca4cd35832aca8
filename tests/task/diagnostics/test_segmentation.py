import math

import pytest
import torch
from sklearn.metrics import confusion_matrix, f1_score, jaccard_score

from vggexp.task.diagnostics.segmentation import diagnostics, rows
from vggexp.types import VOID


def test_each_image_and_all_together_agree_with_sklearn() -> None:
    generator = torch.Generator().manual_seed(0)
    truth, guess = torch.randint(0, 3, (2, 4, 8, 8), generator=generator, dtype=torch.uint8)
    truth[:, 0], truth[3] = VOID, VOID
    kept = rows({"mask": guess}, {"mask": truth}, num_classes=3)
    for place in range(3):
        pixels = truth[place] != VOID
        pair = truth[place][pixels], guess[place][pixels]
        assert kept["score"][place].item() == pytest.approx(jaccard_score(*pair, average="macro"))
        assert kept["dice"][place].item() == pytest.approx(f1_score(*pair, average="macro"))
    assert math.isnan(kept["score"][3])  # nothing but void
    found = diagnostics(kept, ("a", "b", "c"))
    pixels = truth != VOID
    assert found["confusion"] == confusion_matrix(truth[pixels], guess[pixels]).tolist()
