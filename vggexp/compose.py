"""Words to config: everything that vggexp asks of Hydra.

Hydra composes the YAML groups and runs sweeps; here its results become plain dicts and its exceptions one line.
"""

import hashlib
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import ConfigCompositionException, HydraException, MissingConfigException, OverrideParseException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from vggexp.errors import ConfigError, did_you_mean
from vggexp.usage import CONF, groups, synopsis

# vggexp makes its own run folders and its own log: Hydra writes nothing but a sweep's multirun.yaml.
_HYDRA = (
    "hydra.output_subdir=null",
    "hydra.run.dir=.",
    "hydra.sweep.dir=runs",
    "hydra.sweep.subdir=.",
    "hydra/job_logging=none",
    "hydra/hydra_logging=none",
)


def launch(
    verb: str, words: Sequence[str], job: Callable[[DictConfig], Any], stamp: str, journal: Path | None = None
) -> None:
    """Let Hydra compose the verb's config from the words and call the job with it; in a sweep (``-m``) with each.

    Args:
        stamp: the time, for the names of run folders.
        journal: where a sweep writes its plan, relative to the working directory; None: it shall be no sweep.
    """
    register(stamp)
    announce = ("+hydra.callbacks.sweep._target_=vggexp.multirun.Announce", f"+hydra.callbacks.sweep.path={journal}")
    plan = announce if journal else ()
    typed, sys.argv = sys.argv, [sys.argv[0], *_route(verb, words), *_HYDRA, *plan]
    try:
        hydra.main(version_base="1.3", config_path=str(CONF), config_name=verb)(job)()
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(_explain(error, verb)) from error
    finally:
        sys.argv = typed


def register(stamp: str) -> None:
    """Let configs ask for a run's name and for chosen options; each process that resolves one must have called it."""
    OmegaConf.register_new_resolver("run_name", lambda: _run_name(stamp), replace=True)
    OmegaConf.register_new_resolver("run_group", lambda name: _run_group(name, stamp), replace=True)
    OmegaConf.register_new_resolver("choice", lambda group: _choices()[group], replace=True)


def settle(verb: str, config: DictConfig) -> dict[str, Any]:
    """A composed config as a plain dict, every interpolation resolved, with the chosen options under ``choice``."""
    try:
        plain = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    except MissingMandatoryValue as error:
        is_bare = str(error.full_key).upper() in synopsis(verb)
        hint = f"usage: python -m vggexp {synopsis(verb)}" if is_bare else f"give {error.full_key}=..."
        raise ConfigError(f"{error.full_key} is missing; {hint}") from error
    except OmegaConfBaseException as error:
        raise ConfigError(_explain(error, verb)) from error
    assert isinstance(plain, dict)
    return {"choice": _choices(), **{str(key): value for key, value in plain.items()}}


