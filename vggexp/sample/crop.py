"""torchvision's RandomResizedCrop (v2): bit-identical, faster, and also for images decoded at a smaller scale."""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate
from torchvision.transforms import v2

from vggexp.sample.decode_scale import averages

Size = tuple[int, int]


class Crop(v2.Transform):  # type: ignore[misc]
    """A crop that is drawn in pixels of the stored image, then scaled to the decoded image's pixels.

    So it equals the crop of the fully decoded image, up to half a decoded pixel. For an image without targets it copies
    the
    crop before resizing it: torch resizes a contiguous image in three quarters of the time.

    Args:
        step: torchvision's crop, whose draws and size are taken.
        size: (height, width) of the stored image; None: the image is whole.
    """

    def __init__(self, step: v2.RandomResizedCrop, size: Size | None = None) -> None:
        super().__init__()
        self.step, self._size = step, size
        self._direct = averages(step)
        self._mode = getattr(step.interpolation, "value", step.interpolation)

    def of(self, size: Size) -> "Crop":
        """The same, of images stored at this size."""
        return Crop(self.step, size)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, int]:
        """The draw, in pixels of the inputs."""
        if self._size is None:
            return self.step.make_params(flat_inputs)  # type: ignore[no-any-return]
        drawn = self.step.make_params([torch.empty((0, *self._size))])
        height, width = v2.query_size(flat_inputs)
        top, rows = scaled_part(drawn["top"], drawn["height"], height, self._size[0])
        left, columns = scaled_part(drawn["left"], drawn["width"], width, self._size[1])
        return {"top": top, "left": left, "height": rows, "width": columns}

    def transform(self, inpt: Any, params: dict[str, int]) -> Any:
        """The crop, resized."""
        if type(inpt) is not Tensor or inpt.dtype != torch.uint8 or inpt.ndim != 3 or not self._direct:
            return self.step.transform(inpt, params)
        top, left = params["top"], params["left"]
        crop = inpt[None, :, top : top + params["height"], left : left + params["width"]]
        crop = crop.contiguous(memory_format=torch.channels_last)
        return interpolate(crop, size=self.step.size, mode=self._mode, antialias=True, align_corners=False)[0]


def scaled_part(start: int, length: int, decoded: int, stored: int) -> tuple[int, int]:
    """An interval on a side of ``stored`` pixels, converted to the same side decoded to ``decoded`` pixels."""
    length = max(round(length * decoded / stored), 1)
    return min(round(start * decoded / stored), decoded - length), length
