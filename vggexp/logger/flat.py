"""A config as flat hyperparameters, and a summary as flat numbers, for loggers that know no nesting."""

import math
from collections.abc import Mapping
from typing import Any

COSTS = ("parameters", "trainable_parameters", "seconds", "images_per_second", "peak_memory_mib", "epoch")
"""Keys of ``summary.json`` that are numbers worth a column."""


def flat(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested keys joined by dots, as one writes them on the command line.

    >>> flat({"seed": 1, "head": {"hidden": [8, 4], "dropout": None}})
    {'seed': 1, 'head.hidden': '[8, 4]', 'head.dropout': 'null'}
    """
    found: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{key}.")
        else:
            is_plain = isinstance(value, str | int | float | bool)
            found[f"{prefix}{key}"] = value if is_plain else "null" if value is None else str(value)
    return found


def costs(summary: Mapping[str, Any]) -> dict[str, float]:
    """What a run cost and what the baseline scores, as numbers.

    >>> costs({"seconds": 3.5, "baseline": {"test/top1": 0.1, "test/f1": float("nan")}, "seed": 1})
    {'seconds': 3.5, 'baseline/test/top1': 0.1}
    """
    baseline = {f"baseline/{name}": value for name, value in (summary.get("baseline") or {}).items()}
    numbers = {name: summary[name] for name in COSTS if name in summary} | baseline
    return {name: float(value) for name, value in numbers.items() if value is not None and not math.isnan(value)}
