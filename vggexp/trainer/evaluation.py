"""``evaluation=``: how a finished run is applied to images, and whether its network can be."""

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any

from torch import Tensor, nn

from vggexp.config.check.parts import heads
from vggexp.errors import ConfigError
from vggexp.learner.learner import Learner
from vggexp.sample.resize import without_size
from vggexp.trainer.build import build
from vggexp.trainer.sliding import check_overfeat, grid_of
from vggexp.types import AveragesViews, Slides

Config = Mapping[str, Any]


def make_evaluation(chosen: Config, config: Config, learner: Learner, batch_size: int) -> Any | None:
    """What the words of ``evaluation`` describe; None if images are evaluated once and whole.

    Args:
        chosen: the config of the group.
        config: the run's.
        batch_size: tiles, crops or windows that the network takes at once.

    Raises:
        ConfigError: the run's task or network cannot be evaluated so.
    """
    size = config["data"]["image_size"]
    _check_views(chosen, config, learner)
    if {"tile", "shares"} & chosen.keys():
        _check_pixels(chosen, config)
    if "top" in chosen:
        check_overfeat(config, learner)
    if "sides" in chosen:
        _check_sides(chosen, config)
    handed = {"image_size": size, "batch_size": batch_size}
    if chosen["_target_"].endswith("Patchwise"):
        handed["patch_side"] = _patch(config, learner)
    if "maps" in (wanted := _arguments(chosen["_target_"])):
        handed["maps"] = _maps(chosen, config, learner)
    if "windows" in wanted:
        handed["windows"] = partial(learner.windows, grid=grid_of(learner, size))
    built = build("evaluation", chosen, **{name: value for name, value in handed.items() if name in wanted})
    return built if getattr(built, "averages", True) or "tile" in chosen else None


def keeps_size(chosen: Config) -> bool:
    """Whether photos are read at their own resolution, one by one."""
    return bool({"tile", "sides", "shares"} & chosen.keys())


def at_own_size(config: Config) -> dict[str, Any]:
    """A run's config with which photos keep their size, and come one by one."""
    data = config["data"]
    return {**config, "data": {**data, "eval_transform": without_size(data["eval_transform"]), "batch_size": 1}}


def words(choice: Config, chosen: Config) -> dict[str, Any] | None:
    """What was chosen, in JSON types; None for what is the default."""
    own = {key: value for key, value in chosen.items() if not key.startswith("_")}
    return None if own == {"flip": False, "scales": [1.0]} else {"evaluation": choice["evaluation"], **own}


def suffix(how: Config | None) -> str:
    """The part of a file's name that tells evaluations apart: "-sliding-flip"; "" for the default."""
    if how is None:
        return ""
    name = how["evaluation"]
    views = ["flip"] if how.get("flip") and name in ("whole", "sliding", "center") else []
    views += ["scales"] if how.get("scales", [1.0]) != [1.0] else []
    views += [str(side) for side in how.get("sides") or ()]
    return "-" + "-".join([*([name] if name != "whole" else []), *views])


def _arguments(target: str) -> set[str]:
    module, _, name = target.rpartition(".")
    return set(inspect.signature(getattr(import_module(module), name)).parameters)


def _maps(chosen: Config, config: Config, learner: Learner) -> Callable[[Tensor], Tensor]:
    """The network as convolutions, tried on nothing but its shapes."""
    name, head, size = chosen["_target_"].rpartition(".")[2].lower(), learner.head, config["data"]["image_size"]
    if not isinstance(head, Slides):
        raise ConfigError(
            f"evaluation={name} applies the head at every position, and head={config['choice']['head']} cannot be; "
            "heads mlp and linear can"
        )
    grid = grid_of(learner, size)
    if any(side % getattr(head, "pool", 1) for side in grid):
        raise ConfigError(
            f"evaluation={name}: head.pool={getattr(head, 'pool', 1)} does not divide the {grid[0]} x {grid[1]} cells "
            f"of a {size[0]} x {size[1]} image, so its dense layers are no convolution; evaluation=multicrop takes any"
        )
    return partial(learner.maps, grid=grid)


def _patch(config: Config, learner: Learner) -> int:
    if not hasattr(learner.backbone, "patch") or config["head"]["gives"] != "pixel_logits":
        raise ConfigError(
            "evaluation=patchwise slides a classifier of patches, and this run has "
            f"backbone={config['choice']['backbone']} and task={config['choice']['task']}; give a run of "
            "backbone=patch head=patch task=segmentation"
        )
    return int(learner.backbone.patch)


def _check_views(chosen: Config, config: Config, learner: Learner) -> None:
    """Flips and other scales: the task averages them, and the network takes them."""
    if "scales" not in chosen:
        return
    scales, size = chosen["scales"], chosen.get("tile") or config["data"]["image_size"]
    if chosen["flip"]:
        _check_task("evaluation.flip=true", config, learner)
    if scales != [1.0]:
        _check_task(f"evaluation.scales={scales}", config, learner)
        _check_convolutional(f"evaluation.scales={scales}", config, learner.head)
    for scale in scales:
        _check_size(scale, size, config)


def _check_sides(chosen: Config, config: Config) -> None:
    """One class a photo, and photos that are no smaller than what the network was trained at."""
    name, size = chosen["_target_"].rpartition(".")[2].lower(), config["data"]["image_size"]
    if "top" not in chosen and (config["head"]["gives"] != "class_logits" or config["choice"]["task"] == "multilabel"):
        raise ConfigError(
            f"evaluation={name} averages the classes of a photo's parts, and task={config['choice']['task']} has "
            "more or other targets; leave it out, or give a run of task=classification"
        )
    for side in chosen["sides"] or ():
        if side < max(size):
            raise ConfigError(
                f"evaluation.sides: {side} is less than the {size[0]} x {size[1]} that the network was trained at; "
                f"give {max(size)} or more"
            )


def _check_pixels(chosen: Config, config: Config) -> None:
    if config["head"]["gives"] != "pixel_logits":
        raise ConfigError(
            f"evaluation={'sliding' if 'tile' in chosen else 'proposals'} blends the pixel classes of "
            f"{'tiles' if 'tile' in chosen else 'boxes'}, and task={config['choice']['task']} has more or other "
            "targets; leave it out, or give a run of task=segmentation"
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
