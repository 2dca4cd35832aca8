"""``resume``: continue an interrupted run; it ends in the weights of the uninterrupted run."""

from collections.abc import Mapping
from typing import Any

from vggexp.command import train
from vggexp.config.check import check
from vggexp.config.recorded import amend, read_config
from vggexp.distributed.claim import claim
from vggexp.errors import ConfigError
from vggexp.run_folder import RunFolder


def run(config: Mapping[str, Any]) -> int:
    """Continue from the last checkpoint; without one, start again."""
    folder = RunFolder(config["checkpoint"])
    with claim(folder.path, "stop it first"):
        return _resume(config, folder)


def _resume(config: Mapping[str, Any], folder: RunFolder) -> int:
    if folder.summary.exists():
        raise ConfigError(
            f"{folder.path} is finished; to train it again: python -m vggexp rerun {folder.path} run.dir=..."
        )
    whole = {**config["override"], "run": {"dir": str(folder.path), "overwrite": not folder.last.exists()}}
    amended = amend(read_config(folder), whole)
    check("train", amended)
    return train.run(amended, go_on=folder.last.exists())
