"""A run's folder: where its files are, and how they are written so that nothing is lost.

config.yaml        the resolved config, enough to run again
metrics.jsonl      a row a log call
summary.json       final metrics and what they cost; its presence says that the run finished
state.json         while a run is not finished: who writes it, and what ended it before its end
freeze.csv         what trained in each epoch, and the hashes that prove it
checkpoint/        best.ckpt, last.ckpt
prediction/        pictures; val.json and test.json: what was predicted of which image, and the diagnostics
"""

import json
import math
import os
import platform
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import yaml

from vggexp.distributed.lock import lock
from vggexp.errors import ConfigError

_OWN = ("config.yaml", "metrics.jsonl", "summary.json", "state.json", "freeze.csv", "checkpoint", "prediction", "csv",
        "tensorboard", "wandb")  # fmt: skip
PREVIOUS = ".previous"


class RunFolder:
    """The folder of one run, given by its path."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.config = self.path / "config.yaml"
        self.metrics = self.path / "metrics.jsonl"
        self.summary = self.path / "summary.json"
        self.state = self.path / "state.json"
        self.freeze = self.path / "freeze.csv"
        self.predictions = self.path / "prediction"
        self.best = self.path / "checkpoint" / "best.ckpt"
        self.last = self.path / "checkpoint" / "last.ckpt"

    def begin(self, config: Mapping[str, Any], overwrite: bool = False) -> None:
        """Make the folder and write the config. An earlier run in it is set aside if ``overwrite``, else refused."""
        if self.holds_run():
            if not overwrite:
                raise ConfigError(f"{self.path} holds a run; name another run.dir, or say run.overwrite=true")
            self._set_aside()
        self.path.mkdir(parents=True, exist_ok=True)
        write_whole(self.config, yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True))

    def go_on(self, epochs: int) -> None:
        """Drop the rows that the run's last checkpoint, ``epochs`` epochs old, does not know of: they come again."""
        _keep_lines(self.metrics, lambda line: json.loads(line)["epoch"] < epochs)
        _keep_lines(self.freeze, lambda line: line.startswith("epoch,") or int(line.partition(",")[0]) < epochs)

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Write the summary, which ends the run, and let go of the run that it replaces."""
        write_whole(self.summary, json.dumps(plain(summary), indent=2) + "\n")
        shutil.rmtree(self.path / PREVIOUS, ignore_errors=True)

    def holds_run(self) -> bool:
        """Whether a run has begun to write here."""
        return self.metrics.exists() or self.summary.exists()

    def read_summary(self) -> dict[str, Any]:
        """The summary; {} while the run is not finished."""
        return dict(json.loads(self.summary.read_text())) if self.summary.exists() else {}

    def curve(self, metric: str) -> dict[int, float]:
        """A metric by epoch, the last value of each, from the rows that are whole."""
        found = {}
        for line in self.metrics.read_text(encoding="utf-8").splitlines() if self.metrics.exists() else []:
            with suppress(ValueError):  # a last row that is still being written
                row = json.loads(line)
                if metric in row:
                    found[int(row["epoch"])] = math.nan if row[metric] is None else float(row[metric])
        return found

    def _set_aside(self) -> None:
        """Keep the earlier run until the new one has finished; of an unfinished one, only if there is no other."""
        aside = self.path / PREVIOUS
        if aside.exists() and self.summary.exists():
            shutil.rmtree(aside)
        aside.mkdir(exist_ok=True)
        for name in _OWN:
            source = self.path / name
            if not source.exists():
                continue
            if (aside / name).exists():
                shutil.rmtree(source) if source.is_dir() else source.unlink()
            else:
                source.rename(aside / name)


def _keep_lines(path: Path, keep: Callable[[str], bool]) -> None:
    if path.exists():
        write_whole(path, "".join(line for line in path.read_text(encoding="utf-8").splitlines(True) if keep(line)))


def hold(folder: RunFolder) -> IO[str]:
    """Say that this process writes a run, for as long as it lives or the file that is returned is open.

    The lock on that file ends with the process, however that ends; what the file says is for other machines.
    """
    file = folder.state.open("w", encoding="utf-8")
    lock(file.fileno())
    say(file)
    return file


def say(file: IO[str], **how: Any) -> None:
    """Write anew who holds a run, and how it ended."""
    file.seek(0)
    file.truncate()
    file.write(json.dumps({"host": platform.node(), "process": os.getpid(), **how}) + "\n")
    file.flush()


def is_alive(folder: RunFolder) -> bool | None:
    """Whether a process of this machine holds the run; None where that cannot be told."""
    try:
        with folder.state.open(encoding="utf-8") as file:
            if json.loads(file.read()).get("host") != platform.node():
                return None
            is_free = lock(file.fileno(), shared=True)
    except (OSError, ValueError, AttributeError):
        return None
    return None if is_free is None else not is_free


def write_whole(path: Path, text: str) -> None:
    """Write a file under a temporary name and rename it: whoever reads it sees all of it or the old one."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def plain(value: Any) -> Any:
    """The value in JSON's types: a NaN or an infinity, which JSON lacks, as null."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
