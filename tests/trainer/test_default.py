"""The option trainer=default."""

from pathlib import Path

import pytest
import torch
from pytorch_lightning.callbacks import EMAWeightAveraging
from torch import nn
from torch.optim.swa_utils import AveragedModel

from vggexp.trainer.default import build_trainer


@pytest.mark.parametrize(("val_every", "expected"), [(5, 3), (3, 3), (2, 2)])
def test_a_run_shorter_than_val_every_is_validated_after_its_last_epoch(
    val_every: int, expected: int, tmp_path: Path
) -> None:
    trainer = build_trainer(tmp_path, ("val/top1", "max"), gpus=0, max_epochs=3, val_every=val_every)
    assert trainer.check_val_every_n_epoch == expected


@pytest.mark.parametrize("decay", [0.2, 0.9, 0.999])
def test_in_the_average_what_does_not_move_stays_bit_for_bit(decay: float, tmp_path: Path) -> None:
    """Frozen weights, and the images' mean, of which a resumed run has no average."""
    torch.manual_seed(0)
    trainer = build_trainer(tmp_path, ("val/top1", "max"), gpus=0, ema=decay)
    (callback,) = (one for one in trainer.callbacks if isinstance(one, EMAWeightAveraging))
    network = nn.Sequential(nn.Conv2d(3, 50, 3), nn.BatchNorm2d(50))
    frozen, trained = network[0].weight, network[1].bias
    average = AveragedModel(network, use_buffers=True, **callback._kwargs)
    before, expected = frozen.clone(), torch.ones(50)
    for value in range(1, 6):
        nn.init.constant_(trained, value)
        network[1].num_batches_tracked += 1  # type: ignore[operator]
        average.update_parameters(network)  # the first time it copies
        expected = decay * expected + (1 - decay) * value
    assert torch.equal(average.module[0].weight, before)  # type: ignore[index]
    torch.testing.assert_close(average.module[1].bias, expected)  # type: ignore[index]
    assert int(average.module[1].num_batches_tracked) == 5  # type: ignore[index]
