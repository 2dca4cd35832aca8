"""Load a finished run for evaluate, predict, export, demo and graft."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vggexp.config.check import check_sizes
from vggexp.config.check.config import check_values
from vggexp.config.check.trust import check_recorded
from vggexp.config.recorded import amend, keep_split
from vggexp.errors import ConfigError, DataError, UserError, kind_and_line
from vggexp.learner.learner import Learner
from vggexp.run_folder import RunFolder
from vggexp.trainer.learner import build_learner
from vggexp.transfer.adapters import without_adapters
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


def restore(path: Path, changes: Mapping[str, Any], trust: Sequence[str] = ()) -> Restored:
    """Load the learner of a run folder (its best checkpoint) or of a ``.ckpt``. The data set is not needed.

    Adapters are merged into their layers: the learner has none.

    Args:
        trust: modules, besides those offered, whose classes the recorded config may name.
    """
    content = read_checkpoint(path)
    if not {"config", "info", "state_dict"} <= content.keys():
        raise DataError(f"{path} was not written by vggexp: it holds weights and no config")
    if not isinstance(content["config"], Mapping) or not isinstance(content["state_dict"], Mapping):
        raise DataError(f"{path}: its config or its state_dict is no mapping; it was damaged, or is of another program")
    check_recorded(path, content["config"], trust)
    with _sound(path):
        content = without_adapters(content)
    folder = path if path.is_dir() else path.parent.parent if path.parent.name == "checkpoint" else path.parent
    with _sound(path):
        config = amend(keep_split(content["config"], RunFolder(folder)), changes)
    if changes:
        check_values(config)
    with _sound(path):
        check_sizes(config)
        info = read_info(content)
        learner = build_learner(without_weights(config), info)
    try:
        learner.load_state_dict(content["state_dict"])
    except (RuntimeError, TypeError, AttributeError) as error:
        what = "the network of the changed config" if changes else "its config"
        raise ConfigError(f"{path} does not fit {what}: {' '.join(str(error).split())}") from error
    return Restored(learner.eval(), config, info, folder)


@contextmanager
def _sound(path: Path) -> Iterator[None]:
    """DataError for whatever goes wrong with a record that was damaged or made up: it may hold anything."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        raise DataError(
            f"{path}: its record of config and classes cannot be used ({kind_and_line(error.__cause__ or error)})"
        ) from error
