"""Composes the config: Hydra merges the YAML groups and runs sweeps; the result becomes a plain dict."""

import argparse
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import hydra
import yaml
from hydra._internal.hydra import Hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from vggexp.config.augment import check_taken
from vggexp.config.help import CONF, groups, synopsis
from vggexp.config.hydra_error import explain, unreadable
from vggexp.config.naming import choices, register
from vggexp.config.route import require_options, route
from vggexp.errors import ConfigError
from vggexp.transfer.renamed import renew_word

# vggexp writes its own run folders and log, so Hydra writes only a sweep's multirun.yaml.
_HYDRA = (
    "hydra.output_subdir=null",
    "hydra.run.dir=.",
    "hydra.sweep.dir=runs",
    "hydra.sweep.subdir=.",
    "hydra/job_logging=none",
    "hydra/hydra_logging=none",
)

_GET_MODE = Hydra.get_mode


def launch(
    verb: str, words: Sequence[str], job: Callable[[DictConfig], Any], stamp: str, journal: Path | None = None
) -> None:
    """Let Hydra compose the verb's config and call ``job`` with it; in a sweep (``-m``), once per job.

    Args:
        stamp: the time, for the names of run folders.
        journal: folder for a sweep's plan, relative to the working directory; None: the command cannot be a sweep.
    """
    register(stamp)
    words = _with_new_names(words)
    require_options(verb, words)
    _accept_hydras_help()
    _compose_once(words)
    announce = (
        "+hydra.callbacks.sweep._target_=vggexp.sweep.multirun.Announce",
        f"+hydra.callbacks.sweep.path={journal}",
    )
    plan = announce if journal else ()
    typed, sys.argv = sys.argv, [sys.argv[0], *route(verb, words), *_HYDRA, *plan]
    try:
        hydra.main(version_base="1.3", config_path=str(CONF), config_name=verb)(job)()
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(explain(error, lambda: known_keys(verb))) from error
    except (yaml.YAMLError, OSError, RecursionError) as error:  # a YAML file of the user's
        if (line := unreadable(error)) is None:
            raise
        raise ConfigError(line) from error
    except ValueError as error:
        if not str(error).startswith("Config group override must be"):
            raise
        raise ConfigError(f"{_no_name(words)}: a group takes the name of an option, or a list of names") from error
    finally:
        sys.argv = typed


def _no_name(words: Sequence[str]) -> str:
    """The word that gives a group a number or null in place of an option."""
    given = [word for word in words if word.lstrip("+").partition("=")[0].partition("@")[0] in {*groups(), "hydra"}]
    return next((word for word in given if re.fullmatch(r"[-+.\d]*|null|true|false", word.partition("=")[2], re.I)), "")


def _accept_hydras_help() -> None:
    """Python 3.14 checks each help text when its flag is added; Hydra 1.3 gives an object that only prints as one."""
    if hasattr(argparse.ArgumentParser, "_check_help"):
        argparse.ArgumentParser._check_help = lambda self, action: None


def _compose_once(words: Sequence[str]) -> None:
    """Keep Hydra from composing the config twice, the first time only to read ``hydra.mode`` from it.

    Of our YAML only the experiments set it. If the words bring none, nor Hydra keys or YAML of the user's, -m decides.
    """
    may_set_mode = any(
        word.lstrip("+-").startswith(("experiment", "hydra", "config", "cd", "cn", "cp")) for word in words
    )
    Hydra.get_mode = _GET_MODE if may_set_mode else lambda self, *args, **named: None  # type: ignore[method-assign]


def settle(verb: str, config: DictConfig) -> dict[str, Any]:
    """A composed config as a plain dict, with interpolations resolved and the chosen options under ``choice``."""
    try:
        settled = with_absolute_root({"choice": choices(), **as_dict(config, throw_on_missing=True)})
    except MissingMandatoryValue as error:
        is_bare = str(error.full_key).upper() in synopsis(verb)
        hint = f"usage: python -m vggexp {synopsis(verb)}" if is_bare else f"give {error.full_key}=..."
        raise ConfigError(f"{error.full_key} is missing; {hint}") from error
    except OmegaConfBaseException as error:
        raise ConfigError(explain(error, lambda: known_keys(verb))) from error
    check_taken(config)
    return settled


def with_absolute_root(config: Mapping[str, Any]) -> dict[str, Any]:
    """The config with ``data.root`` as an absolute path, so that the run can be evaluated from any folder."""
    data = config.get("data") or {}
    if not isinstance(root := data.get("root"), str) or root == "???" or not root.strip():  # the checks refuse ""
        return dict(config)
    return {**config, "data": {**data, "root": str(Path(root).expanduser().absolute())}}


def defaults(verb: str, *words: str) -> dict[str, Any]:
    """A verb's config with these overrides, without ``choice``."""
    return as_dict(composed(verb, words))


def composed(verb: str, words: Sequence[str], whole: bool = False) -> DictConfig:
    """Compose a verb's config from overrides, without running a job.

    Args:
        whole: with Hydra's own node, which says what was chosen.
    """
    if GlobalHydra.instance().is_initialized():  # inside a job: keeps the user's --config-dir
        return hydra.compose(verb, list(words), return_hydra_config=whole)
    with hydra.initialize_config_dir(str(Path(CONF).resolve()), version_base="1.3"):
        return hydra.compose(verb, list(words), return_hydra_config=whole)


def as_dict(config: Any, *, resolve: bool = True, throw_on_missing: bool = False) -> dict[str, Any]:
    """A composed config as a plain dict."""
    content = OmegaConf.to_container(config, resolve=resolve, throw_on_missing=throw_on_missing)
    assert isinstance(content, dict)
    return {str(key): value for key, value in content.items()}


def dotted_keys(config: Any, prefix: str = "", leaves: bool = False) -> Iterator[str]:
    """Every dotted key of a nested mapping.

    >>> list(dotted_keys({"a": {"b": 1}})), list(dotted_keys({"a": {"b": 1}}, leaves=True))
    (['a', 'a.b'], ['a.b'])
    """
    for name, value in config.items():
        key = f"{prefix}{name}"
        if not (leaves and isinstance(value, Mapping)):
            yield key
        if isinstance(value, Mapping):
            yield from dotted_keys(value, f"{key}.", leaves)


def _with_new_names(words: Sequence[str]) -> list[str]:
    """The words, with names of earlier versions replaced by the current ones; prints a line for each replacement."""
    renewed = [renew_word(word) for word in words]
    for old, new in zip(words, renewed, strict=True):
        if new != old:
            print(f"vggexp: {old} is now written {new}; the old form will be removed", file=sys.stderr)
    return renewed


def known_keys(verb: str) -> set[str]:
    """The groups and the dotted keys of a verb's default config."""
    whole = composed(verb, (), whole=True)
    chosen = [name for name in whole.hydra.runtime.choices if "/" not in name]
    own = {name: value for name, value in as_dict(whole, resolve=False).items() if name != "hydra"}
    return {*dotted_keys(own), *(groups() if verb == "train" else chosen)}
