"""The jobs of a sweep: which are finished already, which were cut short, and which another process is at."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

import yaml

from vggexp.distributed.lock import lock, open_folder
from vggexp.errors import ConfigError
from vggexp.run_folder import RunFolder
from vggexp.transfer.renamed import renew

Config = Mapping[str, Any]

_HOW = {"run": ("dir", "name", "overwrite"), "choice": ("experiment", "logger")}
"""Keys that do not change what a run does, as no logger does."""


def standing(config: Config, complete: Callable[[Config], Config]) -> Literal["new", "begun", "finished"]:
    """What the folder of this config's run holds: nothing of it, a beginning, or all of it.

    Args:
        config: resolved.
        complete: gives a recorded config the keys that came after it, at their defaults. Only called where needed.
    """
    folder = RunFolder(config["run"]["dir"])
    if not folder.config.exists():
        return "new"
    recorded = yaml.safe_load(folder.config.read_text(encoding="utf-8"))
    if not isinstance(recorded, Mapping) or not is_same(renew(recorded), config, complete):
        return "new"
    return "finished" if folder.summary.exists() else "begun"


def is_same(recorded: Config, config: Config, complete: Callable[[Config], Config]) -> bool:
    """Whether both configs describe the same run, wherever it is kept and logged, and whatever preset asked for it."""
    if _what(recorded) == _what(config):
        return True
    try:
        return _what(complete(recorded)) == _what(config)
    except ConfigError:  # a choice of it is gone
        return False


def _what(config: Config) -> dict[str, Any]:
    plain = {key: value for key, value in config.items() if key not in ("debug", "logger")}
    for group, keys in _HOW.items():
        plain[group] = {key: value for key, value in config.get(group, {}).items() if key not in keys}
    return plain


@contextmanager
def claimed(folder: RunFolder) -> Iterator[bool]:
    """Whether this process alone may now write to a run folder, for as long as the context lasts.

    The claim is a lock on the folder itself: it ends with the process, however that ends. A file system without locks
    grants it to everybody.
    """
    folder.path.mkdir(parents=True, exist_ok=True)
    handle = open_folder(folder.path)
    try:
        yield lock(handle) is not False
    finally:
        os.close(handle)
