"""How many batches and images ``trainer.limit_*_batches`` and ``trainer.overfit_batches`` leave of a split."""

from collections.abc import Mapping
from math import ceil
from typing import Any

from vggexp.errors import ConfigError

Config = Mapping[str, Any]


def batches_left(trainer: Config, split: str, batches: int) -> int:
    """The batches that the limits leave of a split.

    Raises:
        ConfigError: a fraction leaves less than one batch.
    """
    key = f"limit_{split}_batches"
    if trainer.get("overfit_batches") and split != "test":
        key = "overfit_batches"
    limit: int | float = trainer.get(key, 1.0)
    left = int(batches * limit) if isinstance(limit, float) else min(limit, batches)
    if left == 0 and limit > 0 and batches:
        raise ConfigError(
            f"trainer.{key}={limit} of {batches} batches is less than one; give a larger fraction or a whole number"
        )
    return left


def images_read(config: Config, split: str, images: int, epochs: int) -> int:
    """The images of a split that one process reads in so many epochs, each as often as it is read.

    >>> images_read({"data": {"batch_size": 8}, "trainer": {"limit_train_batches": 2, "val_every": 1}}, "train", 30, 3)
    48
    """
    batch_size: int = config["data"]["batch_size"]
    every: int = config["trainer"].get("val_every", 1) if split == "val" else 1  # configs of older runs lack the key
    left = batches_left(config["trainer"], split, ceil(images / batch_size))
    return max(epochs // every, 1) * min(images, left * batch_size)  # a short run is validated after its last epoch
