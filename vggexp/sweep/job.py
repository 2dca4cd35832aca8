"""Runs one job, a verb with a config, in this process or in one that a launcher started.

A job that fails does not end its sweep: its error is written to the journal and printed at the end.
"""

import os
import sys
import time
import traceback
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any

from vggexp.config.check import check
from vggexp.config.compose import settle
from vggexp.config.naming import in_sweep, place_in_sweep, register
from vggexp.config.recorded import complete
from vggexp.distributed.claim import TakenError, claimed
from vggexp.distributed.processes import import_from_here, is_joined, place_in_run
from vggexp.distributed.whole import disk_error
from vggexp.errors import DataError, UserError, kind_and_line, one_line
from vggexp.run_folder import RunFolder
from vggexp.sweep.data_stamp import changed_data
from vggexp.sweep.finished import run_status
from vggexp.sweep.journal import VARIABLE, Entry, Journal, Plan, sweep_status, title
from vggexp.sweep.resources import job_resources
from vggexp.transfer.last import holds_last, repair_last
from vggexp.transfer.sources import changed_source

Config = Mapping[str, Any]


@dataclass
class Job:
    """The function that Hydra calls with each composed config. It can be pickled, as launchers require."""

    verb: str
    debug: bool
    stamp: str
    """The time at which the command started, for the names of run folders."""
    journal: Path
    """The folder of the sweep's journal; unused if the command is no sweep."""
    home: int = field(default_factory=os.getpid)
    """The process id of the command itself."""
    code: int = 0
    """The exit code, if the command is no sweep."""
    error: Exception | None = None
    """The exception that ended the command."""

    def __call__(self, config: Any) -> float | None:
        """Run the job. In a sweep, return the objective's value, or NaN if the job failed."""
        register(self.stamp)
        if os.getpid() != self.home:
            import_from_here()
        if not in_sweep():
            try:
                self.code = self._alone(config)
            except Exception as error:  # Hydra would print a message of its own
                self.error = error
            return None
        try:
            return self._in_sweep(config, Journal(self.journal))
        except BrokenPipeError as error:  # the reader of the output is gone: end the sweep
            self.error = error
            raise SystemExit from error

    def _alone(self, config: Any) -> int:
        """Run the command. If another process takes a folder of the default name first, take the next free name."""
        for number in count(2):
            settled = settle(self.verb, config)
            try:
                return perform(self.verb, settled)
            except TakenError:
                register(f"{self.stamp}-{number}")
                if _folder(settle(self.verb, config)) == _folder(settled):  # the user gave it
                    raise
        raise AssertionError

    def _in_sweep(self, config: Any, journal: Journal) -> float:
        plan = journal.plan() or Plan(1)
        entry = _note(journal, Entry(*place_in_sweep()))
        at_home = os.getpid() == self.home
        if at_home:
            print(f"\njob {entry.number + 1}/{plan.jobs}  {title(plan, entry.words)}", flush=True)
        try:
            settled = settle(self.verb, config)
            entry = _note(journal, replace(entry, folder=_folder(settled)))
            with nullcontext() if at_home else job_resources(journal.path, plan, settled):
                ending = self._ending(settled)
        except UserError as error:  # the config could not be settled
            ending = self._failed(error)
        except KeyboardInterrupt:
            _note(journal, replace(entry, status="stopped", seconds=time.time() - entry.began))
            raise
        value = ending.pop("value", float("nan"))
        _note(journal, replace(entry, seconds=time.time() - entry.began, **ending))
        if at_home and place_in_run()[0] == 0:
            print(sweep_status(plan, journal.entries(), time.time()), flush=True)
        return float(value)

    def _ending(self, config: Config) -> dict[str, Any]:
        """Run the job and return the journal fields that say how it ended, with the objective's value."""
        os.environ[VARIABLE] = str(self.journal)
        try:
            status, code = train_once(config) if self.verb == "train" else ("done", perform(self.verb, config))
        except BrokenPipeError:
            raise
        except Exception as error:
            return self._failed(error)
        finally:
            os.environ.pop(VARIABLE, None)
        if code:
            return {
                "status": "failed",
                "code": code,
                "error": "some inputs could not be processed; the output above lists them",
            }
        return {"status": status, **(_score(config) if self.verb == "train" else {})}

    def _failed(self, error: Exception) -> dict[str, Any]:
        if isinstance(error, OSError):
            error = disk_error(error) or error
        code, message = (error.code, one_line(error)) if isinstance(error, UserError) else (1, kind_and_line(error))
        if self.debug or not isinstance(error, UserError):  # a bug
            traceback.print_exc()
        print(f"vggexp: error: {message}", file=sys.stderr, flush=True)
        return {"status": "failed", "code": code, "error": message}


def perform(verb: str, config: Config, go_on: bool = False) -> int:
    """Check a composed config, then import the verb's module, which imports torch, and run it."""
    check(verb, config)
    program = import_module(f"vggexp.command.{verb}")
    return int((program.run(config, go_on) if go_on else program.run(config)) or 0)


def train_once(config: Config) -> tuple[str, int]:
    """Train, or skip a run that is finished or in training elsewhere. Returns status and exit code."""
    folder = RunFolder(config["run"]["dir"])
    since = _since(folder, config)
    is_outdated = bool(since) and config["run"]["overwrite"]
    if run_status(config, complete) == "finished" and not is_outdated:
        print(f"{folder.path} is already finished; skipped{since}")
        return "skipped", 0
    if folder.holds_run() and (source := changed_source(folder, config)):
        print(f"{folder.path} started from an earlier {source}, which has been trained again since")
    check("train", config)
    with nullcontext(True) if is_joined() else claimed(folder.path) as is_ours:
        if not is_ours:
            print(f"{folder.path} is being trained by another process; skipped")
            return "skipped", 0
        if run_status(config, complete) == "begun" and folder.holds_run():
            again = {**config, "run": {**config["run"], "overwrite": True}}
            goes_on = not is_outdated and _can_go_on(folder)
            how = "resumes from its last checkpoint" if goes_on else "starts again"
            how += "" if goes_on or is_outdated else ": it has no checkpoint"
            print(f"{folder.path} was interrupted; {how}{since}")
            code = perform("train", config if goes_on else again, goes_on)
        else:
            code = perform("train", config)
    return ("pruned" if folder.read_summary().get("pruned") else "done"), code


def _since(folder: RunFolder, config: Config) -> str:
    """What to say of a run whose result may be out of date; "" of all others."""
    place = changed_data(folder, config) if folder.holds_run() else None
    return f", though files in {place} have changed since: run.overwrite=true trains it anew" if place else ""


def _can_go_on(folder: RunFolder) -> bool:
    """Whether an interrupted run has a checkpoint that is whole."""
    try:
        if found := holds_last(folder):
            repair_last(folder)
        return found
    except DataError as error:
        print(one_line(error))
        return False


def _folder(config: Config) -> str | None:
    """The run folder, if the verb has one."""
    folder: str | None = config.get("run", {}).get("dir")
    return folder


def _note(journal: Journal, entry: Entry) -> Entry:
    """Write the entry to the journal if this process is rank 0."""
    return journal.write(entry) if place_in_run()[0] == 0 else entry


def _score(config: Config) -> dict[str, Any]:
    objective = RunFolder(config["run"]["dir"]).read_summary().get("objective", {})
    if (value := objective.get("value")) is None:
        return {"score": f"{objective['metric']} has no value"} if objective else {}
    return {"value": value, "score": f"{objective['metric']} {value:.4g}"}
