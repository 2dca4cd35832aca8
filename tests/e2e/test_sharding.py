"""A network divided between two processes (gloo, on the CPU), beside one that each of two holds whole."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from vggexp.transfer.checkpoint import read_checkpoint

WORDS = (
    "task=localization", "head.hidden=[8]", "backbone=vgg11", "backbone.width=0.05", "data.image_size=[32,32]",
    "data.size=[16,30]", "data.batch_size=16", "trainer.precision=32", "trainer.gpus=0", "trainer.max_epochs=3",
    "trainer.limit_train_batches=6", "optimizer.lr=0.01", "callback=[]",
)  # fmt: skip
"""No batch normalisation, whose batches would be each process's own."""
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2])}


def train(name: str, *words: str, base: tuple[str, ...] = WORDS, changed: str = "", fails: bool = False) -> Path:
    """The folder of a run of two processes, each of which has executed ``changed`` before."""
    script = Path("run.py")
    script.write_text(f"import sys\n{changed}\nfrom vggexp.__main__ import enter\nsys.exit(enter(sys.argv[1:]))\n")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(script)]
    done = subprocess.run(
        [*command, *base, *words, f"run.dir={name}"], env=ENVIRONMENT, capture_output=True, text=True, timeout=200
    )
    assert fails == (done.returncode != 0), done.stderr[-3000:]
    return Path(name)


def both(*words: str) -> tuple[Path, Path]:
    """The folders of two runs that differ in what each process holds: all of the network, or half."""
    whole, half = (train(name, *words, f"trainer.strategy={name}") for name in ("ddp", "fsdp"))
    return whole, half


def losses(folder: Path) -> list[float]:
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [row["val/loss"] for row in rows if "val/loss" in row]


def weights(folder: Path) -> dict[str, Tensor]:
    found: dict[str, Tensor] = read_checkpoint(folder / "checkpoint" / "last.ckpt")["state_dict"]
    return found


def summary(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "summary.json").read_text())
    return found


def assert_same_losses(whole: Path, half: Path) -> None:
    """To 1e-4: sums differ in order, and weights in memory format."""
    assert len(losses(whole)) == 3
    assert losses(half) == pytest.approx(losses(whole), rel=1e-4)


def assert_alike(whole: Path, half: Path) -> None:
    """The losses, and the weights to 1e-6, of a run under SGD.

    Not under Adam, whose first step is lr * g / (|g| + 1e-8). For a g that is a rounding error's size it is anything
    between 0 and lr: one weight of a thawed stage had g = 3.57e-8 whole and 3.54e-8 in halves, and 1.2e-5 between its
    steps of 0.01. One process differs from itself more, by 5.8e-5, if it computes in the other memory format.
    """
    assert_same_losses(whole, half)
    a, b = weights(whole), weights(half)
    assert {name: tensor.shape for name, tensor in a.items()} == {name: tensor.shape for name, tensor in b.items()}
    for name, tensor in a.items():
        assert type(b[name]) is Tensor
        torch.testing.assert_close(b[name], tensor, atol=1e-6, rtol=0)


def moments(folder: Path) -> dict[tuple[int, str], Tensor]:
    """Of Adam, by the place of their parameter and by name."""
    (state,) = read_checkpoint(folder / "checkpoint" / "last.ckpt")["optimizer_states"]
    found: dict[tuple[int, str], Tensor] = {
        (place, key): value for place, one in state["state"].items() for key, value in one.items()
    }
    return found


@pytest.mark.slow
def test_under_a_changing_policy_it_learns_what_a_whole_one_does(
    vggexp: Callable[..., tuple[int, str, str]],
) -> None:
    """What thaws must train, whatever it was when the network was divided; and one process can use the checkpoint."""
    whole, half = both(
        "freeze=linear_probe", "freeze.epochs=1", "freeze.factor=0.5", "trainer.clip=0.1", "optimizer=sgd"
    )
    assert_alike(whole, half)
    trained = [row.split(",")[3] != "0" for row in (half / "freeze.csv").read_text().splitlines()[1:]]
    assert trained == [False] * 5 + [True] * 13
    assert vggexp("evaluate", str(half))[0] == 0
    alone = json.loads((half / "evaluation-test.json").read_text())["metrics"]
    assert alone == pytest.approx({name: summary(half)["metrics"][name] for name in alone}, abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [("freeze=none",), ("freeze=gradual",), ("trainer.accumulate=2", "scheduler=cosine")],
    ids="-".join,
)
def test_it_learns_what_a_whole_one_does(words: tuple[str, ...]) -> None:
    assert_alike(*both(*words, "optimizer=sgd"))


@pytest.mark.slow
@pytest.mark.parametrize("words", [("freeze=gradual",), ("trainer.accumulate=2", "scheduler=cosine")], ids="-".join)
def test_under_adam_losses_and_moments_are_those_of_a_whole_one(words: tuple[str, ...]) -> None:
    """Moments are sums of gradients, and no quotient magnifies what rounds them: to 1e-4 of a tensor's largest."""
    whole, half = both(*words)
    assert_same_losses(whole, half)
    a, b = moments(whole), moments(half)
    assert a.keys() == b.keys()
    assert {key for _, key in a} == {"step", "exp_avg", "exp_avg_sq"}
    for place, value in a.items():
        torch.testing.assert_close(b[place], value, atol=1e-4 * float(value.abs().max()), rtol=0)


