"""How many images a step takes; checks that steps and limits fit the data, once it is open."""

import sys
from collections.abc import Mapping
from math import ceil
from typing import Any

from vggexp.distributed.processes import place_in_run, world_size
from vggexp.errors import ConfigError
from vggexp.sample.limits import batches_left

Config = Mapping[str, Any]


def check_length(config: Config, split: str, images: int) -> None:
    """ConfigError if a limit leaves no batch of a split, or if a step takes more than an epoch has.

    If only a limit makes the epoch shorter than a step, as in a trial run, print a line instead.
    """
    together = config["data"]["batch_size"] * world_size(config["trainer"])
    batches = ceil(images / together)
    left = batches_left(config["trainer"], split, batches)
    if split != "train":
        return
    steps = accumulation(config)
    if steps > batches:
        raise ConfigError(_too_long(config, images, batches))
    if steps > left and place_in_run()[0] == 0:
        seen = left * together
        print(
            f"vggexp: a step takes {global_batch(config)} images, but the limits leave {left} batches to an epoch: "
            f"each step sees at most {seen}",
            file=sys.stderr,
        )


def _too_long(config: Config, images: int, batches: int) -> str:
    whole = config["trainer"].get("effective_batch")
    if whole:
        return f"trainer.effective_batch={whole}: the training split has {images} images; give {images} or less"
    return (
        f"trainer.accumulate={config['trainer']['accumulate']}: an epoch has {batches} batches "
        f"({images} images); give {batches} or less"
    )


def accumulation(config: Config) -> int:
    """Batches per optimizer step: ``trainer.accumulate``, or as many as make up ``trainer.effective_batch`` images."""
    trainer = config["trainer"]
    whole = trainer.get("effective_batch")
    together = config["data"]["batch_size"] * world_size(trainer)
    return int(whole // together if whole else trainer["accumulate"])


def global_batch(config: Config) -> int:
    """Images per optimizer step, over all devices."""
    return int(config["data"]["batch_size"]) * world_size(config["trainer"]) * accumulation(config)
