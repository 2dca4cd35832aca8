"""``rerun``: train again from a run's config.yaml."""

from collections.abc import Mapping
from typing import Any

from vggexp.command import train
from vggexp.config.check import check
from vggexp.config.recorded import amend, read_config
from vggexp.run_folder import RunFolder


def run(config: Mapping[str, Any]) -> int:
    """Train with the run's config and the changes of the command line."""
    amended = amend(read_config(RunFolder(config["checkpoint"])), config["override"])
    check("train", amended)
    return train.run(amended)
