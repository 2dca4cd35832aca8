"""Every test runs in a folder of its own and without the network's keys."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

torch.set_num_threads(1)  # tiny layers spend their time waking threads

TINY = (
    "backbone=vgg11_bn", "backbone.width=0.05", "data.image_size=[32,32]", "data.size=[16,30]", "trainer.precision=32",
    "trainer.max_epochs=1", "trainer.limit_train_batches=2", "trainer.limit_val_batches=1",
    "trainer.limit_test_batches=1",
)  # fmt: skip
"""Overrides under which a run on digits takes about a second."""


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("WANDB_API_KEY", "VGGEXP_DATA"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def vggexp(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """The command line, in this process: words to (exit code, standard output, standard error)."""
    from vggexp.__main__ import enter

    def run(*words: str) -> tuple[int, str, str]:
        code = enter(words)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def train_tiny(vggexp: Callable[..., tuple[int, str, str]]) -> Callable[..., Path]:
    """Train a tiny run on digits with some more overrides; its run folder."""

    def train(*words: str, name: str = "run") -> Path:
        code, _, errors = vggexp(*TINY, *words, f"run.dir={name}")
        assert code == 0, errors
        return Path(name)

    return train
