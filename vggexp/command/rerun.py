"""``rerun``: a run's config.yaml is enough to train it again."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from vggexp.check import check
from vggexp.command import train
from vggexp.compose import amend
from vggexp.errors import DataError
from vggexp.run import RunFolder


def run(config: Mapping[str, Any]) -> int:
    """Train with the run's config, changed where the command line says so."""
    path = RunFolder(Path(config["checkpoint"])).config
    try:
        recorded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise DataError(f"{path} cannot be read ({error}); give a run folder") from error
    amended = amend(recorded, config["override"])
    check("train", amended)
    return train.run(amended)
