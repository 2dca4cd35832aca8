"""Two processes that share a run (gloo, on the CPU): equal weights in both under every policy; exact evaluation."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from vggexp.weights import read_checkpoint

WORDS = (
    "backbone=vgg11_bn", "backbone.width=0.05", "data.image_size=[32,32]", "data.size=[16,30]", "head.hidden=8",
    "head.pool=1", "trainer.precision=32", "trainer.gpus=0", "trainer.max_epochs=7", "trainer.limit_train_batches=2",
    "callback=[]",
)  # fmt: skip


def torchrun(*words: str, processes: int = 2) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run(
        [*command, "-m", "vggexp", *WORDS, *words], env=environment, capture_output=True, text=True, timeout=300
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "policy",
    [
        ("freeze=none",), ("freeze=backbone",), ("freeze=stage", "freeze.stages=[2,4]"), ("freeze=gradual",),
        ("freeze=linear_probe", "freeze.epochs=2", "freeze.factor=0.5"), ("freeze=norm",), ("freeze=bias",),
        ("freeze=pattern", "freeze.patterns=weight"), ("freeze=none", "freeze.lr_decay=0.5"),
        ("freeze=backbone", "freeze.norm=update"),
    ],
    ids="-".join,
)  # fmt: skip
def test_both_hold_the_same_weights_after_every_epoch(policy: tuple[str, ...]) -> None:
    """The ledger compares them each epoch; a difference would end the run with an error."""
    done = torchrun(*policy, "run.dir=run", "test=false")
    assert done.returncode == 0, done.stderr[-3000:]
    assert len(Path("run/freeze.csv").read_text().splitlines()) == 1 + 7 * 6


def test_a_policy_thawed_after_ddp_has_wrapped_is_caught(tmp_path: Path) -> None:
    """What DDP finds frozen it never reduces: the cross-rank check must see what then happens."""
    script = tmp_path / "broken.py"
    script.write_text(
        "import sys\n"
        "from vggexp.freezing import Freezing\n"
        "from vggexp.learner import Learner\n"
        "build = Learner.__init__\n"
        "def early(self, *args, **settings):\n"
        "    build(self, *args, **settings)\n"
        "    self.freezing.apply(0)\n"
        "Learner.__init__ = early\n"
        "from vggexp.__main__ import enter\n"
        "sys.exit(enter(sys.argv[1:]))\n"
    )
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(script)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [*command, *WORDS, "freeze=gradual", "run.dir=run"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode != 0
    assert "the processes of this run hold different weights in stage" in done.stderr


def test_evaluation_meets_every_sample_once() -> None:
    """300 test images do not divide by 2 x 32; the scores of both worlds are those of one network."""
    done = torchrun("run.dir=two", "trainer.max_epochs=1")
    assert done.returncode == 0, done.stderr[-3000:]
    scores = json.loads(Path("two/summary.json").read_text())["metrics"]
    alone = evaluate("two")
    for name, value in alone.items():
        assert scores[name] == pytest.approx(value, abs=1e-6), name


def evaluate(folder: str) -> dict[str, Any]:
    from vggexp.__main__ import enter

    assert enter(["evaluate", folder]) == 0
    found: dict[str, Any] = json.loads(Path(folder, "evaluation-test.json").read_text())["metrics"]
    assert torch.isfinite(torch.tensor(list(found.values()))).all()
    assert read_checkpoint(Path(folder))["state_dict"]
    return found
