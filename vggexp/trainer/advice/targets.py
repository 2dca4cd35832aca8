"""Which targets a config's task has that a probe can predict."""

from collections.abc import Mapping
from typing import Any

from vggexp.errors import ConfigError
from vggexp.trainer.advice.target.box import Box
from vggexp.trainer.advice.target.contract import Target
from vggexp.trainer.advice.target.label import Label
from vggexp.trainer.advice.target.labels import Labels
from vggexp.trainer.advice.target.mask import Mask
from vggexp.trainer.advice.target.objects import Regions

TARGETS: Mapping[str, Target] = {
    "label": Label(), "labels": Labels(), "box": Box(), "mask": Mask(), "objects": Regions(),
}  # fmt: skip
"""By key of a batch (``types.TARGETS``)."""


def targets_of(config: Mapping[str, Any]) -> dict[str, Target]:
    """What a probe can predict of a task's targets, by key; of a multitask, those of its parts.

    Raises:
        ConfigError: none of them.
    """
    task = config["task"]
    parts = [task["part"][name] for name in task["parts"]] if "parts" in task else [task]
    found = {key: TARGETS[key] for part in parts for key in part["needs"] if key in TARGETS and not _chooses(key, part)}
    if not found:
        raise ConfigError(
            f"advise can probe {', '.join(TARGETS)}, and task={config['choice']['task']} needs none of them"
        )
    return found


def _chooses(key: str, part: Mapping[str, Any]) -> bool:
    """Whether a localization reads the label only to choose from one box a class."""
    return key == "label" and "box" in part["needs"]
