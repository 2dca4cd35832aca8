"""What a run with ``logger=wandb`` leaves for W&B, read back from what was written offline."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import wandb
import yaml
from wandb.errors import AuthenticationError, CommError

from vggexp.learner.learner import Learner
from vggexp.transfer.checkpoint import read_checkpoint

Train = Callable[..., Path]
SMALL = ("head.hidden=8", "head.pool=1", "callback=[]", "logger=wandb")


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETRC", "none")


def rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_a_run_holds_what_was_logged(train_tiny: Train, offline_run: Any) -> None:
    folder = train_tiny(
        *SMALL, "trainer.max_epochs=2", "freeze=backbone", "run.name=freeze/digits/one", name="runs/s/one"
    )
    run = offline_run(folder)
    assert (run.run.display_name, run.run.run_group, run.run.job_type) == ("s/one", "freeze/digits", "classification")
    assert list(run.run.tags) == ["vgg11_bn", "mlp", "backbone", "digits"]
    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert {key: value for key, value in run.config.items() if not key.startswith("_wandb")} == config
    logged = {name: value for row in rows(folder) for name, value in row.items()}
    for name in ("train/loss", "val/loss", "val/top1", "val/f1/3"):
        assert run.values(name) == [row[name] for row in rows(folder) if name in row]
        assert run.steps[name] == "trainer/global_step"
        assert run.best[name] == ({"min"} if name.endswith("loss") else {"max"})
    for name, choose in (("val/loss", min), ("val/top1", max)):
        way = choose.__name__
        assert run.summary[name][way] == choose(row[name] for row in rows(folder) if name in row)
    summary = json.loads((folder / "summary.json").read_text())
    for key in ("trainable_parameters", "seconds", "baseline"):
        assert run.summary[key] == summary[key]
    assert run.values("test/top1") == [logged["test/top1"]] == [run.summary["test/top1"]]
    assert run.exit_codes == [0]


@pytest.mark.slow
def test_each_job_of_a_sweep_is_a_run_of_one_group(tiny: Any, offline_runs: Any) -> None:
    code, out, errors = tiny("-m", *SMALL, "seed=1,2", "run.name=s${seed}", "test=false")
    assert code == 0, errors
    one, two = offline_runs(Path("runs"))
    assert one.run.run_id != two.run.run_id
    assert one.run.run_group == two.run.run_group
    assert one.run.run_group.startswith("sweep-2")
    assert [run.exit_codes for run in (one, two)] == [[0], [0]]
    assert out.count("W&B, offline: wandb sync runs/s") == 2
    # another group, the sweep's new date, is no reason to train them again
    code, out, errors = tiny("-m", *SMALL, "seed=1,2", "run.name=s${seed}", "test=false")
    assert (code, out.count("is already finished; skipped")) == (0, 2), errors


def break_at(epoch: int, error: BaseException) -> Any:
    """Let the next training fail at the start of an epoch."""
    start = Learner.on_train_epoch_start

    def fail(self: Learner) -> None:
        if self.current_epoch == epoch:
            raise error
        start(self)

    return fail


def test_a_resumed_run_goes_on_in_the_same_wandb_run(
    train_tiny: Train, vggexp: Any, offline_runs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Learner, "on_train_epoch_start", break_at(2, RuntimeError("killed")))
        with pytest.raises(RuntimeError, match="killed"):
            train_tiny(*SMALL, "trainer.max_epochs=4", name="cut")
    checkpoint = read_checkpoint(Path("cut/checkpoint/last.ckpt"))
    code, _, errors = vggexp("resume", "cut")
    assert code == 0, errors
    first, second = offline_runs(Path("cut"))
    assert first.run.run_id == second.run.run_id == checkpoint["logger"]["wandb"]["id"]
    assert second.run.resume  # `wandb sync` asks the server where the first part ended, and goes on there
    assert (first.exit_codes, second.exit_codes) == ([1], [0])
    assert first.values("val/top1") + second.values("val/top1") == [
        r["val/top1"] for r in rows(Path("cut")) if "val/top1" in r
    ]
    # the first part's values count, though the second never saw them
    assert second.summary["val/loss"]["min"] == min(row["val/loss"] for row in rows(Path("cut")) if "val/loss" in row)


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt(), 255), (RuntimeError("broken"), 1)])
def test_a_run_that_fails_is_told_to_have_failed(
    error: BaseException, code: int, tiny: Any, offline_run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Learner, "on_train_epoch_start", break_at(1, error))
    if isinstance(error, KeyboardInterrupt):
        assert tiny(*SMALL, "trainer.max_epochs=2", "run.dir=cut")[0] == 130
    else:
        with pytest.raises(RuntimeError, match="broken"):
            tiny(*SMALL, "trainer.max_epochs=2", "run.dir=cut")
    run = offline_run(Path("cut"))
    assert run.exit_codes == [code]
    assert len(run.values("val/top1")) == 1
    assert not Path("cut/summary.json").exists()


def refuse(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Let W&B's server answer every online run with an error."""
    init = wandb.init

    def answer(**settings: Any) -> Any:
        if settings["mode"] == "online":
            raise error
        return init(**settings)

    monkeypatch.setenv("WANDB_API_KEY", "k" * 40)
    monkeypatch.setattr(wandb, "init", answer)


