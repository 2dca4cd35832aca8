"""Runs a command line as one job or as a sweep, reports how it ended, and returns its exit code."""

import os
import sys
import time
import traceback
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor
from dataclasses import replace
from pathlib import Path

from vggexp.config.compose import launch
from vggexp.distributed.processes import leave
from vggexp.errors import ConfigError, DataError, UserError, kind_and_line
from vggexp.sweep.job import Job
from vggexp.sweep.journal import Entry, Journal, Plan, failures, sweep_status, title
from vggexp.sweep.multirun import stop_watching


def start(verb: str, words: Sequence[str], debug: bool = False) -> int:
    """Run the verb, once or as a sweep, and return the exit code; for a sweep, the highest of its jobs' codes."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    folder = Path("runs", ".sweep", f"{stamp}-{os.getpid()}")
    job = Job(verb, debug, stamp, folder.absolute())
    journal = Journal(job.journal)
    try:
        launch(verb, words, job, stamp, folder)
    except KeyboardInterrupt:
        _report_partial(journal, "interrupted")
        raise
    except SystemExit as leaving:
        if job.error:
            raise job.error from None
        if isinstance(leaving.__cause__, UserError):  # the sweep could not be planned
            raise leaving.__cause__ from None
        raise
    except UserError:
        raise
    except Exception as error:  # a job raises nothing, so a launcher or a sweeper raised it, or it is a bug
        if _is_hydras(error):
            raise ConfigError(
                f"Hydra cannot take these words, perhaps those of hydra.*: {kind_and_line(error)}"
            ) from error
        if (launcher_error := _launcher_error(journal, error)) is None:
            raise
        raise launcher_error from error
    finally:
        stop_watching()
    if job.error:
        raise job.error
    leave()
    return job.code if (plan := journal.plan()) is None else _conclude(plan, journal)


def _is_hydras(error: Exception) -> bool:
    """Whether Hydra itself raised it, whose assertions are no messages; jobs raise nothing."""
    if isinstance(error, OSError):  # such as a reader of the output that has left
        return False
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and not {"hydra", "omegaconf"}.isdisjoint(Path(frames[-1].filename).parts)


def _launcher_error(journal: Journal, error: Exception) -> DataError | None:
    """The error to report when a launcher raised one during a sweep; None if no sweep had started."""
    plan, entries = journal.plan(), journal.entries()
    if plan is None or not (plan.apart or entries):
        return None
    stop_watching()
    lost = [f"job {entry.number + 1} ({title(plan, entry.words)})" for entry in entries if entry.status == "running"]
    if lost and isinstance(error, BrokenExecutor):  # joblib raises it when one of its processes was killed
        which = f"one of {', '.join(lost)}; the launcher ended all of them" if len(lost) > 1 else lost[0]
        return DataError(f"a job's process was killed (out of memory?): {which}; the same command continues the sweep")
    _report_partial(journal, "ended early")
    return DataError(kind_and_line(error))


def _report_partial(journal: Journal, how: str) -> None:
    """Print how far a sweep came that ended before its last job."""
    if plan := journal.plan():
        status = sweep_status(plan, journal.entries(), time.time())
        advice = "the same command skips finished jobs and continues"
        print(f"\n{status}\nvggexp: sweep {how}; {advice}", file=sys.stderr)


def _conclude(plan: Plan, journal: Journal) -> int:
    """Print the failed jobs and return the highest exit code."""
    entries = [_ended(entry) for entry in journal.entries()]
    if failed := failures(plan, entries):
        count = f"{len(failed)} of {len(entries)} jobs failed"
        advice = "the same command skips finished jobs and runs these again"
        print(f"\n{count}\n" + "\n".join(failed) + f"\n{advice}", file=sys.stderr)
    return max((entry.code for entry in entries), default=0)


def _ended(entry: Entry) -> Entry:
    """Count a job as failed if the journal still says that it is running."""
    if entry.status != "running":
        return entry
    return replace(entry, status="failed", code=1, error="its process ended; was it killed, or out of memory?")
