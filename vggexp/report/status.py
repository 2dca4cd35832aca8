"""The status of a run (finished, pruned, failed, running or stopped), read from its folder alone."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vggexp.run_folder import RunFolder, is_alive

_QUIET = 600
"""Seconds without a new row after which a run on another machine counts as stopped."""


@dataclass(frozen=True)
class Status:
    """One word, with its epochs and reason."""

    word: str
    """finished | pruned | failed | running | stopped"""
    epochs: int = 0
    """Number of validated epochs, of ``planned``."""
    planned: int = 0
    why: str = ""
    """Why it ended; "" if unknown, or if nothing is wrong."""

    def __str__(self) -> str:
        """The text for a table.

        >>> str(Status("finished", 5, 5)), str(Status("pruned", 2, 5)), str(Status("running", 2, 5))
        ('finished', 'pruned, 2/5 epochs', 'running, 2/5 epochs')
        """
        if self.word == "finished" or not self.planned:
            return self.word
        return f"{self.word}, {self.epochs}/{self.planned} epochs"


def of_finished(summary: Mapping[str, Any], planned: int) -> Status:
    """The status of a run with a summary: finished, or pruned by the median rule."""
    pruned = summary.get("pruned")
    if not pruned:
        return Status("finished", planned, planned)
    why = f"its best was worse than the median of {pruned.get('runs', '?')} finished runs"
    return Status("pruned", int(pruned["epoch"]) + 1, planned, why)


def of_unfinished(folder: RunFolder, epochs: int, planned: int) -> Status:
    """The status of a run without a summary, from its state file and whether its process is alive."""
    try:
        state = dict(json.loads(folder.state.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):  # written by an older version, or being written now
        state = {}
    if error := state.get("failed"):
        return Status("failed", epochs, planned, str(error))
    if how := state.get("stopped"):
        return Status("stopped", epochs, planned, how if isinstance(how, str) else "by Ctrl-C")
    if (alive := is_alive(folder)) is None:
        alive = folder.metrics.exists() and time.time() - folder.metrics.stat().st_mtime < _QUIET
    why = "" if alive or not state else "its process is gone: was it killed, or out of memory?"
    return Status("running" if alive else "stopped", epochs, planned, why)
