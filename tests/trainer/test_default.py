"""The option trainer=default."""

from pathlib import Path

import pytest

from vggexp.trainer.default import build_trainer


@pytest.mark.parametrize(("val_every", "expected"), [(5, 3), (3, 3), (2, 2)])
def test_a_run_shorter_than_val_every_is_validated_after_its_last_epoch(
    val_every: int, expected: int, tmp_path: Path
) -> None:
    trainer = build_trainer(tmp_path, ("val/top1", "max"), gpus=0, max_epochs=3, val_every=val_every)
    assert trainer.check_val_every_n_epoch == expected
