"""How a sweep ends whose launcher gives up; with real processes in e2e/test_sweep.py."""

from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from vggexp.errors import DataError
from vggexp.sweep import command_line
from vggexp.sweep.journal import Entry, Journal, Plan

PLAN = Plan(3, at_once=2, apart=True, varies=("seed",))


def ended_by(error: Exception, monkeypatch: pytest.MonkeyPatch, *statuses: str) -> str:
    """What the user reads, if a launcher raises this with so many jobs begun."""

    def launch(verb: str, words: object, job: command_line.Job, stamp: str, folder: Path) -> None:
        journal = Journal(folder)
        journal.begin(PLAN)
        for number, status in enumerate(statuses):
            journal.write(Entry(number, (f"seed={number + 1}", "head=mlp"), status))
        raise error

    monkeypatch.setattr(command_line, "launch", launch)
    with pytest.raises(DataError) as raised:
        command_line.start("train", ["-m"])
    return str(raised.value)


def test_a_killed_job_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    said = ended_by(BrokenProcessPool("a long text"), monkeypatch, "done", "running")
    assert said == "a job's process was killed (out of memory?): job 2 (seed=2); the same command continues the sweep"


def test_jobs_that_ended_with_the_killed_one_are_named_too(monkeypatch: pytest.MonkeyPatch) -> None:
    said = ended_by(BrokenProcessPool("a long text"), monkeypatch, "running", "failed", "running")
    assert "one of job 1 (seed=1), job 3 (seed=3); the launcher ended all of them" in said


def test_whatever_else_a_launcher_says_is_passed_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended_by(OSError("no room\nat all"), monkeypatch, "done", "running") == "OSError: no room"
    assert "sweep ended early; the same command skips finished jobs and continues" in capsys.readouterr().err


def test_a_bug_before_any_job_is_no_users_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    def launch(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(command_line, "launch", launch)
    with pytest.raises(ZeroDivisionError):
        command_line.start("train", [])
