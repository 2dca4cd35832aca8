"""The folder of a run: the paths of its files, and safe ways to write them.

config.yaml        the resolved config, sufficient to repeat the run
metrics.jsonl      one row per log call
summary.json       final metrics and cost; it exists if and only if the run is finished
sources.json       for a run that starts from checkpoints: their checksums when it began
data.json          for a data set of files: what they looked like from outside when the run began
state.json         for an unfinished run: the process that writes it, or why it stopped
freeze.csv         what was trainable in each epoch, with hashes of the tensors
splits.csv         for a data set that divides photos: the split of each
skipped.csv        photos that were left out because they cannot be read (data.on_error=skip)
checkpoint/        best.ckpt, last.ckpt; until the run is finished also previous.ckpt, the last one before
prediction/        pictures; val.json and test.json with predictions per image and diagnostics
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
from vggexp.distributed.whole import whole
from vggexp.errors import ConfigError

_OWN = ("config.yaml", "metrics.jsonl", "summary.json", "sources.json", "data.json", "state.json", "freeze.csv",
        "splits.csv", "skipped.csv", "checkpoint", "prediction", "csv", "tensorboard", "wandb", "comet")  # fmt: skip
PREVIOUS = ".previous"


class RunFolder:
    """The folder of one run, given by its path."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.config = self.path / "config.yaml"
        self.metrics = self.path / "metrics.jsonl"
        self.summary = self.path / "summary.json"
        self.sources = self.path / "sources.json"
        self.data = self.path / "data.json"
        self.state = self.path / "state.json"
        self.freeze = self.path / "freeze.csv"
        self.splits = self.path / "splits.csv"
        self.skipped = self.path / "skipped.csv"
        self.predictions = self.path / "prediction"
        self.best = self.path / "checkpoint" / "best.ckpt"
        self.last = self.path / "checkpoint" / "last.ckpt"
        self.previous = self.path / "checkpoint" / "previous.ckpt"

    def begin(self, config: Mapping[str, Any], overwrite: bool = False) -> None:
        """Create the folder and write the config.

        Raises:
            ConfigError: the folder holds a run. With ``overwrite`` that run is moved aside instead.
        """
        if self.holds_run():
            if not overwrite:
                raise ConfigError(f"{self.path} holds a run; choose another run.dir, or set run.overwrite=true")
            self._set_aside()
        self.path.mkdir(parents=True, exist_ok=True)
        write_whole(self.config, as_yaml(config))

    def change(self, config: Mapping[str, Any]) -> None:
        """Record the config of a run that goes on, or that is extended, with other values. It is not finished then."""
        write_whole(self.config, as_yaml(config))
        self.summary.unlink(missing_ok=True)

    def go_on(self, epochs: int, row: Mapping[str, Any] | None = None) -> None:
        """Delete the rows written after the last checkpoint, which has ``epochs`` epochs; a resume rewrites them.

        Args:
            row: the last of these epochs' row of metrics.jsonl that follows the checkpoint; a kill may have lost it.
        """
        _keep_lines(self.metrics, lambda line: int(json.loads(line)["epoch"]) < epochs)
        if row and not any(row.keys() <= json.loads(line).keys() for line in _lines_of(self.metrics, row["epoch"])):
            with self.metrics.open("a", encoding="utf-8") as file:
                file.write(json.dumps(plain(row)) + "\n")
        _keep_lines(self.freeze, lambda line: line.startswith("epoch,") or int(line.partition(",")[0]) < epochs)

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Write the summary, which marks the run as finished, and delete the run that it replaces."""
        write_whole(self.summary, json.dumps(plain(summary), indent=2) + "\n")
        self.previous.unlink(missing_ok=True)
        shutil.rmtree(self.path / PREVIOUS, ignore_errors=True)

    def holds_run(self) -> bool:
        """Whether the folder holds results of a run."""
        return self.metrics.exists() or self.summary.exists()

    def read_summary(self) -> dict[str, Any]:
        """The summary; {} if the run is not finished."""
        return dict(json.loads(self.summary.read_text())) if self.summary.exists() else {}

    def curve(self, metric: str) -> dict[int, float]:
        """The last value of a metric in each epoch, from the complete rows."""
        found = {}
        for line in self.metrics.read_text(encoding="utf-8").splitlines() if self.metrics.exists() else []:
            with suppress(ValueError):  # a last row that is still being written
                row = json.loads(line)
                if metric in row:
                    found[int(row["epoch"])] = math.nan if row[metric] is None else float(row[metric])
        return found

    def _set_aside(self) -> None:
        """Move the earlier run aside until the new one is finished; an unfinished one only if none is there yet."""
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


def _lines_of(path: Path, epoch: int) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [line for line in lines if json.loads(line)["epoch"] == epoch]


def _keep_lines(path: Path, keep: Callable[[str], bool]) -> None:
    """Keep these lines of a file. One that a kill or a full disk cut short is dropped: a resume writes it again."""
    kept = []
    for line in path.read_text(encoding="utf-8").splitlines(True) if path.exists() else []:
        with suppress(ValueError, KeyError, TypeError):
            if line.endswith("\n") and keep(line):
                kept.append(line)
    if path.exists():
        write_whole(path, "".join(kept))


def hold(folder: RunFolder) -> IO[str]:
    """Mark the run as written by this process, until the process ends or the returned file is closed.

    The system releases the lock on the file when the process ends for any reason. The content tells other machines
    which host and process it is.
    """
    file = folder.state.open("a+", encoding="utf-8")  # "w" would empty the file of another process
    lock(file.fileno())
    say(file)
    return file


def say(file: IO[str], **how: Any) -> None:
    """Replace the content of state.json: host, process, and how the run ended."""
    file.seek(0)
    file.truncate()
    file.write(json.dumps({"host": platform.node(), "process": os.getpid(), **how}) + "\n")
    file.flush()


def is_alive(folder: RunFolder) -> bool | None:
    """Whether a process of this machine is writing the run; None if this cannot be determined."""
    try:
        with folder.state.open(encoding="utf-8") as file:
            if json.loads(file.read()).get("host") != platform.node():
                return None
            is_free = lock(file.fileno(), shared=True)
    except (OSError, ValueError, AttributeError):
        return None
    return None if is_free is None else not is_free


def write_whole(path: Path, text: str) -> None:
    """Write a temporary file and rename it, so that a reader sees either the old content or all of the new one."""
    with whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def as_yaml(config: Mapping[str, Any]) -> str:
    """A config as YAML that reads back as it is: PyYAML leaves Unicode's line ends plain, and reads them as spaces."""
    text = yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True)
    odd = any(sign in text for sign in "\x85\u2028\u2029\ufeff")
    return yaml.safe_dump(dict(config), sort_keys=False) if odd else text


def plain(value: Any) -> Any:
    """The value in JSON types; NaN and infinity, which JSON does not have, become None."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
