"""Load a finished run for evaluate, predict, export, demo and graft."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vggexp.config.check import check_sizes
from vggexp.config.recorded import amend, keep_split
from vggexp.errors import ConfigError, DataError
from vggexp.learner.learner import Learner
from vggexp.run_folder import RunFolder
from vggexp.trainer.build import build_learner
from vggexp.transfer.checkpoint import read_checkpoint, read_info
from vggexp.transfer.without_weights import without_weights
from vggexp.types import DataInfo


@dataclass(frozen=True)
class Restored:
    """A learner with its trained weights, in eval mode, and its origin."""

    learner: Learner
    config: dict[str, Any]
    """The run's config with the changes of the command line."""
    info: DataInfo
    folder: Path
    """The run folder, or the folder of a checkpoint that lies elsewhere."""


def restore(path: Path, changes: Mapping[str, Any]) -> Restored:
    """Load the learner of a run folder (its best checkpoint) or of a ``.ckpt``. The data set is not needed."""
    content = read_checkpoint(path)
    if not {"config", "info", "state_dict"} <= content.keys():
        raise DataError(f"{path} was not written by vggexp: it holds weights and no config")
    folder = path if path.is_dir() else path.parent.parent if path.parent.name == "checkpoint" else path.parent
    config = amend(keep_split(content["config"], RunFolder(folder)), changes)
    check_sizes(config)
    info = read_info(content)
    learner = build_learner(without_weights(config), info)
    try:
        learner.load_state_dict(content["state_dict"])
    except RuntimeError as error:
        raise ConfigError(f"{path} does not fit its config: {' '.join(str(error).split())}") from error
    return Restored(learner.eval(), config, info, folder)
