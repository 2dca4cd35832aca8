"""A training's start: random numbers and imports."""

import os
import random
import subprocess
import sys

import numpy as np
import pytest
import pytorch_lightning as pl
import torch

from vggexp.trainer.training import _importing, _seed_everything


def _drawn() -> tuple[object, ...]:
    settings = {key: os.environ.pop(key) for key in ("PL_GLOBAL_SEED", "PL_SEED_WORKERS")}
    return random.random(), np.random.random(), torch.rand(3).tolist(), settings  # noqa: NPY002


def test_seeds_are_lightnings_own() -> None:
    _seed_everything(7)
    ours = _drawn()
    pl.seed_everything(7, workers=True, verbose=False)
    assert ours == _drawn()


def test_what_is_imported_is_not_imported_again() -> None:
    with _importing("sys"):
        assert "sys" in sys.modules


def test_an_import_that_fails_is_left_to_the_one_that_needs_it() -> None:
    with _importing("no_such_package"):
        pass
    with pytest.raises(ModuleNotFoundError):
        import no_such_package  # type: ignore[import-not-found]  # noqa: F401


@pytest.mark.slow
def test_a_network_is_built_without_lightning() -> None:
    """Nor without its metrics: both are imported while the weights are drawn."""
    imports = "import sys, vggexp.trainer.training, vggexp.task.multitask, vggexp.task.detection"
    check = "assert not {'torchmetrics', 'pytorch_lightning'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", f"{imports}; {check}"], check=True)
