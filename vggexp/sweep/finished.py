"""Whether the run of a sweep's job is finished or was interrupted."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

import yaml

from vggexp.config.compose import with_absolute_root
from vggexp.config.fitted import unfitted
from vggexp.errors import ConfigError
from vggexp.run_folder import RunFolder
from vggexp.sample.resize import RECIPES, plain_recipe
from vggexp.transfer.renamed import renew
from vggexp.transfer.sources import changed_source

Config = Mapping[str, Any]

_IRRELEVANT = {
    "run": ("dir", "name", "overwrite"),
    "choice": ("experiment", "logger"),
    "data": ("cache_dir", "index_dir"),
    "cache": ("dir", "share"),
}
"""Keys that do not change the result of a run. The groups ``debug`` and ``logger`` do not change it either."""


def run_status(config: Config, complete: Callable[[Config], Config]) -> Literal["new", "begun", "finished"]:
    """Whether the config's run folder holds this run: not ("new"), unfinished ("begun") or finished.

    A run whose source has been trained again since it began is "new": its result is out of date.

    Args:
        config: the resolved config.
        complete: adds to a recorded config the keys that newer versions introduced, with their defaults. Called only
            if the configs differ.
    """
    folder = RunFolder(config["run"]["dir"])
    if not folder.config.exists():
        return "new"
    recorded = yaml.safe_load(folder.config.read_text(encoding="utf-8"))
    if not isinstance(recorded, Mapping) or not is_same(renew(recorded), config, complete):
        return "new"
    if changed_source(folder, config):
        return "new"
    return "finished" if folder.summary.exists() else "begun"


def is_same(recorded: Config, config: Config, complete: Callable[[Config], Config]) -> bool:
    """Whether both configs describe the same run, apart from its folder, its loggers and the preset it came from.

    Where the config says ``data.batch_size=auto``, or leaves sizes to be fitted, the recorded one has the numbers.
    """
    recorded, config = unfitted(recorded), unfitted(config)
    if config.get("data", {}).get("batch_size") == "auto":
        number = (recorded.get("data") or {}).get("batch_size")
        config = {**config, "data": {**config["data"], "batch_size": number}}
    if _relevant(recorded) == _relevant(config):
        return True
    try:
        return _relevant(complete(recorded)) == _relevant(config)
    except ConfigError:  # an option that it chose no longer exists
        return False


def _relevant(config: Config) -> dict[str, Any]:
    """The config without the keys that do not change the result."""
    plain = {key: value for key, value in with_absolute_root(config).items() if key not in ("debug", "logger")}
    for group, keys in _IRRELEVANT.items():
        plain[group] = {key: value for key, value in (plain.get(group) or {}).items() if key not in keys}
    for key in RECIPES:
        if key in (data := plain.get("data") or {}):  # recorded by torchvision's names, by earlier versions
            plain["data"] = {**data, key: plain_recipe(data[key])}
    return plain
