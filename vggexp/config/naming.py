"""Default names of runs, and Hydra's data about the current job."""

import hashlib
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import OmegaConf

from vggexp.config.direction import direction
from vggexp.errors import ConfigError

_SECRET = re.compile(r"(^|_)(API_?)?(KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)(_|$)", re.IGNORECASE)
_NO_DEFAULT = "???"


def _variable(name: str, default: Any = _NO_DEFAULT) -> str | None:
    """``${oc.env:NAME}``: a variable of the environment, unless it is called as secrets are.

    One that is set to nothing counts as not set where there is a default. Its value would stand in the run's
    config.yaml, in its checkpoints and in its loggers' records.
    """
    if _SECRET.search(name):
        raise ConfigError(
            f"the environment's {name} looks like a secret, and a config is written into the run folder; loggers read "
            "their keys from the environment themselves"
        )
    if name not in os.environ and default == _NO_DEFAULT:
        raise ConfigError(f"the environment has no variable {name}")
    if default == _NO_DEFAULT:
        return os.environ[name]
    return os.environ.get(name) or (None if default is None else str(default))


OmegaConf.register_new_resolver("oc.env", _variable, replace=True)
OmegaConf.register_new_resolver("direction", direction, replace=True)  # it depends on no job


def register(stamp: str) -> None:
    """Register the resolvers for run names and chosen options. Every process that resolves a config must call this.

    Args:
        stamp: the time, for the names of run folders.
    """
    OmegaConf.register_new_resolver("run_name", lambda: _run_name(stamp), replace=True)
    OmegaConf.register_new_resolver("run_group", lambda name: _run_group(name, stamp), replace=True)
    OmegaConf.register_new_resolver("choice", lambda group: choices()[group], replace=True)


def choices() -> dict[str, Any]:
    """The option that was chosen in each group."""
    chosen = HydraConfig.get().runtime.choices
    return {group: choice for group, choice in chosen.items() if not group.startswith("hydra")}


def written_in(group: str, option: str) -> str:
    """The YAML file that an option stands in: its path, or ``group=option`` where Hydra has composed nothing."""
    if HydraConfig.initialized():
        for source in HydraConfig.get().runtime.config_sources:
            path = Path(source.path, group, f"{option}.yaml")
            if source.schema == "file" and path.is_file():
                here = Path.cwd()
                return str(path.relative_to(here) if path.is_relative_to(here) else path)
    return f"{group}={option}"


def in_sweep() -> bool:
    """Whether this is a job of a sweep (``-m``)."""
    return bool(HydraConfig.get().mode == RunMode.MULTIRUN)


def overrides() -> tuple[str, ...]:
    """The words of this job that change its config, as they were typed."""
    return tuple(map(str, HydraConfig.get().overrides.task))


def place_in_sweep() -> tuple[int, tuple[str, ...]]:
    """The number of this job of a sweep, from 0, and its overrides."""
    return int(HydraConfig.get().job.num), overrides()


def digest(words: Iterable[str]) -> str:
    """An eight-character hash of a job's overrides; their order does not matter."""
    telling = sorted(word for word in words if not word.startswith(("run.", "debug=")))
    return hashlib.sha256("\n".join(telling).encode()).hexdigest()[:8]


def _run_name(stamp: str) -> str:
    """In a sweep the name depends only on the overrides, so the same command finds and resumes the same folders."""
    choice = choices()
    names = [str(choice[group]) for group in ("task", "backbone", "head", "freeze")]
    return "-".join([*names, digest(place_in_sweep()[1])] if in_sweep() else [stamp, *names])


def _run_group(name: str, stamp: str) -> str | None:
    """The group of a run: the folder part of its name, else the sweep; None if it has neither."""
    return name.rpartition("/")[0] or (f"sweep-{stamp}" if in_sweep() else None)
