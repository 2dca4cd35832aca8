"""A training's start: random numbers and imports."""

import os
import random
import subprocess
import sys

import numpy as np
import pytest
import pytorch_lightning as pl
import torch

from vggexp.benchmark.setting import config_of
from vggexp.trainer.network import draws_alone
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


@pytest.mark.parametrize(
    ("words", "alone"),
    [
        ((), True),
        (("task=multitask",), True),
        (("task=detection",), True),
        (("backbone.weights=imagenet",), False),
        (("backbone=timm",), False),
        (("task=segmentation", "head=smp"), False),
        (("task=segmentation", "loss=dice"), False),
    ],
)
def test_what_imports_a_library_while_it_is_built_is_built_after_the_imports(
    words: tuple[str, ...], alone: bool
) -> None:
    assert draws_alone(config_of(words)) == alone


@pytest.mark.slow
def test_building_a_network_imports_nothing() -> None:
    """Two threads must not import at once: Python may show one of them a module that is not complete."""
    program = """
import sys
from vggexp.benchmark.setting import config_of
from vggexp.trainer.network import build_data, draws_alone, start_network
import vggexp.trainer.training
small = ("backbone=vgg11_bn", "backbone.width=0.1", "data.image_size=[64,64]")
for words in ((), ("task=segmentation",), ("task=multitask",), ("task=detection",), ("task=localization",)):
    config = config_of((*words, *small))
    info = build_data(config).info
    assert draws_alone(config), words
    before = set(sys.modules)
    start_network(config, info, False)
    new = set(sys.modules) - before
    assert not new, (words, new)
"""
    subprocess.run([sys.executable, "-c", program], check=True)
