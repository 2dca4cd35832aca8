"""A compiled run is the run."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch._dynamo.utils import counters

from vggexp.learner.compile import compile_in_place, pays
from vggexp.learner.learner import Learner
from vggexp.transfer.checkpoint import read_checkpoint

Tiny = Callable[..., tuple[int, str, str]]
TrainTiny = Callable[..., Path]
WORDS = ("head.hidden=8", "head.pool=1", "optimizer=sgd", "optimizer.lr=0.01", "trainer.gpus=0", "callback=[]",
         "data.batch_size=256", "trainer.limit_train_batches=1.0", "test=false")  # fmt: skip
"""Dropout, batch normalisation and a last, smaller batch; SGD, for Adam's first steps magnify rounding."""


def losses(folder: Path) -> list[float]:
    rows = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    return [row["train/loss"] for row in rows if "train/loss" in row]


def weights(folder: Path) -> dict[str, Tensor]:
    found: dict[str, Tensor] = read_checkpoint(folder / "checkpoint" / "last.ckpt")["state_dict"]
    return found


def assert_alike(plain: Path, compiled: Path) -> None:
    """To 1e-5 in the losses and 1e-4 in weights and statistics, of which many are near 1: sums differ in order."""
    assert losses(compiled) == pytest.approx(losses(plain), rel=1e-5)
    a, b = weights(plain), weights(compiled)
    assert a.keys() == b.keys()
    for name, tensor in a.items():
        torch.testing.assert_close(b[name], tensor, rtol=0, atol=1e-4, msg=lambda text, name=name: f"{name}: {text}")


@pytest.mark.slow
def test_compiled_parts_drop_the_same_units_and_each_size_has_its_own_code() -> None:
    """Also after another network was compiled in this process, whose code is forgotten."""
    parts = [nn.Sequential(nn.Linear(4, 16), nn.Dropout(0.5)) for _ in range(2)]
    for part in parts:
        compile_in_place(part, nn.Identity())
        counters.clear()
        for size in (8, 3, 8, 5):
            images = torch.randn(size, 4)
            torch.manual_seed(size)
            found = part(images)
            torch.manual_seed(size)
            torch.testing.assert_close(found, part.forward(images))
        assert counters["stats"]["unique_graphs"] == 3


@pytest.mark.slow
def test_a_compiled_run_is_the_uncompiled_one_to_rounding_while_freezing_changes(train_tiny: TrainTiny) -> None:
    """Every state of a policy that thaws stage by stage is compiled, although torch leaves some out by itself."""
    words = (*WORDS, "trainer.max_epochs=3", "freeze=gradual", "trainer.ema=0.9")
    plain = train_tiny(*words, name="plain")
    counters.clear()
    with torch._dynamo.config.patch(recompile_limit=2):  # 8 in truth, which takes six epochs to reach
        compiled = train_tiny(*words, "trainer.compile=true", name="compiled")
    assert len(losses(compiled)) == 3
    assert_alike(plain, compiled)
    assert counters["stats"]["unique_graphs"] >= 3 * 2 + 2 * 2  # states, and sizes of batch; the head
    assert not counters["graph_break"]


@pytest.mark.slow
def test_a_compiled_run_starts_from_cached_features(train_tiny: TrainTiny) -> None:
    words = (*WORDS, "trainer.max_epochs=2", "freeze=stage", "freeze.stages=3", "data.train_transform=[]")
    assert_alike(train_tiny(*words, name="plain"), train_tiny(*words, "trainer.compile=true", name="compiled"))


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["lora", "ssf"])
def test_a_compiled_run_trains_its_adapters(policy: str, train_tiny: TrainTiny) -> None:
    words = (*WORDS, "trainer.max_epochs=2", f"freeze={policy}", "freeze.stages=[4,5]")
    plain = train_tiny(*words, name="plain")
    counters.clear()
    assert_alike(plain, train_tiny(*words, "trainer.compile=true", name="compiled"))
    assert not counters["graph_break"]
    summary = json.loads(Path("compiled", "summary.json").read_text())
    assert summary["drift"]["stage5"] > 0
    assert summary["drift"]["stage3"] == 0


