"""``rerun``: train again from a run's config.yaml."""

from collections.abc import Mapping
from typing import Any

from vggexp.command import train
from vggexp.config.check import check
from vggexp.config.check.trust import check_recorded
from vggexp.config.recorded import amend, read_config
from vggexp.run_folder import RunFolder


def run(config: Mapping[str, Any]) -> int:
    """Train with the run's config and the changes of the command line."""
    recorded = read_config(RunFolder(config["checkpoint"]))
    check_recorded(config["checkpoint"], recorded, config["trust"])
    amended = amend(recorded, config["override"])
    check("train", amended)
    return train.run(amended)
