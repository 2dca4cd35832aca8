"""Reads the config that a run recorded, changes its keys, or adds keys that newer versions introduced."""

from collections.abc import Mapping
from typing import Any

import yaml
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from vggexp.config.compose import as_dict, composed, dotted_keys, known_keys, with_absolute_root
from vggexp.config.direction import direction
from vggexp.config.hydra_error import explain
from vggexp.config.naming import choices
from vggexp.errors import ConfigError, DataError, did_you_mean
from vggexp.run_folder import RunFolder
from vggexp.sample.resize import RECIPES, at_size
from vggexp.transfer.renamed import renew


def read_config(folder: RunFolder) -> dict[str, Any]:
    """The resolved config that a run recorded at its start."""
    try:
        content = yaml.safe_load(folder.config.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise DataError(f"{folder.config} cannot be read ({error}); give a run folder") from error
    if not isinstance(content, dict) or "choice" not in content:
        raise DataError(f"{folder.config} holds no config of a run: was it cut short? checkpoint/ has a copy")
    return keep_split(renew(content), folder)


def keep_split(config: Mapping[str, Any], folder: RunFolder) -> dict[str, Any]:
    """A recorded config that divides the photos as its run did, whatever photos were added since."""
    data = config.get("data", {})
    if "split" not in data or not folder.splits.exists():
        return dict(config)
    own = {"split": str(folder.splits.absolute()), "fold": None, "folds": None}
    return {**config, "data": {**data, **own}}


def amend(config: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A recorded config with some options and keys changed, and its recipes with its image size.

    Args:
        changes: new values by key, and under ``choice`` new options by group; an option brings its own defaults.

    Raises:
        ConfigError: a key that it does not have.
    """
    config = _with_options(config, changes.get("choice", {}))
    changes = {key: value for key, value in changes.items() if key != "choice"}
    known = set(dotted_keys(config))
    for key in dotted_keys(changes, leaves=True):
        parent = key.rpartition(".")[0]
        if key not in known and parent not in _open(config) and not (parent in known and _at(config, parent) is None):
            beside = [one for one in known if one.rpartition(".")[0] == (parent if parent in known else "")]
            near = did_you_mean(key, known)
            hint = near if "did you mean" in near else did_you_mean(key, beside)
            raise ConfigError(f"the run's config has no key '{key}'{hint}")
        if isinstance(_at(config, key), Mapping) and _at(config, key) and not isinstance(_at(changes, key), Mapping):
            raise ConfigError(f"{key}={_at(changes, key)}: {key} holds several keys; set {key}.KEY=VALUE")
    merged = as_dict(OmegaConf.merge(OmegaConf.create(dict(config)), OmegaConf.create(dict(changes))), resolve=False)
    new = changes.get("objective", {})
    if "metric" in new and "mode" not in new:
        own = merged["task"]["objective"]
        merged["objective"]["mode"] = direction(new["metric"], own["metric"], own["mode"])
    for key in dotted_keys(merged, leaves=True):
        if _at(merged, key) == "???":
            raise ConfigError(f"{key} is missing; give {key}=...")
    return _with_fitting_recipes(merged, config, changes)


def _with_fitting_recipes(
    amended: dict[str, Any], config: Mapping[str, Any], changes: Mapping[str, Any]
) -> dict[str, Any]:
    """The amended config, where another ``data.image_size`` or ``data.resize`` also changes the recorded recipes.

    They were resolved, so they hold the values of these keys, no longer their names.
    """
    given, data = changes.get("data", {}), amended.get("data", {})
    if not given.keys() & {"image_size", "resize"} or not isinstance(data.get("image_size"), list):
        return amended
    mode = data["resize"] if "resize" in given else None
    recipes = {
        key: at_size(data[key], config["data"]["image_size"], data["image_size"], mode)
        for key in RECIPES
        if key in data and key not in given
    }
    return {**amended, "data": {**data, **recipes}}


def _with_options(config: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """A recorded config with other options of some groups, and with what these bring: a task its head and loss."""
    if not options:
        return dict(config)
    words = [f"{group}={_as_word(option)}" for group, option in options.items()]
    try:
        whole = composed("train", words, whole=True)
        taken = {*options, *(("head", "loss", "objective") if "task" in options else ())}
        named = as_dict(whole.hydra.runtime.choices)  # lacks a group of which a list was chosen
        chosen = {**config["choice"], **options, **{group: named[group] for group in taken & named.keys()}}
        OmegaConf.register_new_resolver("choice", chosen.__getitem__, replace=True)
        brought = {group: OmegaConf.to_container(whole[group]) if group in whole else {} for group in taken}
        settled = as_dict(OmegaConf.create({**config, **brought}))
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(explain(error, lambda: known_keys("train"))) from error
    return with_absolute_root({**settled, "choice": chosen})


def _as_word(option: Any) -> str:
    return f"[{','.join(map(str, option))}]" if isinstance(option, list) else str(option)


def _at(config: Any, key: str) -> Any:
    for name in key.split("."):
        config = config.get(name) if isinstance(config, Mapping) else None
    return config


def complete(recorded: Mapping[str, Any]) -> dict[str, Any]:
    """A recorded config with the keys that newer versions introduced, at the defaults of the options it chose.

    Raises:
        ConfigError: an option that it chose no longer exists.
    """
    chosen = {group: option for group, option in recorded["choice"].items() if option and group != "experiment"}
    words = [f"{group}={str(option).replace(' ', '')}" for group, option in chosen.items()]
    values = {key: value for key, value in recorded.items() if key != "choice"}
    try:
        whole = composed("train", words)
        OmegaConf.set_struct(whole, False)
        settled = as_dict(OmegaConf.merge(whole, OmegaConf.create(values)))
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(explain(error, lambda: known_keys("train"))) from error
    return {"choice": {**choices(), **recorded["choice"]}, **settled}


def _open(config: Mapping[str, Any]) -> set[str]:
    """Keys that accept any subkey: those whose recorded value is an empty mapping."""
    whole = OmegaConf.create(dict(config))
    return {key for key in dotted_keys(config) if OmegaConf.select(whole, key) == {}}
