"""Checks single values: numbers out of range, and unknown words."""

from collections.abc import Iterator, Mapping
from typing import Any

from vggexp.config.direction import is_loss
from vggexp.config.help import formats
from vggexp.errors import (
    ConfigError,
    did_you_mean,
    require_at_least,
    require_known,
    require_share,
    require_weights,
)

Config = Mapping[str, Any]

PRECISIONS = ("auto", "32", "bf16-mixed", "16-mixed")

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

_WORDS: dict[str, tuple[str, ...]] = {
    "data.cache": ("none", "memory", "disk"),
    "data.sampling": ("shuffle", "balanced"),
    "trainer.precision": PRECISIONS,
    "trainer.compress": ("none", "fp16", "bf16"),
    "trainer.compile": ("false", "true", "auto"),
    "trainer.strategy": ("ddp", "fsdp"),
    "trainer.on_nan": ("stop", "skip", "restore"),
    "objective.mode": ("min", "max"),
}
"""The allowed words of each key of a training; the first one is assumed for older runs that lack the key."""


_FINDS = ("train", "rerun", "resume")
"""Verbs that train, so that ``data.batch_size=auto`` has a meaning."""


def check_numbers(config: Config) -> None:
    """Check the numbers in the config of any verb."""
    for key, least in _AT_LEAST.items():
        for name, value in _values(config, key):
            require_at_least(name, value, least)
            _require_positive(key, name, value)
    for key in _FILLED:
        for name, value in _lists(config, key):
            if value == []:
                raise ConfigError(f"{name}=[] is empty; give one number or more")
    for name, scales in _lists(config, "head.scales"):
        if not isinstance(scales, list) or len(scales) != 2 or not scales[0] < scales[1]:
            raise ConfigError(f"{name}={scales} is not [smallest, largest], such as [0.2, 0.9]")
    for key, most in _AT_MOST.items():
        for name, value in _values(config, key):
            if value > most:
                raise ConfigError(f"{name}={value} is more than {most}, the most that it can be")
    for key, below_one in _SHARES.items():
        for name, value in _values(config, key):
            require_share(name, value, below_one=below_one)
            _require_positive(key, name, value)
    for key in ("loss.class_weight", "loss.pos_weight"):
        for name, value in _lists(config, key):
            if not isinstance(value, str):
                require_weights(name, value)
    if weights := _value(config, "task.weights"):
        parts = config["task"].get("parts", weights)
        if isinstance(parts, str | None) or not isinstance(weights, Mapping):
            return  # the schema says what they are
        chosen = [weight for part, weight in weights.items() if part in parts]
        require_weights("task.weights", chosen)


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


def check_evaluation(config: Config) -> None:
    """Check the words of ``evaluation``; its numbers are checked with all others."""
    chosen = config["evaluation"]
    require_known("evaluation.flip", chosen.get("flip", False), ("false", "true"))
    if not isinstance(scales := chosen.get("scales", [1.0]), list) or not scales or len(set(scales)) < len(scales):
        raise ConfigError(f"evaluation.scales={scales} is not a list of factors, each once, such as [0.75, 1.0, 1.25]")
    sides = chosen.get("sides")
    if sides is not None and (not isinstance(sides, list) or not sides or len(set(sides)) < len(sides)):
        raise ConfigError(f"evaluation.sides={sides} is not a list of pixels, each once, such as [256, 384, 512]")
    tile = chosen.get("tile")
    if tile is not None and not (isinstance(tile, list) and len(tile) == 2):
        raise ConfigError(f"evaluation.tile={tile} is not [height, width] in pixels of the photo, 32 or more each")


def check_words(config: Config) -> None:
    """Check the words in the config of a training."""
    for key, options in _WORDS.items():
        require_known(key, _value(config, key, options[0]), options)
    watches = [key for key in ("trainer.early_stopping",) if _value(config, key)]
    watches += ["scheduler=plateau"] if str(_value(config, "scheduler._target_")).endswith("plateau") else []
    if watches and _value(config, "trainer.limit_val_batches", 1.0) == 0:
        raise ConfigError(f"{watches[0]} needs the objective, but trainer.limit_val_batches=0 validates nothing")
    metric, mode = (_value(config, f"objective.{name}") for name in ("metric", "mode"))
    if mode == "max" and is_loss(metric):
        raise ConfigError(f"objective.mode=max would keep the worst epoch: of {metric}, lower is better; use min")


def check_batch_size(verb: str, config: Config) -> None:
    """Reject ``data.batch_size=auto`` where nothing is trained."""
    own = config.get("override", config).get("data", {})
    if own.get("batch_size") == "auto" and verb not in _FINDS:
        raise ConfigError(f"{verb}: data.batch_size=auto: only a training finds its number; give one")


def check_formats(names: Any) -> None:
    """Check the file formats that ``export`` writes: one or a list."""
    for name in names if isinstance(names, list) else [names]:
        require_known("format", name, formats())
    if not names:
        raise ConfigError(f"format is empty; give one or more formats{did_you_mean('', formats())}")


def _require_positive(key: str, name: str, value: float) -> None:
    if key in _POSITIVE and value == 0:
        raise ConfigError(f"{name}={value} is not a number above 0")


def _lists(config: Config, key: str) -> Iterator[tuple[str, Any]]:
    """The values of a key, also in the parts of a parallel head or loss, each with its full key; without None."""
    group, _, name = key.rpartition(".")
    if (value := _value(config, key)) is not None:
        yield key, value
    parts = config.get(group, {}).get("part", {}) if group else {}
    for part, own in parts.items():
        if own.get(name) is not None:
            yield f"{group}.part.{part}.{name}", own[name]


def _values(config: Config, key: str) -> Iterator[tuple[str, Any]]:
    """Like ``_lists``, but yields each number of a list separately; a word in place of one is for the schema."""
    for name, value in _lists(config, key):
        if key == "data.batch_size" and isinstance(value, str):
            continue
        for one in value if isinstance(value, list) else [value]:
            yield name, one


def _value(config: Config, key: str, default: Any = None) -> Any:
    """A key's value; the default if the verb or an older recorded run lacks the key."""
    *groups, name = key.split(".")
    for group in groups:
        inner = config.get(group)
        config = inner if isinstance(inner, Mapping) else {}
    return config.get(name, default)
