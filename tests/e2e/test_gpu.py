"""What only a GPU can show. `pytest -m gpu` runs these; without a CUDA device they are skipped."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from vggexp.transfer.checkpoint import read_checkpoint

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]
two_gpus = pytest.mark.skipif(torch.cuda.device_count() < 2, reason="fewer than two GPUs")

TrainTiny = Callable[..., Path]
ALIKE = ("backbone=vgg11", "task=localization", "head.hidden=[8]", "optimizer=sgd", "optimizer.lr=0.01",
         "trainer.max_epochs=2", "trainer.limit_train_batches=6")  # fmt: skip
SMALL = ("backbone=vgg11_bn", "backbone.width=0.05", "data.image_size=[32,32]", "data.size=[16,30]",
         "trainer.limit_train_batches=4", "trainer.max_epochs=2", "trainer.gpus=2")  # fmt: skip
"""Of runs that start processes of their own."""


def summary(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "summary.json").read_text())
    return found


def two(name: str, *words: str) -> Path:
    """The folder of a run on two GPUs."""
    command = [sys.executable, "-m", "vggexp", *SMALL, *words, f"run.dir={name}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return Path(name)


@pytest.mark.parametrize("precision", ["32", "bf16-mixed", "16-mixed"])
def test_an_epoch_in_each_precision(precision: str, train_tiny: TrainTiny) -> None:
    found = summary(train_tiny("trainer.gpus=1", f"trainer.precision={precision}"))
    assert found["precision"].startswith(precision)
    assert found["device"] == f"1 x {torch.cuda.get_device_name()}"
    assert all(value == value for value in found["metrics"].values())


@pytest.mark.parametrize("channels_last", ["true", "false"])
def test_both_memory_formats(channels_last: str, train_tiny: TrainTiny) -> None:
    folder = train_tiny("trainer.gpus=1", f"trainer.channels_last={channels_last}")
    assert all(torch.isfinite(tensor).all() for tensor in read_checkpoint(folder)["state_dict"].values())


def test_a_gpu_learns_what_the_cpu_does(train_tiny: TrainTiny) -> None:
    """To 2%: convolutions and products compute in TF32, whose fractions have 10 bits."""
    losses = {}
    for gpus in (0, 1):
        folder = train_tiny(*ALIKE, f"trainer.gpus={gpus}", name=f"gpus{gpus}")
        rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
        losses[gpus] = [row["val/loss"] for row in rows if "val/loss" in row]
    assert len(losses[0]) == 2
    assert losses[1] == pytest.approx(losses[0], rel=0.02)


def test_a_frozen_backbone_stands_still(train_tiny: TrainTiny) -> None:
    """The proof at each epoch's end would stop the run."""
    folder = train_tiny("trainer.gpus=1", "freeze=backbone", "trainer.max_epochs=2", "trainer.precision=bf16-mixed")
    assert (drift := summary(folder)["drift"])["head"] > 0
    assert all(value == 0 for part, value in drift.items() if part != "head")


def test_a_loss_scale_with_clipping_and_accumulation(train_tiny: TrainTiny) -> None:
    train_tiny("trainer.gpus=1", "trainer.precision=16-mixed", "trainer.clip=1.0", "trainer.accumulate=2")


def test_a_checkpoint_of_a_gpu_is_evaluated_on_the_cpu(
    train_tiny: TrainTiny, vggexp: Callable[..., tuple[int, str, str]]
) -> None:
    folder = train_tiny("trainer.gpus=1", "trainer.precision=16-mixed")
    code, _, errors = vggexp("evaluate", str(folder), "trainer.gpus=0")
    assert code == 0, errors


def test_a_compiled_network(train_tiny: TrainTiny) -> None:
    keys = yaml.safe_load((Path(__file__).parents[2] / "conf/trainer/default.yaml").read_text())
    if "compile" not in keys:
        pytest.skip("trainer.compile does not exist")
    train_tiny("trainer.gpus=1", "trainer.compile=true")


@two_gpus
@pytest.mark.parametrize(
    "words",
    [("trainer.sync_batchnorm=true",), ("trainer.compress=bf16",), ("trainer.compress=fp16",), ("freeze=gradual",),
     ("trainer.strategy=fsdp",), ("trainer.strategy=fsdp", "freeze=gradual")],
    ids="-".join,
)  # fmt: skip
def test_two_gpus(words: tuple[str, ...]) -> None:
    """The ledger compares their weights at each epoch's end."""
    folder = two("run", *words)
    assert summary(folder)["device"].startswith("2 x ")
    assert read_checkpoint(folder)["state_dict"]


@two_gpus
def test_a_divided_network_learns_what_two_whole_ones_do() -> None:
    """To 2%: TF32, and weights NCHW in one and NHWC in the other."""
    alike = ("backbone=vgg11", "task=localization", "head.hidden=[8]", "trainer.precision=32")
    found = [summary(two(name, *alike, f"trainer.strategy={name}"))["metrics"] for name in ("ddp", "fsdp")]
    assert found[1]["val/loss"] == pytest.approx(found[0]["val/loss"], rel=0.02)
