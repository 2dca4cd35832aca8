"""Single values: numbers that are too small, and words that mean nothing."""

from collections.abc import Mapping
from typing import Any

from vggexp.config.help import formats
from vggexp.errors import ConfigError, did_you_mean, require_at_least, require_known

Config = Mapping[str, Any]

PRECISIONS = ("auto", "32", "bf16-mixed", "16-mixed")

_AT_LEAST: dict[str, float] = {
    "seed": 0,
    "data.batch_size": 1,
    "data.workers": 0,
    "data.cache_max_gb": 0.0,
    "optimizer.lr": 0.0,
    "optimizer.weight_decay": 0.0,
    "scheduler.warmup": 0.0,
    "backbone.width": 0.0,
    "trainer.gpus": 0,
    "trainer.processes": 1,
    "trainer.nodes": 1,
    "trainer.effective_batch": 1,
    "optimizer.lr_for_batch": 1,
    "trainer.max_epochs": 1,
    "trainer.accumulate": 1,
    "trainer.clip": 0.0,
    "trainer.ema": 0.0,
    "trainer.early_stopping": 1,
    "trainer.val_every": 1,
    "trainer.log_every": 1,
    "trainer.save_every": 1,
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
}
"""The smallest value of a number, by its key; where that is a whole number, so is the value."""

_WORDS: dict[str, tuple[str, ...]] = {
    "data.cache": ("none", "memory", "disk"),
    "trainer.precision": PRECISIONS,
    "trainer.compress": ("none", "fp16", "bf16"),
    "trainer.compile": ("false", "true", "auto"),
    "trainer.strategy": ("ddp", "fsdp"),
    "objective.mode": ("min", "max"),
}
"""What a word may be, by its key in a training; first what a run counts as that was recorded before the key existed."""


_TAKES_PHOTOS = ("predict", "export", "demo")
_OF_PHOTOS = ("image_size", "eval_transform", "batch_size")


def check_numbers(config: Config) -> None:
    """Those of any verb."""
    for key, least in _AT_LEAST.items():
        if (value := _value(config, key)) is not None:
            require_at_least(key, value, least)


def check_words(config: Config) -> None:
    """Those of a training."""
    for key, options in _WORDS.items():
        require_known(key, _value(config, key, options[0]), options)


def check_override(verb: str, config: Config) -> None:
    """Of a run's data set, verbs that take photos read how photos become the network's input, and nothing else."""
    given = config.get("override", {}).get("data", {}) if verb in _TAKES_PHOTOS else {}
    if without := [key for key in given if key not in _OF_PHOTOS]:
        raise ConfigError(
            f"{verb}: data.{without[0]} changes nothing here: {verb} opens no data set, and its class names are the "
            f"run's; leave it out (of data, {verb} reads only {', '.join(_OF_PHOTOS)})"
        )


def check_formats(names: Any) -> None:
    """The file formats that ``export`` is to write: one or a list."""
    for name in names if isinstance(names, list) else [names]:
        require_known("format", name, formats())
    if not names:
        raise ConfigError(f"format names nothing to write{did_you_mean('', formats())}")


def _value(config: Config, key: str, default: Any = None) -> Any:
    """A key's value; the default where the verb, or a run that was recorded before there was one, has none."""
    group, _, name = key.rpartition(".")
    return (config.get(group, {}) if group else config).get(name, default)
