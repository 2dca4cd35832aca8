"""Values that a training found itself and wrote into its config; the key ``fitted`` beside them names them."""

from collections.abc import Mapping
from typing import Any


def unfitted(config: Mapping[str, Any]) -> dict[str, Any]:
    """The config as it was given: null in place of such values, at any depth.

    >>> unfitted({"head": {"finest": 0.2, "hidden": 8, "fitted": ["finest"]}})
    {'head': {'finest': None, 'hidden': 8, 'fitted': []}}
    """
    found = {name: unfitted(value) if isinstance(value, Mapping) else value for name, value in config.items()}
    if own := found.get("fitted"):
        found |= {**dict.fromkeys(own), "fitted": []}
    return found