def amend(config: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A finished run's config with some keys changed. A key that the run did not have is a ConfigError."""
    known = set(_keys(config))
    for key in _keys(changes, leaves=True):
        if key not in known and key.rpartition(".")[0] not in _open(config):
            raise ConfigError(f"the run's config has no key '{key}'{did_you_mean(key, known)}")
    merged = OmegaConf.merge(OmegaConf.create(dict(config)), OmegaConf.create(dict(changes)))
    plain = OmegaConf.to_container(merged)
    assert isinstance(plain, dict)
    return {str(key): value for key, value in plain.items()}


def _open(config: Mapping[str, Any]) -> set[str]:
    """Keys under which anything goes: where the run had an empty mapping."""
    whole = OmegaConf.create(dict(config))
    return {key for key in _keys(config) if OmegaConf.select(whole, key) == {}}


def in_sweep() -> bool:
    """Whether this is a job of a sweep (``-m``)."""
    return bool(HydraConfig.get().mode == RunMode.MULTIRUN)


def place_in_sweep() -> tuple[int, tuple[str, ...]]:
    """The number of this job of a sweep, from 0, and its overrides."""
    return int(HydraConfig.get().job.num), tuple(map(str, HydraConfig.get().overrides.task))


def _run_name(stamp: str) -> str:
    """In a sweep the name depends on the words alone: the same command finds the same folders, and goes on in them."""
    choice = _choices()
    names = [str(choice[group]) for group in ("task", "backbone", "head", "freeze")]
    return "-".join([*names, digest(place_in_sweep()[1])] if in_sweep() else [stamp, *names])


def digest(words: Iterable[str]) -> str:
    """Eight characters that stand for a job's overrides, whatever their order."""
    telling = sorted(word for word in words if not word.startswith(("run.", "debug=")))
    return hashlib.sha256("\n".join(telling).encode()).hexdigest()[:8]


def _run_group(name: str, stamp: str) -> str | None:
    """What a run belongs to: the folder of its name, else the sweep; None if it stands alone."""
    return name.rpartition("/")[0] or (f"sweep-{stamp}" if in_sweep() else None)


def _choices() -> dict[str, Any]:
    choices = HydraConfig.get().runtime.choices
    return {group: choice for group, choice in choices.items() if not group.startswith("hydra")}


def _route(verb: str, words: Sequence[str]) -> list[str]:
    """For the verbs that take up a finished run, keys that are not the verb's own go under ``override``."""
    own = OmegaConf.load(CONF / f"{verb}.yaml")
    if "override" not in own:
        return list(words)
    routed = []
    for word in words:
        key = word.partition("=")[0]
        is_own = word.startswith(("-", "+", "~")) or "=" not in word or key.split(".")[0] in {*own, "hydra"}
        routed.append(word if is_own else f"+override.{word}")
    return routed


def _keys(config: Any, prefix: str = "", leaves: bool = False) -> Iterator[str]:
    """Every dotted key of a nested mapping."""
    for name, value in config.items():
        key = f"{prefix}{name}"
        if not (leaves and isinstance(value, Mapping)):
            yield key
        if isinstance(value, Mapping):
            yield from _keys(value, f"{key}.", leaves)


def _explain(error: Exception, verb: str) -> str:
    """One line for what Hydra says in several."""
    text = str(error) or str(error.__cause__) or type(error).__name__
    if found := re.search(r"Could not (?:find|load) 'hydra/(launcher|sweeper)/(\S+?)'", text):
        return _missing_plugin(*found.groups())
    if isinstance(error, MissingConfigException) and (
        found := re.search(r"Could not (?:find|load) '(\S+?)/(\S+?)'", text)
    ):
        group, option = found.groups()
        return f"{group} has no option '{option}'{did_you_mean(option, groups().get(group, []))}"
    if isinstance(error, ConfigCompositionException) and (found := re.search(r"Could not override '(\S+?)'", text)):
        known = _known_keys(verb)
        return f"there is no key '{found[1]}'" + (
            " under the chosen options" if found[1] in known else did_you_mean(found[1], known)
        )
    if isinstance(error, OverrideParseException):
        return (
            f"cannot read '{getattr(error, 'override', '')}': {text.splitlines()[0]}; write group=option or key=value"
        )
    return text.splitlines()[0]


def _missing_plugin(kind: str, option: str) -> str:
    if extra := {"joblib": "joblib", "submitit_local": "submitit", "submitit_slurm": "submitit"}.get(option):
        return f"hydra/{kind}={option} is not installed; pip install 'vggexp[{extra}]'"
    known = ("basic", "joblib", "submitit_local", "submitit_slurm") if kind == "launcher" else ("basic", "optuna")
    return f"hydra/{kind} has no option '{option}'{did_you_mean(option, known)}"


def _known_keys(verb: str) -> set[str]:
    """The groups and the dotted keys of a verb's default config."""
    return {*_keys(OmegaConf.to_container(_compose(verb, ()), resolve=False)), *groups()}


def defaults(verb: str, *words: str) -> dict[str, Any]:
    """A verb's config as these words would give it on a command line of their own; without ``choice``."""
    plain = OmegaConf.to_container(_compose(verb, words), resolve=True)
    assert isinstance(plain, dict)
    return {str(key): value for key, value in plain.items()}


def complete(recorded: Mapping[str, Any]) -> dict[str, Any]:
    """A run's recorded config with the keys that came after it, at the defaults of its own choices.

    Raises:
        ConfigError: an option that it chose is no longer there.
    """
    chosen = {group: option for group, option in recorded["choice"].items() if option and group != "experiment"}
    words = [f"{group}={str(option).replace(' ', '')}" for group, option in chosen.items()]
    try:
        whole = _compose("train", words)
        OmegaConf.set_struct(whole, False)
        values = {key: value for key, value in recorded.items() if key != "choice"}
        plain = OmegaConf.to_container(OmegaConf.merge(whole, OmegaConf.create(values)), resolve=True)
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(_explain(error, "train")) from error
    assert isinstance(plain, dict)
    return {"choice": {**_choices(), **recorded["choice"]}, **{str(key): value for key, value in plain.items()}}


def _compose(verb: str, words: Sequence[str]) -> DictConfig:
    if GlobalHydra.instance().is_initialized():  # within a job: with the user's own --config-dir
        return hydra.compose(verb, list(words))
    with hydra.initialize_config_dir(str(Path(CONF).resolve()), version_base="1.3"):
        return hydra.compose(verb, list(words))
