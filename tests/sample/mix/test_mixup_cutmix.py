"""Either of the two, by the switch."""

import torch

from vggexp.sample.mix.mixup_cutmix import MixUpCutMix
from vggexp.types import Batch


def test_the_switch_is_the_probability_of_cutmix() -> None:
    values = torch.tensor([0, 200], dtype=torch.uint8).view(2, 1, 1, 1)
    batch: Batch = {"image": values.expand(2, 3, 16, 16).contiguous(), "label": torch.arange(2)}

    def pasted(switch: float) -> int:
        found = [MixUpCutMix(1.0, 1.0, switch)(batch, seed)[0][1]["image"].unique().tolist() for seed in range(200)]
        return sum(set(colours) <= {0, 200} for colours in found)

    assert pasted(1.0) == 200
    assert pasted(0.0) < 10
    assert 30 < pasted(0.25) < 75
