"""Whether the module of each ``_target_`` can be imported: classes may be the user's own (docs/extend.md)."""

import sys
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from vggexp.config.naming import written_in
from vggexp.errors import ConfigError

Config = Mapping[str, Any]


def check_targets(config: Config) -> None:
    """The module of each ``_target_`` is installed or in the current folder. It is looked for, not imported."""
    for group, part in config.items():
        for target in find_targets(part):
            if not _is_found(module := target.partition(".")[0]):
                raise ConfigError(missing_module(_where(config, group), module, target))


def missing_module(where: str, module: str, target: str) -> str:
    """The line for a module that is not there.

    Args:
        where: what says so: a YAML file or a group.
        module: which module.
        target: the dotted name of the class.
    """
    return (
        f"{where}: there is no module '{module}', which _target_: {target} names; looked for in the current folder "
        f"({Path.cwd()}) and among the packages of {sys.prefix}"
    )


def _where(config: Config, group: str) -> str:
    option = config.get("choice", {}).get(group)
    return written_in(group, option) if isinstance(option, str) else group


def find_targets(part: Any) -> Iterator[str]:
    """Every ``_target_`` in a part of a config, however deep."""
    if isinstance(part, Mapping):
        if isinstance(target := part.get("_target_"), str):
            yield target
        part = part.values()
    elif not isinstance(part, list):
        return
    for item in part:
        yield from find_targets(item)


def _is_found(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):  # an empty name, or a module without a spec
        return module in sys.modules
