"""``resume``: continue an interrupted run, or extend a finished one.

An interrupted run ends in the weights of the uninterrupted one.
"""

from collections.abc import Mapping
from typing import Any

from vggexp.command import train
from vggexp.config.check import check
from vggexp.config.check.trust import check_recorded
from vggexp.config.recorded import amend, read_config
from vggexp.config.resumable import check_changes
from vggexp.distributed.claim import claim
from vggexp.errors import ConfigError, DataError
from vggexp.run_folder import RunFolder
from vggexp.transfer.last import holds_last, repair_last
from vggexp.transfer.without_weights import without_weights


def run(config: Mapping[str, Any]) -> int:
    """Continue from the last checkpoint; without one, start again. A finished run needs more ``trainer.max_epochs``."""
    folder = RunFolder(config["checkpoint"])
    with claim(folder.path, "stop it first"):
        return _resume(config, folder)


def _resume(config: Mapping[str, Any], folder: RunFolder) -> int:
    changes, recorded, has_last = config["override"], _recorded(folder), holds_last(folder)
    check_recorded(folder.path, recorded, config["trust"])
    amended = amend(recorded, {**changes, "run": {**changes.get("run", {}), "dir": str(folder.path)}})
    epochs, before = (whole["trainer"]["max_epochs"] for whole in (amended, recorded))
    if has_last:
        check_changes(recorded, changes, folder.path)
    if folder.summary.exists() and not (has_last and isinstance(epochs, int) and epochs > before):
        raise ConfigError(
            f"{folder.path} is finished; to train it longer: python -m vggexp resume {folder.path} "
            f"trainer.max_epochs=N with N above {before}; to train it again: "
            f"python -m vggexp rerun {folder.path} run.dir=..."
        )
    amended["run"]["overwrite"] = True  # what is in the folder is this run
    check("train", without_weights(amended) if has_last else amended)
    amended["run"]["overwrite"] = not has_last
    if has_last:
        repair_last(folder)
    if has_last and changes:
        folder.change(amended)
    return train.run(amended, go_on=has_last)


def _recorded(folder: RunFolder) -> dict[str, Any]:
    """The config in config.yaml; if that was cut short, the one in the last checkpoint, which is written back."""
    try:
        return read_config(folder)
    except DataError:
        if not (folder.config.exists() and holds_last(folder)):
            raise
    from vggexp.transfer.checkpoint import read_checkpoint

    repair_last(folder)
    config = read_checkpoint(folder.last)["config"]
    print(f"{folder.config} cannot be read; its copy in {folder.last} takes its place")
    folder.change(config)
    return read_config(folder)
