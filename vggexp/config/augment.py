"""The recipe that ``augment=`` names is the one that a run takes, or the run is refused."""

from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from vggexp.config.naming import choices, written_in
from vggexp.errors import ConfigError


def check_taken(config: DictConfig) -> None:
    """ConfigError if another word or an experiment replaces a key of data that the chosen ``augment=`` sets.

    Args:
        config: as composed.
    """
    option = choices().get("augment")
    if not isinstance(option, str) or not (file := Path(written_in("augment", option))).is_file():
        return
    meant = OmegaConf.merge(config, {"data": OmegaConf.load(file)})
    for key, value in _resolved(meant).items():
        if value != _resolved(config)[key]:
            raise ConfigError(
                f"augment={option} has no effect: data.{key} is given, too, and replaces what it sets; give one of them"
            )


def _resolved(config: Any) -> dict[str, Any]:
    data = OmegaConf.to_container(config, resolve=True)
    assert isinstance(data, dict)
    return {str(key): value for key, value in data["data"].items()}
