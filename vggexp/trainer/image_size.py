"""Checks on a sample that the evaluation transform returns images of ``data.image_size``.

Training and scoring use the size that the transform returns; ``predict``, ``export`` and ``demo`` use
``data.image_size``. The two must agree.
"""

from collections.abc import Mapping
from typing import Any

from torch.utils.data import Dataset

from vggexp.errors import ConfigError
from vggexp.types import Sample

Size = tuple[int, int]
"""Height and width, pixels."""


def check_image_size(config: Mapping[str, Any], dataset: Dataset[Sample]) -> None:
    """Check the size of the first sample of a split without augmentation.

    Raises:
        ConfigError: the image's size differs from ``data.image_size``.
    """
    height, width = dataset[0]["image"].shape[-2:]
    require_size((height, width), config["data"]["image_size"])


def check_training_size(config: Mapping[str, Any], sample: Sample) -> None:
    """ConfigError if the training transform returns images that are too small for the backbone.

    ``config/check/parts.py`` has checked ``data.image_size`` itself, so images of at least its sides are accepted.
    """
    height, width = sample["image"].shape[-2:]
    backbone = config["backbone"]
    least = min(backbone.get("smallest", backbone.get("patch", 32)), *config["data"]["image_size"])
    if min(height, width) < least:
        raise ConfigError(
            f"data.train_transform gives images of {height} x {width} (height x width), and this backbone needs at "
            f"least {least} x {least}; let it end at that size or more"
        )


def require_size(found: Size, image_size: list[int]) -> None:
    """Raise ConfigError if the size that the evaluation transform returned differs from ``data.image_size``."""
    if list(found) == list(image_size):
        return
    height, width = image_size
    raise ConfigError(
        f"data.eval_transform gives images of {found[0]} x {found[1]} (height x width), and data.image_size says "
        f"{height} x {width}; give data.image_size=[{found[0]},{found[1]}], "
        f"or let data.train_transform and data.eval_transform end in Resize: {{size: [{height}, {width}]}}"
    )
