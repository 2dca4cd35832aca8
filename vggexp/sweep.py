"""The jobs of a sweep: which are finished already."""

from collections.abc import Mapping
from typing import Any

import yaml

from vggexp.run import RunFolder

_HOW = ("dir", "name", "overwrite")  # keys under run that do not change what a run does, as no logger does


def is_finished(config: Mapping[str, Any]) -> bool:
    """Whether the folder of this config's run holds a finished run of the very same config."""
    folder = RunFolder(config["run"]["dir"])
    if not (folder.summary.exists() and folder.config.exists()):
        return False
    recorded = yaml.safe_load(folder.config.read_text(encoding="utf-8"))
    return _what(recorded) == _what(config)


def _what(config: Mapping[str, Any]) -> dict[str, Any]:
    run = {key: value for key, value in config["run"].items() if key not in _HOW}
    return {**config, "run": run, "logger": None}
