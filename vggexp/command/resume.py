"""``resume``: continue an interrupted run; it ends in the weights of the uninterrupted run."""

from collections.abc import Mapping
from typing import Any

from vggexp.command import train
from vggexp.config.check import check
from vggexp.config.check.trust import check_recorded
from vggexp.config.recorded import amend, read_config
from vggexp.errors import ConfigError
from vggexp.run_folder import RunFolder


def run(config: Mapping[str, Any]) -> int:
    """Continue from the last checkpoint; without one, start again."""
    folder = RunFolder(config["checkpoint"])
    if folder.summary.exists():
        raise ConfigError(
            f"{folder.path} is finished; to train it again: python -m vggexp rerun {folder.path} run.dir=..."
        )
    whole = {**config["override"], "run": {"dir": str(folder.path), "overwrite": not folder.last.exists()}}
    recorded = read_config(folder)
    check_recorded(config["checkpoint"], recorded, config["trust"])
    amended = amend(recorded, whole)
    check("train", amended)
    return train.run(amended, go_on=folder.last.exists())
