"""A config with ``weights: none`` everywhere."""

from collections.abc import Mapping
from typing import Any


def without_weights(config: Mapping[str, Any]) -> dict[str, Any]:
    """A run's config without weight sources: its checkpoint holds the weights, and the sources may be gone.

    Nor is there a start that ``optimizer.l2_sp`` could pull to.
    """
    backbone, head = {**config["backbone"], "weights": "none"}, {**config["head"], "weights": "none"}
    if "part" in head:
        head["part"] = {name: {**part, "weights": "none"} for name, part in head["part"].items()}
    stripped = {**config, "backbone": backbone, "head": head}
    if config.get("optimizer", {}).get("l2_sp"):
        stripped["optimizer"] = {**config["optimizer"], "l2_sp": 0.0}
    return stripped
