"""How a run stands: finished, pruned, failed, running, stopped. Told from its folder alone."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vggexp.run_folder import RunFolder, is_alive

_QUIET = 600
"""Seconds without a new row after which a run that another machine writes counts as stopped."""


@dataclass(frozen=True)
class Status:
    """One word, and what there is to say of it."""

    word: str
    """finished | pruned | failed | running | stopped"""
    epochs: int = 0
    """Epochs that it has validated, of ``planned``."""
    planned: int = 0
    why: str = ""
    """What ended it; "" where nothing is known, or nothing is wrong."""

    def __str__(self) -> str:
        """As a table has it.

        >>> str(Status("finished", 5, 5)), str(Status("pruned", 2, 5)), str(Status("running", 2, 5))
        ('finished', 'pruned, 2/5 epochs', 'running, 2/5 epochs')
        """
        if self.word == "finished" or not self.planned:
            return self.word
        return f"{self.word}, {self.epochs}/{self.planned} epochs"


def of_finished(summary: Mapping[str, Any], planned: int) -> Status:
    """Of a run with a summary: whether it came to its end, or was stopped early by the median rule."""
    pruned = summary.get("pruned")
    if not pruned:
        return Status("finished", planned, planned)
    why = f"its best was worse than the median of {pruned.get('runs', '?')} finished runs"
    return Status("pruned", int(pruned["epoch"]) + 1, planned, why)


def of_unfinished(folder: RunFolder, epochs: int, planned: int) -> Status:
    """Of a run without one: by what its process has left, and whether that still holds it."""
    try:
        state = dict(json.loads(folder.state.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):  # of an older version, or just being written
        state = {}
    if error := state.get("failed"):
        return Status("failed", epochs, planned, str(error))
    if state.get("stopped"):
        return Status("stopped", epochs, planned, "by Ctrl-C")
    if (alive := is_alive(folder)) is None:
        alive = folder.metrics.exists() and time.time() - folder.metrics.stat().st_mtime < _QUIET
    why = "" if alive or not state else "its process is gone: was it killed, or out of memory?"
    return Status("running" if alive else "stopped", epochs, planned, why)