def test_without_a_network_a_run_goes_on_offline(tiny: Any, offline_run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(monkeypatch, CommError("connection refused\nby nobody."))
    code, _, errors = tiny(*SMALL, "run.dir=run", "test=false")
    assert (code, errors) == (0, "W&B does not answer (connection refused): this run continues offline\n")
    assert offline_run(Path("run")).values("val/top1")
    code, _, errors = tiny(*SMALL, "run.dir=other", "test=false", "logger.wandb.mode=online")
    assert code == 2
    assert "logger.wandb.mode=offline needs no network" in errors


def test_a_key_that_is_refused_is_one_line(tiny: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(monkeypatch, AuthenticationError("API key must have 40+ characters, has 5."))
    code, _, errors = tiny(*SMALL, "run.dir=run")
    assert code == 2
    assert errors == (
        "vggexp: error: logger=wandb: API key must have 40+ characters, has 5; logger.wandb.mode=offline needs no key\n"
    )


def test_an_unknown_mode(tiny: Any) -> None:
    code, _, errors = tiny(*SMALL, "logger.wandb.mode=onlin")
    assert code == 2
    assert "logger.wandb.mode=onlin is not known; did you mean 'online'?" in errors


def test_disabled(train_tiny: Train) -> None:
    folder = train_tiny(*SMALL, "logger.wandb.mode=disabled")
    assert (folder / "summary.json").exists()
    assert not list(folder.rglob("*.wandb"))


@pytest.mark.slow
def test_a_killed_run_keeps_its_rows(
    tiny_words: tuple[str, ...], environment: dict[str, str], offline_run: Any
) -> None:
    """SIGKILL, so nobody says goodbye: what was logged more than a second before is there, and the file can be read."""
    command = [sys.executable, "-m", "vggexp", *tiny_words, *SMALL, "trainer.max_epochs=5000", "run.dir=run"]
    pipe = subprocess.DEVNULL
    with subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe, start_new_session=True) as process:
        deadline = time.monotonic() + 240
        while not (Path("run/metrics.jsonl").exists() and len(rows(Path("run"))) >= 20):
            assert process.poll() is None, "it ended by itself"
            assert time.monotonic() < deadline
            time.sleep(0.2)
        written = rows(Path("run"))
        time.sleep(2)  # the log is flushed every second
        os.killpg(process.pid, signal.SIGKILL)
    run = offline_run(Path("run"))
    assert run.exit_codes == []
    values = [row["val/top1"] for row in written if "val/top1" in row]
    assert run.values("val/top1")[: len(values)] == values


@pytest.mark.slow
def test_gradients_and_the_best_checkpoint_if_asked_for(train_tiny: Train, offline_run: Any) -> None:
    """Of the parameters that train in an epoch: under gradual, those of the stages that have thawed by then."""
    folder = train_tiny(
        *SMALL, "trainer.max_epochs=2", "freeze=gradual", "logger.wandb.watch=gradients", "logger.wandb.watch_every=1",
        "logger.wandb.artifact=true", name="runs/s/one",
    )  # fmt: skip
    run = offline_run(folder)
    names = {name for row in run.rows for name in row if name.startswith("gradients/")}
    watched = {name.removeprefix("gradients/").removesuffix("._type") for name in names if "._type" in name}
    assert "head.classifier.0.weight" in watched
    assert any(name.startswith("backbone.features.") for name in watched)
    assert "backbone.features.0.weight" not in watched  # frozen in both epochs
    (artifact,) = [record.artifact for record in run.records if record.HasField("artifact")]
    assert (artifact.type, artifact.name) == ("model", "s.one")
    assert set(artifact.aliases) == {"best", "gradual"}
    assert {entry.path for entry in artifact.manifest.contents} == {"best.ckpt", "config.yaml"}
    scores = json.loads(artifact.metadata)["metrics"]
    assert scores["test/top1"] == run.summary["test/top1"]
    plain = offline_run(train_tiny(*SMALL, name="plain"))
    assert not [record for record in plain.records if record.HasField("artifact")]
    assert not [name for row in plain.rows for name in row if name.startswith("gradients/")]
