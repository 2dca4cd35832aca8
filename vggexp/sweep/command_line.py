"""A command line: one job, or a sweep of them; how it ends, and its exit code."""

import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor
from dataclasses import replace
from pathlib import Path

from vggexp.config.compose import launch
from vggexp.distributed.processes import leave
from vggexp.errors import DataError, UserError, kind_and_line
from vggexp.sweep.job import Job
from vggexp.sweep.journal import Entry, Journal, Plan, failures, standing, title
from vggexp.sweep.multirun import stop_watching


def start(verb: str, words: Sequence[str], debug: bool = False) -> int:
    """Do what a command line asks for, once or as a sweep, and return the exit code: a sweep's is its jobs' highest."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    folder = Path("runs", ".sweep", f"{stamp}-{os.getpid()}")
    job = Job(verb, debug, stamp, folder.absolute())
    journal = Journal(job.journal)
    try:
        launch(verb, words, job, stamp, folder)
    except KeyboardInterrupt:
        _tell(journal, "interrupted")
        raise
    except SystemExit:
        if job.error:
            raise job.error from None
        raise
    except UserError:
        raise
    except Exception as error:  # jobs raise nothing: it comes from a launcher, or is a bug
        if (ending := _given_up(journal, error)) is None:
            raise
        raise ending from error
    finally:
        stop_watching()
    if job.error:
        raise job.error
    leave()
    return job.code if (plan := journal.plan()) is None else _conclude(plan, journal)


def _given_up(journal: Journal, error: Exception) -> DataError | None:
    """What it means that a launcher raised an error in the middle of a sweep; None if no sweep had begun."""
    plan, entries = journal.plan(), journal.entries()
    if plan is None or not (plan.apart or entries):
        return None
    stop_watching()
    lost = [f"job {entry.number + 1} ({title(plan, entry.words)})" for entry in entries if entry.status == "running"]
    if lost and isinstance(error, BrokenExecutor):  # joblib's, when one of its processes is gone
        which = f"one of {', '.join(lost)}, which the launcher ended together" if len(lost) > 1 else lost[0]
        return DataError(f"a job's process was killed (was memory short?): {which}; the same command goes on")
    _tell(journal, "ended early")
    return DataError(kind_and_line(error))


def _tell(journal: Journal, how: str) -> None:
    """How far a sweep came that did not come to its end."""
    if plan := journal.plan():
        stand = standing(plan, journal.entries(), time.time())
        print(f"\n{stand}\nvggexp: sweep {how}; the same command skips what is finished and goes on", file=sys.stderr)


def _conclude(plan: Plan, journal: Journal) -> int:
    """List what failed; the highest of the exit codes."""
    entries = [_ended(entry) for entry in journal.entries()]
    if failed := failures(plan, entries):
        count = f"{len(failed)} of {len(entries)} jobs failed"
        advice = "the same command skips what is finished and tries these again"
        print(f"\n{count}\n" + "\n".join(failed) + f"\n{advice}", file=sys.stderr)
    return max((entry.code for entry in entries), default=0)


def _ended(entry: Entry) -> Entry:
    """A job that never told how it ended has failed."""
    if entry.status != "running":
        return entry
    return replace(entry, status="failed", code=1, error="its process ended; was it killed, or out of memory?")
