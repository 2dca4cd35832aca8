"""Checks the words in a config: unknown ones, and some that cannot be together."""

from collections.abc import Mapping
from typing import Any

from vggexp.config.check.lookup import value_of
from vggexp.config.direction import is_loss
from vggexp.config.help import formats
from vggexp.errors import ConfigError, did_you_mean, require_known

Config = Mapping[str, Any]

PRECISIONS = ("auto", "32", "bf16-mixed", "16-mixed")

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
        require_known(key, value_of(config, key, options[0]), options)
    _check_loggers(config)
    watches = [key for key in ("trainer.early_stopping",) if value_of(config, key)]
    watches += ["scheduler=plateau"] if str(value_of(config, "scheduler._target_")).endswith("plateau") else []
    if watches and value_of(config, "trainer.limit_val_batches", 1.0) == 0:
        raise ConfigError(f"{watches[0]} needs the objective, but trainer.limit_val_batches=0 validates nothing")
    metric, mode = (value_of(config, f"objective.{name}") for name in ("metric", "mode"))
    if mode == "max" and is_loss(metric):
        raise ConfigError(f"objective.mode=max would keep the worst epoch: of {metric}, lower is better; use min")


def _check_loggers(config: Config) -> None:
    """A logger reads an empty text as none was given, and says nothing."""
    for name, chosen in config.get("logger", {}).items():
        for key, value in chosen.items():
            if isinstance(value, str) and not value.strip():
                raise ConfigError(f"logger.{name}.{key} is empty; give a text, or leave it out")


def check_batch_size(verb: str, config: Config) -> None:
    """Reject ``data.batch_size=auto`` where nothing is trained."""
    own = config.get("override", config).get("data", {})
    if own.get("batch_size") == "auto" and verb not in _FINDS:
        raise ConfigError(f"{verb}: data.batch_size=auto: only a training finds its number; give one")


_OF_PAGE = {"compare": "photos", "inspect": "samples"}
"""By verb: the key that only its page reads; null if nobody gives it."""


def check_page(verb: str, config: Config) -> None:
    """Refuse what the verb's page alone reads where it writes none."""
    if (value := config.get(_OF_PAGE.get(verb, ""))) is None:
        return
    if verb == "compare" and not config["page"]:
        raise ConfigError(f"photos={value} is about the page, and page=null writes none; leave one of them out")
    if verb == "inspect" and str(config["output"]).endswith(".json"):
        output = config["output"]
        raise ConfigError(f"samples={value} is about the page, and output={output} is none; leave one of them out")


def check_formats(config: Config) -> None:
    """Check the file formats that ``export`` writes, one or a list, and that no other format's options are given."""
    given = config["format"]
    names = given if isinstance(given, list) else [given]
    for name in names:
        require_known("format", name, formats())
    if not names:
        raise ConfigError(f"format is empty; give one or more formats{did_you_mean('', formats())}")
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ConfigError(f"format names {twice} twice; name each format once")
    for name in formats():
        for key, value in config.get(name, {}).items():
            if value is not None and name not in names:
                raise ConfigError(
                    f"{name}.{key}={value} has no effect with format={','.join(names)}: it is for format={name}"
                )