@pytest.mark.slow
def test_what_uses_a_compiled_run(train_tiny: TrainTiny, vggexp: Tiny) -> None:
    """It is evaluated, exported and joined as if it had not been compiled."""
    words = (*WORDS, "freeze=backbone", "trainer.compile=true")
    one = train_tiny(*words, name="one")
    other = ("task=localization", "head.hidden=[8]", f"backbone.weights={one}", "run.dir=other")
    train_tiny(*(word for word in words if word != "head.hidden=8"), *other[:-1], name="other")
    for command in (
        ("evaluate", "one", "split=val"), ("export", "one", "format=safetensors"),
        ("graft", "one", "other", "output=both"), ("evaluate", "both", "split=val"),
    ):  # fmt: skip
        code, _, errors = vggexp(*command)
        assert code == 0, errors
    scored = json.loads(Path("one/evaluation-val.json").read_text())["metrics"]
    summary = json.loads(Path("one/summary.json").read_text())["metrics"]
    shared = scored.keys() & summary.keys()
    assert len(shared) >= 3
    for name in shared:
        assert summary[name] == pytest.approx(scored[name], abs=1e-6), name


@pytest.mark.slow
def test_a_compiled_run_goes_on_to_the_same_bits(
    train_tiny: TrainTiny, vggexp: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes on with the last, smaller batch of an epoch, and so compiles that one first."""
    words = (*WORDS, "trainer.max_epochs=2", "freeze=gradual", "trainer.compile=true", "trainer.save_every=1")
    whole = train_tiny(*words, name="whole")
    start = Learner.on_train_batch_start

    def die(self: Learner, batch: Any, batch_idx: int) -> None:
        if (self.current_epoch, batch_idx) == (1, 4):
            raise RuntimeError("killed")
        start(self, batch, batch_idx)

    with monkeypatch.context() as patch:
        patch.setattr(Learner, "on_train_batch_start", die)
        with pytest.raises(RuntimeError, match="killed"):
            train_tiny(*words, name="parts")
    code, _, errors = vggexp("resume", "parts")
    assert code == 0, errors
    a, b = weights(whole), weights(Path("parts"))
    assert [name for name in a if not torch.equal(a[name], b[name])] == []


TWO = (
    "backbone=vgg11_bn", "backbone.width=0.05", "data.image_size=[32,32]", "data.size=[16,30]", "trainer.precision=32",
    *WORDS, "trainer.max_epochs=2", "freeze=gradual",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
def test_two_processes_compile_and_learn_what_they_do_uncompiled(strategy: str) -> None:
    """The ledger compares what both hold after each epoch; fsdp compiles the head alone, and says so."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
    for name, compiles in (("plain", False), ("compiled", True)):
        words = (f"trainer.compile={compiles}", f"trainer.strategy={strategy}", f"run.dir={name}")
        done = subprocess.run(
            [sys.executable, "-m", "vggexp", *TWO, "trainer.processes=2", *words],
            env=environment, capture_output=True, text=True, timeout=280,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        assert ("trainer.compile: only the head" in done.stdout) == (compiles and strategy == "fsdp")
    assert_alike(Path("plain"), Path("compiled"))


@pytest.mark.parametrize(
    ("asked", "on_gpu", "images", "expected"),
    [("auto", True, 10**7, True), ("auto", True, 10**5, False), ("auto", False, 10**9, False),
     ("true", False, 1, True), (True, False, 1, True), (False, True, 10**9, False), ("false", True, 10**9, False)],
)  # fmt: skip
def test_what_is_compiled(asked: str | bool, on_gpu: bool, images: int, expected: bool) -> None:
    assert pays(asked, on_gpu, images, (224, 224)) is expected


def test_without_a_compiler_it_is_one_line(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    code, _, errors = tiny("trainer.compile=true", "trainer.gpus=0")
    assert code == 2
    assert "trainer.compile=true needs the compiler no-such-compiler" in errors
    code, _, errors = tiny("trainer.compile=atuo")
    assert code == 2
    assert "did you mean" in errors