@pytest.mark.slow
def test_a_frozen_backbone_is_bit_identical_and_the_head_trains() -> None:
    half = train("fsdp", "freeze=backbone", "trainer.strategy=fsdp", "trainer.precision=bf16-mixed")
    first = train("start", "freeze=none", "optimizer.lr=0", "trainer.max_epochs=1")
    before, after = weights(first), weights(half)
    for name in (name for name in before if name.startswith(("backbone.", "head."))):
        assert torch.equal(before[name], after[name]) == name.startswith("backbone."), name
    assert (drift := summary(half)["drift"]).pop("head") > 0
    assert set(drift.values()) == {0.0}


MEASURE = """
import json, os
from torch.distributed.tensor import DTensor
from vggexp.callback.freeze_ledger import FreezeLedger
proved = FreezeLedger.on_train_epoch_end
def measure(self, trainer, learner):
    proved(self, trainer, learner)
    moments = [value for state in trainer.optimizers[0].state.values() for key, value in state.items() if key != "step"]
    held = [*learner.parameters(), *moments]
    assert all(isinstance(tensor, DTensor) for tensor in held)
    found = [sum(t.to_local().nbytes for t in held), sum(t.nbytes for t in held)]
    open(f"bytes{os.environ['RANK']}.json", "w").write(json.dumps(found))
FreezeLedger.on_train_epoch_end = measure
"""


@pytest.mark.slow
def test_each_process_holds_half_of_the_weights_and_of_the_moments() -> None:
    train("run", "trainer.strategy=fsdp", "trainer.max_epochs=1", changed=MEASURE)
    held = [json.loads(Path(f"bytes{rank}.json").read_text()) for rank in (0, 1)]
    assert held[0][1] == held[1][1] == 4 * 3 * summary(Path("run"))["parameters"]  # fp32 weights and Adam's two moments
    assert held[0][0] + held[1][0] == held[0][1]
    assert held[0][0] == pytest.approx(held[0][1] / 2, rel=0.03)  # odd numbers of channels do not halve


DIE = """
from vggexp.learner.learner import Learner
begin = Learner.on_train_batch_start
def die(self, batch, batch_idx):
    if (self.current_epoch, batch_idx) == (1, 3):
        raise RuntimeError("killed")
    begin(self, batch, batch_idx)
Learner.on_train_batch_start = die
"""


@pytest.mark.slow
def test_a_run_that_was_cut_goes_on_to_the_same_weights() -> None:
    words = ("trainer.strategy=fsdp", "freeze=gradual", "trainer.save_every=1")
    whole, parts = train("whole", *words), train("parts", *words, changed=DIE, fails=True)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "vggexp"]
    done = subprocess.run([*command, "resume", "parts"], env=ENVIRONMENT, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr[-3000:]
    a, b = weights(whole), weights(parts)
    assert [name for name in a if not torch.equal(a[name], b[name])] == []
    assert (whole / "freeze.csv").read_text() == (parts / "freeze.csv").read_text()


@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
@pytest.mark.slow
def test_one_process_may_have_a_batch_more_to_evaluate(
    strategy: str, tree: Any, vggexp: Callable[..., tuple[int, str, str]]
) -> None:
    """9 test images in batches of 2 are 3 for one process and 2 for the other, which must not wait; so with val's 5."""
    listed = tree.annotations / "trainval.txt"
    left_out = {f"Bengal_{k}" for k in range(1, 6)}
    kept = [line for line in listed.read_text().splitlines() if line.split()[0] not in left_out]
    listed.write_text("\n".join(kept) + "\n")
    words = (
        "data=pets", f"data.root={tree.root}", "data.image_size=[32,32]", "data.batch_size=2", "backbone=vgg11_bn",
        "backbone.width=0.05", "head.hidden=8", "head.pool=1", "trainer.gpus=0", "trainer.precision=32",
        "trainer.max_epochs=2", "callback=[]",
    )  # fmt: skip
    half = train("run", f"trainer.strategy={strategy}", base=words)
    for split in ("val", "test"):
        assert vggexp("evaluate", str(half), f"split={split}")[0] == 0
        alone = json.loads((half / f"evaluation-{split}.json").read_text())["metrics"]
        assert alone == pytest.approx({name: summary(half)["metrics"][name] for name in alone}, abs=1e-6)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("trainer.strategy=fdsp",), "trainer.strategy=fdsp is not known; did you mean 'fsdp'?"),
        (
            ("trainer.strategy=fsdp", "trainer.ema=0.9"),
            "trainer.strategy=fsdp: trainer.ema=0.9 cannot average a sharded",
        ),
        (
            ("trainer.strategy=fsdp", "trainer.compress=fp16"),
            "trainer.strategy=fsdp: trainer.compress=fp16 works with ddp only",
        ),
        (("trainer.precision=16-mixed",), "trainer.precision=16-mixed: a CPU trains in bf16-mixed or 32"),
    ],
)
def test_what_cannot_work_is_refused(
    words: tuple[str, ...], message: str, vggexp: Callable[..., tuple[int, str, str]]
) -> None:
    code, _, errors = vggexp("trainer.gpus=0", *words)
    assert code == 2
    assert errors.startswith(f"vggexp: error: {message}")
