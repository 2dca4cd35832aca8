"""``metrics.jsonl``: the log of every run, one row per log call, written at once so that a kill loses nothing."""

import json
import time
from argparse import Namespace
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers.logger import Logger
from pytorch_lightning.utilities import rank_zero_only

from vggexp.distributed.processes import place_in_run
from vggexp.distributed.signals import Terminated
from vggexp.distributed.whole import disk_error
from vggexp.errors import UserError, one_line
from vggexp.report.runs import read_rows
from vggexp.run_folder import RunFolder, hold, plain, say


class MetricsJsonl(Logger):
    """Appends rows such as ``{"step": 38, "epoch": 0, "time": 1.7, "val/top1": 0.31}``; time in seconds."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        before = read_rows(RunFolder(path.parent))
        self._start = time.monotonic() - (before[-1]["time"] if before else 0.0)
        self._state = hold(RunFolder(path.parent)) if place_in_run()[0] == 0 else None

    @property
    def name(self) -> str:
        """The logger's name."""
        return "metrics.jsonl"

    @property
    def version(self) -> str:
        """Empty: a run folder has one log."""
        return ""

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Append one row; a NaN is written as null."""
        row = self.row(metrics, step)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")

    def row(self, metrics: Mapping[str, float], step: int | None = None) -> dict[str, Any]:
        """The row of these metrics, in plain types."""
        values = dict(metrics)
        epoch = values.pop("epoch", None)
        row: dict[str, Any] = {"step": step, "epoch": None if epoch is None else int(epoch)}
        return row | {"time": round(time.monotonic() - self._start, 3), **plain(values)}

    def __del__(self) -> None:
        """Release the state file even if the run ended before training."""
        if state := getattr(self, "_state", None):
            state.close()

    def close(self, summary: Mapping[str, Any], error: BaseException | None = None) -> None:
        """Record why the run ended early; a finished run has its summary, so remove its state file."""
        if self._state is None:
            return
        if error is None:
            Path(self._state.name).unlink(missing_ok=True)
        else:
            with suppress(OSError):  # a full disk would hide what ended the run
                say(self._state, **_how(error))
        with suppress(OSError):
            self._state.close()

    @rank_zero_only
    def log_hyperparams(self, params: dict[str, Any] | Namespace, *args: Any, **kwargs: Any) -> None:
        """Do nothing: config.yaml holds the hyperparameters."""


def _how(error: BaseException) -> dict[str, Any]:
    if isinstance(error, KeyboardInterrupt):
        return {"stopped": "by SIGTERM" if isinstance(error, Terminated) else "by Ctrl-C"}
    if isinstance(error, OSError):
        error = disk_error(error) or error
    if isinstance(error, UserError):
        return {"failed": one_line(error)}
    return {"failed": f"{type(error).__name__}: {(str(error).strip() or 'no message').splitlines()[0]}"}
