"""One writer a folder."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from vggexp.distributed.claim import TakenError, claim, claimed

HOLD = "import sys; from pathlib import Path; from vggexp.distributed.claim import claim\n"
HOLD += "with claim(Path(sys.argv[1])): print(flush=True); input()"


@contextmanager
def held(folder: Path) -> Iterator[int]:
    """Another process claims the folder; yields its id."""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", HOLD, str(folder)], stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        yield process.pid
        process.stdin.write("\n")


def test_the_refusal_names_the_process_and_the_host(tmp_path: Path) -> None:
    with held(tmp_path) as process:
        told = rf"is being written by process {process} on {os.uname().nodename}; .* advice"
        with pytest.raises(TakenError, match=told):
            claim(tmp_path, "advice").__enter__()
        with claimed(tmp_path) as is_ours:
            assert not is_ours
    with claimed(tmp_path) as is_ours:
        assert is_ours
        with claim(tmp_path):  # a process may claim what it holds
            pass
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_which_nothing_was_written_does_not_stay(tmp_path: Path) -> None:
    with claim(tmp_path / "a"):
        pass
    assert not (tmp_path / "a").exists()
    (tmp_path / "b").mkdir()
    with claim(tmp_path / "b"):
        pass
    assert (tmp_path / "b").exists()


def test_a_forked_process_does_not_keep_the_claim(tmp_path: Path) -> None:
    """The loading processes of a run that was killed outlive it for some seconds."""
    program = HOLD.replace("print", "os.fork() or time.sleep(9); print").replace("import sys", "import os, sys, time")
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.kill()
        process.wait()
        ends = time.monotonic() + 6  # the child lets go as soon as it runs at all, and sleeps for 9 seconds
        is_ours = False
        while not is_ours and time.monotonic() < ends:
            with claimed(tmp_path) as is_ours:
                pass
            time.sleep(0.05)
        assert is_ours


def test_verbs_refuse_a_run_that_is_being_written(stub: Any, vggexp: Any, trained: Path) -> None:
    assert vggexp("run.dir=a")[0] == 0
    Path("a/summary.json").unlink()
    commands = [
        ("run.dir=a", "run.overwrite=true"),
        ("resume", "a"),
        ("rerun", "a"),
        ("rerun", "a", "run.overwrite=true"),
    ]
    before = sorted(Path("a").iterdir())
    with held(Path("a")) as process:
        for words in commands:
            code, _, errors = vggexp(*words)
            assert code == 2, words
            assert f"a is being written by process {process}" in errors
    assert sorted(Path("a").iterdir()) == before
    with held(trained) as process:
        code, _, errors = vggexp("evaluate", str(trained))
    assert (code, f"written by process {process} on" in errors, "give output=FILE" in errors) == (2, True, True)


def test_the_default_name_is_the_next_free_one(stub: Any, vggexp: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.strftime", lambda *_: "20261126-120000")
    with held(Path("runs/20261126-120000-classification-vgg16_bn-mlp-none")):
        code, _, errors = vggexp("backbone.width=0.1")
    assert code == 0, errors
    assert [path.name for path in Path("runs").glob("*-none")] == ["20261126-120000-2-classification-vgg16_bn-mlp-none"]
    with held(Path("mine")):
        code, _, errors = vggexp("run.dir=mine")
    assert (code, "mine is being written by" in errors) == (2, True)
