import torch
from torch.nn import functional

from vggexp.loss.binary_cross_entropy import BinaryCrossEntropy
from vggexp.loss.focal import Focal
from vggexp.types import VOID


def test_by_hand() -> None:
    torch.manual_seed(0)
    logits, mask = torch.randn(2, 3, 4, 4), torch.randint(0, 3, (2, 4, 4), dtype=torch.uint8)
    mask[0, 0] = VOID
    x = logits.movedim(1, -1)[mask != VOID]
    truth = functional.one_hot(mask[mask != VOID].long(), 3).float()
    cross = functional.binary_cross_entropy_with_logits(x, truth, reduction="none")
    p = torch.where(truth == 1, x.sigmoid(), 1 - x.sigmoid())
    torch.testing.assert_close(Focal(gamma=1.5)(logits, mask), ((1 - p) ** 1.5 * cross).mean())
    side = torch.where(truth == 1, 0.25, 0.75)
    torch.testing.assert_close(Focal(gamma=0.0, alpha=0.25)(logits, mask), (side * cross).mean())


def test_of_several_labels_is_binary_cross_entropy_at_gamma_0() -> None:
    logits = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([[1, 0, 1], [0, 0, 0], [1, 1, 1], [0, 1, 0]], dtype=torch.uint8)
    torch.testing.assert_close(Focal(gamma=0.0)(logits, labels), BinaryCrossEntropy()(logits, labels))
