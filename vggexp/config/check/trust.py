"""A recorded config decides no code: it may come from a stranger, so only the offered classes are made from it.

On one's own command line and in one's own YAML any module goes (docs/extend.md).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from vggexp.config.check.targets import find_targets
from vggexp.config.schema.known import schema
from vggexp.errors import ConfigError

Config = Mapping[str, Any]

_OFFERED = re.compile(
    r"(torch\.optim|torch\.nn|torchvision\.transforms(\.v2)?|torchmetrics(\.\w+)?"
    r"|pytorch_lightning\.(callbacks|loggers))\.[A-Z]\w*"
)
"""Classes by their public names. Longer paths could lead through a module to what it imports."""


def check_recorded(where: str | Path, config: Config, trust: Sequence[str] = ()) -> None:
    """ConfigError for the first ``_target_`` that is neither offered nor in a trusted module, or that is computed.

    Args:
        where: the run folder or the checkpoint that holds the config.
        trust: the modules that the user lists.
    """
    for target in find_targets(config):
        if not _is_offered(target) and not _is_trusted(target, trust):
            module = target.partition(".")[0]
            raise ConfigError(
                f"{where}: its config names _target_: {target}, which vggexp does not offer, and which was not run; "
                f"if it is code of your own, add trust=[{module}]"
            )
    for text in _texts(config):
        if re.search(r"\$\{[^}]*:", text):  # a resolver could make a _target_ that nobody has seen
            raise ConfigError(f"{where}: its config computes a value, {text}; a recorded config holds plain values")


def _is_offered(target: str) -> bool:
    return target in schema()["target"] or _OFFERED.fullmatch(target) is not None


def _is_trusted(target: str, trust: Sequence[str]) -> bool:
    """Whether a target is in a trusted module itself, not in one that the module imports."""
    if not any(target.startswith(f"{module}.") for module in trust):
        return False
    try:
        return find_spec(target.rpartition(".")[0]) is not None
    except (ImportError, ValueError):
        return False


def _texts(part: Any) -> Iterator[str]:
    """Every text in a part of a config, keys too."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, Mapping):
        for key, value in part.items():
            yield from _texts(key)
            yield from _texts(value)
    elif isinstance(part, list | tuple):
        for value in part:
            yield from _texts(value)
