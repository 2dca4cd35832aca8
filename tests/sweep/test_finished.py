"""A sweep: a failed job stops no other, and a repeated command trains only what is missing.

Most tests replace the training by a stub that leaves a run folder behind; those in e2e/test_sweep.py train.
"""

import fcntl
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from vggexp.errors import ConfigError, DataError
from vggexp.run_folder import RunFolder
from vggexp.transfer.checkpoint import write_checkpoint
from vggexp.transfer.sources import write_sources

Vggexp = Callable[..., tuple[int, str, str]]
WORDS = ("-m", "seed=1,2", "run.name=s${seed}")


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (DataError("a/b.jpg cannot be read"), 1, "a/b.jpg cannot be read"),
        (ConfigError("that cannot work"), 2, "that cannot work"),
        (ZeroDivisionError("a bug"), 1, "ZeroDivisionError: a bug"),
    ],
)
def test_a_failed_job_stops_no_other(error: Exception, code: int, told: str, stub: Any, vggexp: Vggexp) -> None:
    stub.errors[2] = error
    ended, out, errors = vggexp("-m", "seed=1,2,3", "run.name=s${seed}", "backbone.width=0.1")
    assert ended == code
    assert [seed for seed, _ in stub.calls] == [1, 2, 3]
    assert "job 2/3  seed=2\n" in out
    assert "sweep 2/3 · 1 failed · about " in out
    assert out.rstrip().endswith("sweep 3/3 · 1 failed")
    assert f"1 of 3 jobs failed\n  job 2  seed=2  (exit code {code}, runs/s2): {told}\n" in errors
    assert ("Traceback" in errors) == isinstance(error, ZeroDivisionError)


def test_a_job_that_cannot_be_composed_stops_the_sweep_before_it_begins(stub: Any, vggexp: Vggexp) -> None:
    code, _, errors = vggexp("-m", "seed=1", "optimizer=sgd,sdg")
    assert code == 2
    assert "optimizer has no option 'sdg'" in errors
    assert stub.calls == []


def test_the_exit_code_is_the_highest(stub: Any, vggexp: Vggexp) -> None:
    stub.errors = {1: ConfigError("x"), 2: DataError("y")}
    assert vggexp(*WORDS)[0] == 2


def test_ctrl_c_ends_the_sweep_and_the_same_command_goes_on(stub: Any, vggexp: Vggexp) -> None:
    stub.errors[2] = KeyboardInterrupt()
    command = ("-m", "seed=1,2,3")
    code, _, errors = vggexp(*command)
    assert code == 130
    assert "sweep 1/3 · 1 stopped" in errors
    assert "vggexp: sweep interrupted; the same command skips finished jobs and continues" in errors
    stub.errors.clear()
    code, out, errors = vggexp(*command)
    assert code == 0, errors
    assert [seed for seed, _ in stub.calls] == [1, 2, 2, 3]
    assert "is already finished; skipped" in out
    assert "was interrupted; starts again: it has no checkpoint" in out
    assert len(list(Path("runs").glob("*-mlp-none-*"))) == 3


def test_a_repeated_sweep_skips_what_is_finished_and_trains_the_rest(stub: Any, vggexp: Vggexp) -> None:
    assert vggexp(*WORDS)[0] == 0
    Path("runs/s2/summary.json").unlink()
    Path("runs/s2/metrics.jsonl").unlink()
    before = Path("runs/s1/summary.json").read_bytes()
    code, out, errors = vggexp(*WORDS)
    assert code == 0, errors
    assert "runs/s1 is already finished; skipped" in out
    assert "sweep 2/2 · 1 skipped" in out
    assert Path("runs/s1/summary.json").read_bytes() == before
    assert json.loads(Path("runs/s2/summary.json").read_text())["seed"] == 2


def test_a_job_that_was_cut_short_goes_on_from_its_checkpoint(stub: Any, vggexp: Vggexp) -> None:
    assert vggexp(*WORDS)[0] == 0
    Path("runs/s2/summary.json").unlink()
    last = RunFolder("runs/s2").last
    last.parent.mkdir()
    torch.save({}, last)
    code, out, errors = vggexp(*WORDS)
    assert code == 0, errors
    assert "runs/s2 was interrupted; resumes from its last checkpoint" in out
    assert stub.calls[2:] == [(2, True)]
    Path("runs/s2/summary.json").unlink()
    code, _, errors = vggexp(*WORDS, "optimizer.lr=0.5")  # another config's beginning is not this one's
    assert code == 2
    assert "runs/s2 holds a run" in errors


