"""Checks what freeze policies and ``optimizer.l2_sp`` need of the rest of the config."""

from collections.abc import Mapping
from typing import Any

from vggexp.errors import ConfigError

Config = Mapping[str, Any]

_READS_GRADIENTS = ("vggexp.freeze.auto.", "vggexp.freeze.thaw.")
_WHOLE = (*_READS_GRADIENTS, "vggexp.freeze.surgical.", "vggexp.freeze.lora.", "vggexp.freeze.ssf.")


def check_freezing(config: Config) -> None:
    """Check that the gradients that they read are whole and unscaled, and that ``l2_sp`` has a start to pull to."""
    trainer, target = config["trainer"], str(config["freeze"]["_target_"])
    freeze, pull = f"freeze={config['choice']['freeze']}", config["optimizer"].get("l2_sp") or 0
    name = f"optimizer.l2_sp={pull}" if pull else freeze
    if trainer.get("strategy", "ddp") == "fsdp" and (pull or target.startswith(_WHOLE)):
        raise ConfigError(f"trainer.strategy=fsdp: {name} works with whole parameters only; choose strategy=ddp")
    if trainer["precision"] == "16-mixed" and (pull or target.startswith(_READS_GRADIENTS)):
        raise ConfigError(f"trainer.precision=16-mixed scales the gradients that {name} reads; choose bf16-mixed or 32")
    if pull and not sources(config):
        raise ConfigError(
            f"{name} pulls weights towards those that they start from, and backbone.weights=none: name a source, or "
            "leave it at 0"
        )


def sources(config: Config) -> tuple[str, ...]:
    """How the names of the parameters begin that start from other weights: "backbone.", "head.", "head.part.box."."""
    parts = {"backbone": config["backbone"], "head": config["head"]}
    parts |= {f"head.part.{name}": part for name, part in config["head"].get("part", {}).items()}
    return tuple(f"{name}." for name, part in parts.items() if part.get("weights", "none") not in ("none", None))
