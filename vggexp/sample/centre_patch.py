"""A patch around a random pixel, whose mask keeps only the centre pixel's label; for training ``head=patch``."""

from typing import Any

import torch
from torchvision import tv_tensors
from torchvision.transforms import v2

from vggexp.sample.labels import Labels
from vggexp.sample.mirror import places
from vggexp.types import VOID


class CentrePatch(v2.Transform):  # type: ignore[misc]
    """Cuts a patch out of an image, which is mirrored at its borders.

    Args:
        size: side of the patch, pixels, odd.
        balanced: draw a class of the mask first, then one of its pixels; False: draw a pixel. VOID is never drawn.
    """

    def __init__(self, size: int, balanced: bool = True) -> None:
        super().__init__()
        if not isinstance(size, int) or size < 1 or size % 2 == 0:
            raise ValueError(f"size={size} is not an odd number of pixels: a patch needs a centre")
        self.size, self.balanced = size, balanced

    def make_params(self, flat_inputs: list[Any]) -> dict[str, int]:
        """The centre's row and column."""
        masks = [one for one in flat_inputs if isinstance(one, Labels)]
        if not masks:
            raise ValueError("CentrePatch needs a mask to draw a pixel of; it is for task=segmentation")
        mask = masks[0].as_subclass(torch.Tensor)
        known = mask != VOID
        if self.balanced and known.any():
            present = mask[known].unique()
            known = mask == present[torch.randint(len(present), ())]
        found = (known if known.any() else torch.ones_like(known)).flatten().nonzero()
        place = int(found[torch.randint(len(found), ())])
        return {"row": place // mask.shape[-1], "column": place % mask.shape[-1]}

    def transform(self, inpt: Any, params: dict[str, int]) -> Any:
        """The patch; of a mask, the patch with every pixel except the centre set to VOID."""
        if isinstance(inpt, tv_tensors.BoundingBoxes):
            raise ValueError("CentrePatch moves images and masks, no boxes; it is for task=segmentation")
        plain = inpt.as_subclass(torch.Tensor)
        middle = self.size // 2
        rows, columns = (
            places(centre - middle, centre + middle + 1, side)
            for centre, side in zip((params["row"], params["column"]), plain.shape[-2:], strict=True)
        )
        cut = plain.index_select(-2, rows).index_select(-1, columns)
        if not isinstance(inpt, Labels):
            return cut if type(inpt) is torch.Tensor else tv_tensors.wrap(cut, like=inpt)
        kept = torch.full_like(cut, VOID)
        kept[middle, middle] = cut[middle, middle]
        return Labels(kept)