def forget(path: Path, *keys: str) -> None:
    """Let a run's recorded config be one from before these keys existed."""
    config = yaml.safe_load(path.read_text())
    for key in keys:
        *above, name = key.split(".")
        node = config
        for word in above:
            node = node[word]
        del node[name]
    path.write_text(yaml.safe_dump(config))


@pytest.mark.slow
def test_a_run_from_before_a_key_existed_is_the_same_run_if_the_key_has_its_default(stub: Any, vggexp: Vggexp) -> None:
    words = ("-m", "seed=1", "run.name=s${seed}", "backbone.width=0.1", "freeze=gradual")
    assert vggexp(*words)[0] == 0
    config = Path("runs/s1/config.yaml")
    forget(config, "cache", "choice.cache", "optimizer.lr_for_batch", "freeze.every", "trainer.nodes", "objective.mode")
    code, out, errors = vggexp(*words)
    assert code == 0, errors
    assert "is already finished; skipped" in out
    for changed in (["cache=off"], ["freeze.every=3"], ["trainer.nodes=2", "trainer.rendezvous=localhost:1"]):
        code, _, errors = vggexp(*words, *changed)
        assert code == 2, changed
        assert "runs/s1 holds a finished run" in errors
    assert len(stub.calls) == 1


def test_a_run_whose_source_was_trained_again_is_out_of_date(stub: Any, vggexp: Vggexp) -> None:
    source = RunFolder("source")
    write_checkpoint(source.best, {"epoch": 1})
    words = ("-m", "seed=1", "run.name=s", "backbone.weights=source")
    assert vggexp(*words)[0] == 0
    write_sources(RunFolder("runs/s"), {"backbone": {"weights": "source"}})  # a real training does
    assert "is already finished; skipped" in vggexp(*words)[1]
    write_checkpoint(source.best, {"epoch": 2})
    code, out, errors = vggexp(*words)
    assert code == 2
    assert "runs/s started from an earlier source, which has been trained again since" in out
    assert "runs/s holds a finished run" in errors
    assert vggexp(*words, "run.overwrite=true")[0] == 0
    assert len(stub.calls) == 2


def test_where_things_are_kept_is_no_part_of_what_a_run_does(
    stub: Any, vggexp: Vggexp, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert vggexp("-m", "seed=1", "run.name=s")[0] == 0
    monkeypatch.setenv("VGGEXP_CACHE", "elsewhere")
    code, out, errors = vggexp("-m", "seed=1", "run.name=s", "data.cache_dir=there")
    assert code == 0, errors
    assert "is already finished; skipped" in out


def test_presets_and_loggers_are_no_part_of_what_a_run_does(stub: Any, vggexp: Vggexp) -> None:
    assert vggexp("-m", "seed=1", "run.name=s", "trainer.max_epochs=18", "backbone.width=0.25")[0] == 0
    code, out, errors = vggexp("-m", "seed=1", "run.name=s", "experiment=lecture", "logger=csv")
    assert code == 0, errors
    assert "is already finished; skipped" in out


def test_two_sweeps_share_the_work(stub: Any, vggexp: Vggexp) -> None:
    Path("runs/s1").mkdir(parents=True)
    handle = os.open("runs/s1", os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    code, out, errors = vggexp(*WORDS)
    os.close(handle)
    assert code == 0, errors
    assert "runs/s1 is being trained by another process; skipped" in out
    assert [seed for seed, _ in stub.calls] == [2]


def test_a_finished_run_of_another_config_is_no_reason_to_skip(stub: Any, vggexp: Vggexp) -> None:
    assert vggexp(*WORDS, "seed=1")[0] == 0
    code, _, errors = vggexp(*WORDS, "seed=1", "optimizer.lr=0.5")
    assert code == 2
    assert "runs/s1 holds a finished run" in errors


def test_a_single_run_never_skips(stub: Any, vggexp: Vggexp) -> None:
    assert vggexp("run.dir=one")[0] == 0
    code, _, errors = vggexp("run.dir=one")
    assert code == 2
    assert "one holds a finished run" in errors


def test_a_sweep_of_another_verb(vggexp: Vggexp) -> None:
    code, out, errors = vggexp("summary", "-m", "backbone=vgg11,vgg13", "head=linear")
    assert code == 0, errors
    assert "sweep 2/2" in out
