"""What W&B wrote offline, read back record by record: the format is LevelDB's log around protocol buffers."""

import json
import os
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

_BLOCK, _HEAD = 32768, struct.Struct("<IHB")


class OfflineRun:
    """A ``.wandb`` file; every record's checksum is right, and whatever follows the last whole one is left out."""

    def __init__(self, path: Path) -> None:
        self.folder = path.parent
        self.records = list(_records(path.read_bytes()))
        (self.run,) = (record.run for record in self.records if record.HasField("run"))
        self.rows = [_items(record.history.item) for record in self.records if record.HasField("history")]
        self.exit_codes = [record.exit.exit_code for record in self.records if record.HasField("exit")]
        self.best = {
            record.metric.name: {way for way in ("min", "max") if getattr(record.metric.summary, way)}
            for record in self.records
            if record.HasField("metric") and record.metric.name
        }
        self.steps = {r.metric.name: r.metric.step_metric for r in self.records if r.HasField("metric")}
        self.config: dict[str, Any] = _items(self.run.config.update)
        self.summary: dict[str, Any] = {}
        for record in self.records:
            if record.HasField("config"):
                self.config |= _items(record.config.update)
            if record.HasField("summary"):
                self.summary |= _items(record.summary.update)

    def values(self, key: str) -> list[Any]:
        """Everything that was logged under a key."""
        return [row[key] for row in self.rows if key in row]


def _records(data: bytes) -> Iterator[Any]:
    from wandb.proto.wandb_internal_pb2 import Record

    assert data[:4] == b":W&B"
    place, parts = 7, b""
    while place + _HEAD.size <= len(data):
        if (left := _BLOCK - place % _BLOCK) < _HEAD.size:
            place += left
            continue
        checksum, length, kind = _HEAD.unpack_from(data, place)
        body = data[place + _HEAD.size : place + _HEAD.size + length]
        if len(body) < length or not kind:
            return
        assert zlib.crc32(bytes([kind]) + body) == checksum
        place += _HEAD.size + length
        parts += body
        if kind in (1, 4):  # the whole of a record, or its end
            yield Record.FromString(parts)
            parts = b""


def _items(items: Any) -> dict[str, Any]:
    """Nested keys as W&B joins them, by dots."""
    return {item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in items}


@pytest.fixture
def offline_runs() -> Callable[[Path], list[OfflineRun]]:
    """The W&B runs below a folder, oldest first."""
    return lambda folder: [OfflineRun(written(path)) for path in sorted(folder.rglob("*.wandb"))]


def written(path: Path, patience: float = 10.0) -> Path:
    """The file, once it says how its run ended: W&B's own process still writes when ``finish`` has returned.

    That of a run that was killed never says so, and is given as it is in the end.
    """
    end = time.monotonic() + patience
    while time.monotonic() < end and not any(record.HasField("exit") for record in _records(path.read_bytes())):
        time.sleep(0.1)
    return path


@pytest.fixture
def offline_run(offline_runs: Callable[[Path], list[OfflineRun]]) -> Callable[[Path], OfflineRun]:
    """The one W&B run below a folder."""

    def read(folder: Path) -> OfflineRun:
        (run,) = offline_runs(folder)
        return run

    return read


@pytest.fixture
def environment() -> dict[str, str]:
    """For a process of its own, that shall not join this one's W&B service."""
    inherited = {name: value for name, value in os.environ.items() if name != "WANDB_SERVICE"}
    return {**inherited, "NETRC": "none", "PYTHONPATH": str(Path(__file__).parents[2])}
