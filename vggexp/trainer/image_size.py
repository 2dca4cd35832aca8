"""``data.image_size`` is what the evaluation transform gives: checked on a sample, so that all commands see one size.

A run trains, and is scored, on what its transform gives; ``predict``, ``export`` and ``demo`` read the config's size.
"""

from collections.abc import Mapping
from typing import Any

from torch.utils.data import Dataset

from vggexp.errors import ConfigError
from vggexp.types import Sample

Size = tuple[int, int]
"""Height and width, pixels."""


def check_image_size(config: Mapping[str, Any], dataset: Dataset[Sample]) -> None:
    """Read the first sample of a split that is not augmented.

    Raises:
        ConfigError: its image has another size than ``data.image_size``.
    """
    height, width = dataset[0]["image"].shape[-2:]
    require_size((height, width), config["data"]["image_size"])


def require_size(found: Size, image_size: list[int]) -> None:
    """ConfigError unless the evaluation transform gives what ``data.image_size`` says."""
    if list(found) == list(image_size):
        return
    height, width = image_size
    raise ConfigError(
        f"data.eval_transform gives images of {found[0]} x {found[1]} (height x width), and data.image_size says "
        f"{height} x {width}; give data.image_size=[{found[0]},{found[1]}], "
        f"or let data.train_transform and data.eval_transform end in Resize: {{size: [{height}, {width}]}}"
    )
