"""``evaluation=``: how a finished run is applied to images, and whether its network can be."""

from collections.abc import Mapping
from typing import Any

from torch import nn

from vggexp.config.check.parts import heads
from vggexp.errors import ConfigError
from vggexp.learner.learner import Learner
from vggexp.sample.resize import without_size
from vggexp.trainer.build import build
from vggexp.types import AveragesViews, Evaluation

Config = Mapping[str, Any]


def make_evaluation(chosen: Config, config: Config, learner: Learner, batch_size: int) -> Evaluation | None:
    """What the words of ``evaluation`` describe; None if images are evaluated once and whole.

    Args:
        chosen: the config of the group.
        config: the run's.
        batch_size: tiles that the network takes at once.

    Raises:
        ConfigError: the run's task or network cannot be evaluated so.
    """
    scales, size = chosen["scales"], chosen.get("tile") or config["data"]["image_size"]
    if "tile" in chosen:
        _check_tiles(config)
    if chosen["flip"]:
        _check_task("evaluation.flip=true", config, learner)
    if scales != [1.0]:
        _check_task(f"evaluation.scales={scales}", config, learner)
        _check_convolutional(f"evaluation.scales={scales}", config, learner.head)
    for scale in scales:
        _check_size(scale, size, config)
    if "tile" in chosen:
        evaluation: Evaluation = build(
            "evaluation", chosen, image_size=config["data"]["image_size"], batch_size=batch_size
        )
        return evaluation
    whole = build("evaluation", chosen)
    return whole if whole.averages else None


def is_sliding(chosen: Config) -> bool:
    """Whether photos are read at their own resolution, in tiles."""
    return "tile" in chosen


def at_own_size(config: Config) -> dict[str, Any]:
    """A run's config with which photos keep their size, and come one by one."""
    data = config["data"]
    return {**config, "data": {**data, "eval_transform": without_size(data["eval_transform"]), "batch_size": 1}}


def words(choice: Config, chosen: Config) -> dict[str, Any] | None:
    """What was chosen, in JSON types; None for what is the default."""
    own = {key: value for key, value in chosen.items() if not key.startswith("_")}
    return None if own == {"flip": False, "scales": [1.0]} else {"evaluation": choice["evaluation"], **own}


def _check_tiles(config: Config) -> None:
    if config["head"]["gives"] != "pixel_logits":
        raise ConfigError(
            f"evaluation=sliding blends the pixel classes of tiles, and task={config['choice']['task']} has more or "
            "other targets; leave it out, or give a run of task=segmentation"
        )


def _check_task(word: str, config: Config, learner: Learner) -> None:
    if not isinstance(learner.task, AveragesViews):
        raise ConfigError(
            f"{word}: task={config['choice']['task']} does not average several views of an image; leave it out "
            "(classification, localization and segmentation do)"
        )


def _check_convolutional(word: str, config: Config, head: Any) -> None:
    assert isinstance(head, nn.Module)
    if not getattr(head, "fully_convolutional", False):
        raise ConfigError(
            f"{word}: head={config['choice']['head']} has dense layers, which learnt one size; leave it out "
            "(heads unet, fcn, deconvnet and linear take any size)"
        )


def _check_size(scale: float, size: list[int], config: Config) -> None:
    """The network accepts a view of this scale."""
    sides = [round(side * scale) for side in size]
    if min(sides) < 32:
        raise ConfigError(
            f"evaluation.scales: at {scale:g} an image of {size[0]} x {size[1]} becomes {sides[0]} x {sides[1]}; VGG "
            "halves it five times, so give scales that leave 32 or more"
        )
    windows = {key: head["window"] for key, head in heads(config).items() if head.get("window", 0) > min(sides) // 32}
    for key, window in windows.items():
        raise ConfigError(
            f"evaluation: {key}.window={window} needs images of {32 * window} or more, and a view has {sides[0]} x "
            f"{sides[1]}; give a larger tile or scale"
        )
