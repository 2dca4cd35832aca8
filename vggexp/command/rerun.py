"""``rerun``: a run's config.yaml is enough to train it again."""

from collections.abc import Mapping
from typing import Any

from vggexp.check import check
from vggexp.command import train
from vggexp.recorded import amend, read_config
from vggexp.run import RunFolder


def run(config: Mapping[str, Any]) -> int:
    """Train with the run's config, changed where the command line says so."""
    amended = amend(read_config(RunFolder(config["checkpoint"])), config["override"])
    check("train", amended)
    return train.run(amended)
