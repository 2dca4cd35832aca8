"""A config whose parts start fresh, whatever they once started from."""

from collections.abc import Mapping
from typing import Any


def without_weights(config: Mapping[str, Any]) -> dict[str, Any]:
    """A run's config that starts fresh: its checkpoint brings the weights, and their first sources may be gone."""
    backbone, head = {**config["backbone"], "weights": "none"}, {**config["head"], "weights": "none"}
    if "part" in head:
        head["part"] = {name: {**part, "weights": "none"} for name, part in head["part"].items()}
    return {**config, "backbone": backbone, "head": head}
