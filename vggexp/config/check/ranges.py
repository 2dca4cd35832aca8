"""The ranges of the numbers in a config, and their check."""

from collections.abc import Mapping
from typing import Any

from vggexp.config.check.lookup import lists, value_of, values
from vggexp.errors import ConfigError, require_at_least, require_share, require_weights

Config = Mapping[str, Any]

_AT_LEAST: dict[str, float] = {
    "seed": 0,
    "data.batch_size": 1,
    "data.workers": 0,
    "data.timeout": 0.0,
    "data.cache_max_gb": 0.0,
    "optimizer.lr": 0.0,
    "optimizer.weight_decay": 0.0,
    "scheduler.warmup": 0.0,
    "scheduler.gamma": 0.0,
    "scheduler.power": 0.0,
    "scheduler.patience": 0,
    "scheduler.every": 0.0,
    "backbone.width": 0.0,
    "trainer.gpus": 0,
    "trainer.processes": 1,
    "trainer.nodes": 1,
    "trainer.effective_batch": 1,
    "optimizer.lr_for_batch": 1,
    "trainer.max_epochs": 1,
    "trainer.accumulate": 1,
    "trainer.clip": 0.0,
    "trainer.early_stopping": 1,
    "trainer.val_every": 1,
    "trainer.log_every": 1,
    "trainer.save_every": 1,
    "trainer.save_minutes": 0.0,
    "batch_size": 1,
    "workers": 0,
    "port": 0,
    "tolerance": 0.0,
    "cache.views": 1,
    "cache.max_gb": 0.0,
    "freeze.every": 1,
    "freeze.first": 0,
    "freeze.epochs": 1,
    "freeze.factor": 0.0,
    "freeze.lr_decay": 0.0,
    "freeze.lr_factors": 0.0,
    "freeze.warmup": 0,
    "freeze.percentile": 0.0,
    "freeze.window": 1,
    "freeze.tuned": 1,
    "freeze.rank": 1,
    "optimizer.l2_sp": 0.0,
    "mix.alpha": 0.0,
    "mix.mixup_alpha": 0.0,
    "mix.cutmix_alpha": 0.0,
    "mix.least": 0.5,
    "loss.smooth": 0.0,
    "loss.gamma": 0.0,
    "loss.beta": 0.0,
    "head.hidden": 1,
    "head.pool": 1,
    "head.width": 0.0,
    "head.window": 1,
    "head.channels": 1,
    "head.mask_channels": 1,
    "head.convolutions": 1,
    "head.levels": 2,
    "head.anchors": 0.0,
    "head.anchor": 0.0,
    "head.ratios": 0.0,
    "head.scales": 0.0,
    "head.finest": 0.0,
    "head.radius": 0.0,
    "head.negatives": 0.0,
    "head.proposals": 1,
    "head.samples": 1,
    "head.candidates": 1,
    "head.detections": 1,
    "evaluation.tile": 32,
    "onnx.opset": 1,
    "callback.diagnostics.count": 0,
    "callback.diagnostics.extremes": 0,
    "callback.diagnostics.side": 1,
    "callback.prediction_images.count": 1,
    "callback.prediction_images.columns": 1,
    "callback.prune.min_runs": 1,
    "callback.prune.warmup": 0,
    "tangents": 0,
    "timed": 0,
    "points": 0,
    "photos": 0,
    "stage": 1,
    "channels": 1,
    "samples": 0,
    "repeats": 1,
    "steps": 1,
    "images": 1,
    "epochs": 1,
    "sample": 1,
    "hidden": 1,
    "width": 0.0,
    "evaluation.scales": 0.0,
    "evaluation.sides": 32,
    "evaluation.grid": 1,
    "evaluation.top": 1,
    "evaluation.apart": 0.0,
}
"""The minimum of a number, or of each number of a list, by key. If the minimum is an int, the value must be one."""

_AT_MOST: dict[str, int] = {"seed": 2**32 - 1, "port": 65_535, "freeze.percentile": 100}
"""The maximum of a number: NumPy's of a seed, TCP's of a port."""

_POSITIVE = (
    "trainer.save_minutes",
    "evaluation.shares",
    "evaluation.scales",
    "backbone.width",
    "trainer.clip",
    "head.width",
    "head.anchors",
    "head.anchor",
    "head.ratios",
    "head.scales",
    "head.finest",
    "head.radius",
    "width",
    "freeze.lr_decay",
    "freeze.lr_factors",
    "scheduler.every",
    "scheduler.start",
    "mix.alpha",
    "mix.mixup_alpha",
    "mix.cutmix_alpha",
)
"""Keys whose value is above 0."""

_SHARES: dict[str, bool] = {
    "loss.label_smoothing": False,
    "mix.probability": False,
    "mix.switch": False,
    "loss.alpha": False,
    "task.threshold": True,
    "head.dropout": True,
    "head.threshold": False,
    "head.overlap": False,
    "optimizer.momentum": True,
    "trainer.ema": True,
    "scheduler.floor": False,
    "scheduler.climb": False,
    "scheduler.start": False,
    "evaluation.overlap": True,
    "evaluation.shares": False,
}
"""Keys whose value is from 0 to 1; true: 1 is excluded."""

_FILLED = ("head.anchors", "head.ratios", "head.scales", "evaluation.shares")
"""Lists of which an empty one leaves nothing to find."""


def check_numbers(config: Config) -> None:
    """Check the numbers in the config of any verb."""
    for key, least in _AT_LEAST.items():
        for name, value in values(config, key):
            require_at_least(name, value, least)
            _require_positive(key, name, value)
    for key, most in _AT_MOST.items():
        for name, value in values(config, key):
            if value > most:
                raise ConfigError(f"{name}={value} is more than {most}, the most that it can be")
    for key, below_one in _SHARES.items():
        for name, value in values(config, key):
            require_share(name, value, below_one=below_one)
            _require_positive(key, name, value)
    _check_lists(config)
    _check_weights(config)


def _check_lists(config: Config) -> None:
    for key in _FILLED:
        for name, value in lists(config, key):
            if value == []:
                raise ConfigError(f"{name}=[] is empty; give one number or more")
    for name, scales in lists(config, "head.scales"):
        if not isinstance(scales, list) or len(scales) != 2 or not scales[0] < scales[1]:
            raise ConfigError(f"{name}={scales} is not [smallest, largest], such as [0.2, 0.9]")


def _check_weights(config: Config) -> None:
    for key in ("loss.class_weight", "loss.pos_weight"):
        for name, value in lists(config, key):
            if not isinstance(value, str):
                require_weights(name, value)
    weights = value_of(config, "task.weights")
    if not isinstance(weights, Mapping):
        return  # the schema says what they are
    parts = config["task"].get("parts", weights)
    if not isinstance(parts, str | None):
        require_weights("task.weights", [weight for part, weight in weights.items() if part in parts])


def least_and_most(key: str) -> dict[str, float]:
    """The range of a key's number, in JSON Schema's words; empty where any number will do."""
    if key in _SHARES:
        return {
            ("exclusiveMinimum" if key in _POSITIVE else "minimum"): 0,
            ("exclusiveMaximum" if _SHARES[key] else "maximum"): 1,
        }
    if key in _AT_LEAST:
        least = {("exclusiveMinimum" if key in _POSITIVE else "minimum"): _AT_LEAST[key]}
        return least | ({"maximum": _AT_MOST[key]} if key in _AT_MOST else {})
    return {}


def _require_positive(key: str, name: str, value: float) -> None:
    if key in _POSITIVE and value == 0:
        raise ConfigError(f"{name}={value} is not a number above 0")
