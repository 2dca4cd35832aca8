"""Two processes that share a run (gloo, on the CPU), started by vggexp itself or by torchrun.

Equal weights in both under every policy, exact evaluation, one process's losses, and an end for all when one fails.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch

from vggexp.transfer.checkpoint import read_checkpoint

WORDS = (
    "backbone=vgg11_bn", "backbone.width=0.05", "data.image_size=[32,32]", "data.size=[16,30]", "head.hidden=8",
    "head.pool=1", "trainer.precision=32", "trainer.gpus=0", "trainer.max_epochs=7", "trainer.limit_train_batches=2",
    "callback=[]",
)  # fmt: skip


ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2])}


def start(*words: str, processes: int = 2) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "vggexp", *WORDS, f"trainer.processes={processes}", *words]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=ENVIRONMENT, stdout=pipe, stderr=pipe, text=True, start_new_session=True)


def launched(*words: str, processes: int = 2) -> tuple[int, str, str]:
    """The exit code, standard output and standard error of a run that vggexp divides between processes."""
    with start(*words, processes=processes) as parent:
        out, errors = parent.communicate(timeout=300)
    return parent.returncode, out, errors


def torchrun(*words: str, processes: int = 2) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    return subprocess.run(
        [*command, "-m", "vggexp", *WORDS, *words], env=ENVIRONMENT, capture_output=True, text=True, timeout=300
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "policy",
    [
        ("freeze=none",), ("freeze=backbone",), ("freeze=stage", "freeze.stages=[2,4]"), ("freeze=gradual",),
        ("freeze=linear_probe", "freeze.epochs=2", "freeze.factor=0.5"), ("freeze=norm",), ("freeze=bias",),
        ("freeze=pattern", "freeze.patterns=weight"), ("freeze=none", "freeze.lr_decay=0.5"),
        ("freeze=backbone", "freeze.norm=update"), ("freeze=backbone", "freeze.warmup=2"),
        ("freeze=auto", "freeze.percentile=90", "optimizer.lr=1e-4"), ("freeze=surgical", "freeze.tuned=2"),
        ("freeze=lora",), ("freeze=ssf",),
    ],
    ids="-".join,
)  # fmt: skip
def test_both_hold_the_same_weights_after_every_epoch(policy: tuple[str, ...]) -> None:
    """The ledger compares them each epoch; a difference would end the run with an error."""
    done = torchrun(*policy, "run.dir=run", "test=false")
    assert done.returncode == 0, done.stderr[-3000:]
    assert len(Path("run/freeze.csv").read_text().splitlines()) == 1 + 7 * 6


@pytest.mark.slow
def test_both_decide_alike_and_are_pulled_alike() -> None:
    """Auto freezes stages in both; then a run that starts from it is pulled to it in both."""
    words = ("test=false", "trainer.max_epochs=5")
    done = torchrun("freeze=auto", "freeze.percentile=90", "optimizer.lr=1e-4", "run.dir=auto", *words)
    assert done.returncode == 0, done.stderr[-3000:]
    assert ",0,0," in Path("auto/freeze.csv").read_text()
    assert "frozen from epoch" in done.stdout
    done = torchrun("optimizer.l2_sp=0.5", "backbone.weights=auto", "run.dir=pulled", *words)
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.slow
def test_a_policy_thawed_after_ddp_has_wrapped_is_caught(tmp_path: Path) -> None:
    """What DDP finds frozen it never reduces: the cross-rank check must see what then happens."""
    script = tmp_path / "broken.py"
    script.write_text(
        "import sys\n"
        "from vggexp.learner.freezing import Freezing\n"
        "from vggexp.learner.learner import Learner\n"
        "build = Learner.__init__\n"
        "def early(self, *args, **settings):\n"
        "    build(self, *args, **settings)\n"
        "    self.freezing.apply(0)\n"
        "Learner.__init__ = early\n"
        "from vggexp.__main__ import enter\n"
        "sys.exit(enter(sys.argv[1:]))\n"
    )
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(script)]
    done = subprocess.run(
        [*command, *WORDS, "freeze=gradual", "run.dir=run"],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode != 0
    assert "the ranks of this run hold different weights in stage" in done.stderr


@pytest.mark.slow
def test_evaluation_meets_every_sample_once() -> None:
    """300 test images do not divide by 2 x 32; the scores of both worlds are those of one network."""
    code, _, errors = launched("run.dir=two", "trainer.max_epochs=1", "callback=[diagnostics]")
    assert code == 0, errors
    scores = json.loads(Path("two/summary.json").read_text())["metrics"]
    alone = evaluate("two")
    for name, value in alone.items():
        assert scores[name] == pytest.approx(value, abs=1e-6), name
    found = json.loads(Path("two/prediction/test.json").read_text())
    assert found["index"] == list(range(300))
    confusion = found["diagnostics"]["classification"]["confusion"]
    assert sum(row[place] for place, row in enumerate(confusion)) / 300 == pytest.approx(scores["test/top1"])
    assert sum(image["fixed"] for image in found["images"]) == 16
    ranked = sorted(found["score"])
    shown = sorted(image["score"] for image in found["images"])
    assert (shown[:8], shown[-8:]) == (ranked[:8], ranked[-8:])


def evaluate(folder: str) -> dict[str, Any]:
    from vggexp.__main__ import enter

    assert enter(["evaluate", folder]) == 0
    found: dict[str, Any] = json.loads(Path(folder, "evaluation-test.json").read_text())["metrics"]
    assert torch.isfinite(torch.tensor(list(found.values()))).all()
    assert read_checkpoint(Path(folder))["state_dict"]
    return found


@pytest.mark.slow
def test_under_torchrun_a_process_joins_and_all_use_one_folder() -> None:
    """Each composes for itself, and could name its folder by its own clock: the first one's config goes for all."""
    done = torchrun("run.name=named", "trainer.max_epochs=1", "trainer.limit_val_batches=1", "test=false")
    assert done.returncode == 0, done.stderr[-3000:]
    assert [path.name for path in Path("runs").iterdir()] == ["named"]
    assert done.stdout.count("parameters trained") == 1


