"""Checks on a sample that the evaluation transform returns images of ``data.image_size``.

Training and scoring use the size that the transform returns; ``predict``, ``export`` and ``demo`` use
``data.image_size``. The two must agree.
"""

from collections.abc import Mapping
from typing import Any

from torch.utils.data import Dataset

from vggexp.errors import ConfigError
from vggexp.types import Sample

LEAST = 32
"""Pixels a side that the network needs, as ``config/check/parts.py`` asks of ``data.image_size``."""
Size = tuple[int, int]
"""Height and width, pixels."""


def check_image_size(config: Mapping[str, Any], dataset: Dataset[Sample]) -> None:
    """Check the size of the first sample of a split without augmentation.

    Raises:
        ConfigError: the image's size differs from ``data.image_size``.
    """
    height, width = dataset[0]["image"].shape[-2:]
    require_size((height, width), config["data"]["image_size"])


def check_training_size(sample: Sample) -> None:
    """ConfigError if the training transform returns images that a network which halves them five times cannot take."""
    height, width = sample["image"].shape[-2:]
    if min(height, width) < LEAST:
        raise ConfigError(
            f"data.train_transform gives images of {height} x {width} (height x width), and VGG halves an image five "
            f"times; let it end at {LEAST} x {LEAST} or more"
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
