"""mixup, beside torchvision's."""

import pytest
import torch
from torchvision.transforms import v2

from vggexp.sample.mix.mixup import MixUp


def test_a_blend_is_torchvisions_rounded(monkeypatch: pytest.MonkeyPatch) -> None:
    images, labels = torch.randint(0, 256, (6, 3, 9, 7), dtype=torch.uint8), torch.arange(6) % 4
    for seed in range(20):
        (share, own), (_, other) = MixUp(1.0)({"image": images, "label": labels}, seed)
        monkeypatch.setattr(v2.MixUp, "make_params", lambda self, _, share=share: {"lam": share})
        expected, soft = v2.MixUp(num_classes=4)(images.float(), labels)
        assert (own["image"] - expected).abs().max() <= 0.5 + 1e-4
        hot = torch.nn.functional.one_hot
        torch.testing.assert_close(share * hot(own["label"], 4) + (1 - share) * hot(other["label"], 4), soft)


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_shares_are_of_the_beta_distribution(alpha: float) -> None:
    batch = {"image": torch.zeros(2, 3, 1, 1, dtype=torch.uint8), "label": torch.zeros(2, dtype=torch.int64)}
    shares = torch.tensor([MixUp(alpha)(batch, seed)[0][0] for seed in range(4000)])  # type: ignore[arg-type]
    variance = 1 / (4 * (2 * alpha + 1))
    assert float(shares.mean()) == pytest.approx(0.5, abs=0.03)
    assert float(shares.var()) == pytest.approx(variance, rel=0.06)
