"""What ``evaluation=overfeat`` and ``dense`` need of a network: the cells of a window, and heads that can be slid."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from vggexp.errors import ConfigError
from vggexp.learner.learner import Learner
from vggexp.learner.windows import heads_of, last_pooling

Config = Mapping[str, Any]


def grid_of(learner: Learner, size: Sequence[int]) -> tuple[int, int]:
    """The cells (height, width) of the last stage for an image of ``size``: those that a head learnt to read."""
    with torch.no_grad():
        image = torch.zeros(1, 3, *size, dtype=torch.uint8, device=learner.device)
        stage = learner.backbone(learner.backbone.normalize(image)).stages[-1]
    return stage.shape[-2], stage.shape[-1]


def check_overfeat(config: Config, learner: Learner) -> None:
    """ConfigError unless there is a classifier, alone or with a localizer, that can be slid over shifted poolings."""
    choice, size = config["choice"], config["data"]["image_size"]
    parts = set(config["task"].get("parts", ()))
    if choice["task"] != "classification" and parts != {"classification", "localization"}:
        which = f" with task.parts=[{','.join(sorted(parts))}]" if parts else ""
        raise ConfigError(
            f"evaluation=overfeat joins a classifier and a localizer, and this run has task={choice['task']}{which}; "
            "give a classifier, or the two grafted: graft runs/classifier runs/localizer output=runs/both"
        )
    if last_pooling(learner.backbone) is None:
        raise ConfigError(
            f"evaluation=overfeat shifts the network's last pooling, and backbone={choice['backbone']} ends in none; "
            "VGG's and OverFeat's networks do"
        )
    heads, grid = heads_of(learner.head), grid_of(learner, size)
    for name in parts or {""}:
        key = f"head.part.{name}" if name else "head"
        if name not in heads:
            raise ConfigError(
                f"evaluation=overfeat applies {key} at every position, and it cannot be; heads mlp, linear, box and "
                "box_per_class can"
            )
        pool = int(getattr(heads[name], "pool", 1))
        if any(side % pool for side in grid):
            raise ConfigError(
                f"evaluation=overfeat: {key}.pool={pool} does not divide the {grid[0]} x {grid[1]} cells of a "
                f"{size[0]} x {size[1]} image, so its dense layers are no convolution"
            )
