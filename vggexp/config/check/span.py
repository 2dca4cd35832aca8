"""Checks how long a training is: how many batches of each split it reads, and when its schedule acts."""

from collections.abc import Mapping
from typing import Any

from vggexp.errors import ConfigError

Config = Mapping[str, Any]

_NONE_MEANS = {
    "limit_train_batches": "trains nothing; give a fraction up to 1.0 or a number of batches",
    "limit_val_batches": None,  # Lightning's way to train without validation
    "limit_test_batches": "tests nothing; say test=false",
    "overfit_batches": None,
}
"""By limit: what a limit of 0 comes to; None: it is allowed."""


def check_limits(config: Config) -> None:
    """Each limit is a number of batches or a fraction of them."""
    for name, none in _NONE_MEANS.items():
        value, key = config["trainer"].get(name, 1.0), f"trainer.{name}"
        if isinstance(value, float) and not 0 <= value <= 1:
            raise ConfigError(f"{key}={value} is no fraction from 0.0 to 1.0; a number of batches is a whole number")
        if value < 0:
            raise ConfigError(f"{key}={value} is not a number of batches")
        is_used = config["test"] if name == "limit_test_batches" else True
        if value == 0 and none and is_used:
            raise ConfigError(f"{key}={value} {none}")
    overfit = config["trainer"].get("overfit_batches", 0)
    for name in ("limit_train_batches", "limit_val_batches"):
        value = config["trainer"].get(name, 1.0)
        is_all = isinstance(value, float) and value == 1  # the whole number 1 is one batch
        if overfit and not is_all:
            raise ConfigError(
                f"trainer.{name}={value} has no effect with trainer.overfit_batches={overfit}, which limits both "
                "splits; leave one of them out"
            )


def check_schedule(config: Config) -> None:
    """The schedule's drops and its warm-up lie within the run."""
    scheduler, epochs = config["scheduler"], config["trainer"]["max_epochs"]
    if not str(scheduler["_target_"]).startswith("vggexp.scheduler."):
        return
    for share in scheduler.get("at", ()):
        if not 0 < share < 1:
            hint = f"; after epoch {share:g} of {epochs} is {share / epochs:.2g}" if 1 <= share < epochs else ""
            raise ConfigError(f"scheduler.at={share} is no fraction of the run, above 0 and below 1{hint}")
    if (warmup := scheduler.get("warmup", 0)) > epochs:
        raise ConfigError(f"scheduler.warmup={warmup} epochs are longer than the run (trainer.max_epochs={epochs})")
