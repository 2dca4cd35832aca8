"""The checkpoints that a run starts from: has one of them been trained again since? Needs no torch."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from vggexp.run_folder import RunFolder, write_whole
from vggexp.transfer.checksum import recorded_sum


def source_sums(config: Mapping[str, Any]) -> dict[str, str]:
    """The checksum of each checkpoint that the backbone or a head starts from, by the name in the config.

    Sources without a recorded checksum are left out: ``none``, ``imagenet``, files of other programs.
    """
    found = {name: recorded_sum(_file(name)) for part in ("backbone", "head") for name in _weights(config.get(part))}
    return {name: value for name, value in found.items() if value}


def write_sources(folder: RunFolder, config: Mapping[str, Any]) -> None:
    """Record the checksums of a new run's sources in its folder, if it has any."""
    if sums := source_sums(config):
        write_whole(folder.sources, json.dumps(sums, indent=2) + "\n")


def changed_source(folder: RunFolder, config: Mapping[str, Any]) -> str | None:
    """The first source whose checkpoint is another one than when the run began; None if there is none, or not known."""
    try:
        then = json.loads(folder.sources.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return next((name for name, value in source_sums(config).items() if then.get(name, value) != value), None)


def _weights(part: Any) -> Iterator[str]:
    """The values of every key ``weights`` in a part of the config, those of a multitask head's parts included."""
    if isinstance(part, Mapping):
        for key, value in part.items():
            if key == "weights" and isinstance(value, str):
                yield value
            else:
                yield from _weights(value)


def _file(source: str) -> Path:
    return RunFolder(source).best if Path(source).is_dir() else Path(source)