@pytest.mark.slow
def test_two_processes_learn_what_one_does_at_the_same_global_batch() -> None:
    """Without batch normalisation, whose batches are each process's own on a CPU; to 1e-3, for sums differ in order."""
    alike = (
        "task=localization",
        "head.hidden=[8]",
        "backbone=vgg11",
        "backbone.width=0.05",
        "trainer.max_epochs=3",
        "optimizer.lr=0.01",
    )
    runs = {"one": (1, 32, 32), "two": (2, 16, 32), "accumulated": (2, 8, 32)}
    losses = {}
    for name, (processes, batch_size, whole) in runs.items():
        batches = (f"data.batch_size={batch_size}", f"trainer.effective_batch={whole}")
        limit = f"trainer.limit_train_batches={6 * 32 // (processes * batch_size)}"
        code, _, errors = launched(*alike, *batches, limit, f"run.dir={name}", processes=processes)
        assert code == 0, errors
        losses[name] = [row["val/loss"] for row in rows(name) if "val/loss" in row]
    assert len(losses["one"]) == 3
    assert losses["one"][-1] < 0.99 * losses["one"][0]
    assert losses["two"] == pytest.approx(losses["one"], rel=1e-3)
    assert losses["accumulated"] == pytest.approx(losses["one"], rel=1e-3)


@pytest.mark.slow
def test_a_sweep_of_two_jobs_has_two_folders_and_two_wandb_runs() -> None:
    pytest.importorskip("wandb")
    short = ("trainer.max_epochs=1", "trainer.limit_val_batches=1", "test=false", "logger=[wandb]")
    code, out, errors = launched("-m", "seed=1,2", "run.name=s${seed}", *short, "logger.wandb.mode=offline")
    assert code == 0, errors
    folders = [path.name for path in Path("runs").iterdir() if path.is_dir()]
    assert sorted(folders) == [".sweep", "s1", "s2"]  # the first is the journal
    assert out.count("parameters trained") == 2
    for name in ("s1", "s2"):
        assert len(list(Path("runs", name).rglob("*.wandb"))) == 1


@pytest.mark.slow
def test_a_mistake_found_by_a_process_is_one_line() -> None:
    code, _, errors = launched("freeze=pattern", "freeze.patterns=[nothing]", "run.dir=run")
    assert code == 2
    (line,) = errors.strip().splitlines()
    assert line.startswith("vggexp: error: freeze.patterns: 'nothing' matches no parameter; the names run from ")


@pytest.mark.slow
def test_when_a_process_is_killed_all_end_and_the_run_can_go_on(
    wait_for: Callable[[Callable[[], object]], None],
) -> None:
    with start("run.dir=run", "trainer.max_epochs=500") as parent:
        wait_for(Path("run/checkpoint/last.ckpt").exists)
        os.kill(next(workers(rank=1)), signal.SIGKILL)
        _, errors = parent.communicate(timeout=60)
    assert parent.returncode == 1
    assert errors.strip().splitlines()[-1].startswith("vggexp: error: process 1 was ended by SIGKILL; the others")
    assert not list(workers())
    epochs = len(Path("run/metrics.jsonl").read_text().splitlines())
    assert epochs >= 1
    done = subprocess.run(
        [sys.executable, "-m", "vggexp", "resume", "run", f"trainer.max_epochs={epochs + 3}"],
        env=ENVIRONMENT, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert Path("run/summary.json").exists()


@pytest.mark.slow
def test_ctrl_c_ends_all(wait_for: Callable[[Callable[[], object]], None]) -> None:
    with start("run.dir=run", "trainer.max_epochs=500") as parent:
        wait_for(Path("run/checkpoint/last.ckpt").exists)
        assert len(list(workers())) == 2
        os.killpg(parent.pid, signal.SIGINT)  # as a terminal does
        _, errors = parent.communicate(timeout=60)
    assert parent.returncode == 130
    assert errors.strip().splitlines()[-1] == "vggexp: interrupted; the files written so far are kept"
    assert not list(workers())


@pytest.fixture
def wait_for() -> Callable[[Callable[[], object]], None]:
    def wait(happens: Callable[[], object]) -> None:
        deadline = time.monotonic() + 120
        while not happens():
            assert time.monotonic() < deadline, "it never happened"
            time.sleep(0.1)

    return wait


def workers(rank: int | None = None) -> Iterator[int]:
    """Process ids of the workers that this test's parent has started (they share its folder): all, or of one rank."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (folder / "cmdline").read_bytes().split(b"\0")
            place = f"RANK={rank}".encode() in (folder / "environ").read_bytes().split(b"\0")
            if (
                b"vggexp.trainer.worker" in words
                and (folder / "cwd").resolve() == Path.cwd()
                and (place or rank is None)
            ):
                yield int(folder.name)


def rows(folder: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(folder, "metrics.jsonl").read_text().splitlines()]
