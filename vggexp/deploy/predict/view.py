"""What a network sees of a photo, and the way back: from the network's image to the photo.

The evaluation recipe may squash, crop or pad; each moves the photo's edges, and where they come to lie says how boxes
and masks are laid back on it.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms.v2 import functional

from vggexp.boxes import from_edges, to_edges
from vggexp.errors import ConfigError, DataError, first_line
from vggexp.sample.mask_grid import cells_under, pick
from vggexp.sample.recipe import Recipe, pipeline
from vggexp.sample.transform import moved
from vggexp.trainer.image_size import require_size
from vggexp.types import VOID, Prediction

Size = tuple[int, int]


@dataclass(frozen=True)
class Window:
    """Where a photo lies in what the network sees of it."""

    left: float
    """The photo's edge as a share of the network's image: negative if it was cut off, positive if it was padded."""
    top: float
    right: float
    bottom: float
    straight: bool = True
    """Whether the photo was only stretched, cropped and padded: neither turned nor flipped."""

    def lay_back(self, prediction: Prediction, size: Size) -> Prediction:
        """One image's prediction on the photo: boxes as shares of the photo, the mask with ``size`` = (H, W) pixels.

        Raises:
            ConfigError: the photo was turned or flipped, so nothing can be laid back on it.
        """
        moved = dict(prediction)
        if not self.straight and {"box", "box_per_class", "mask"} & moved.keys():
            raise ConfigError(
                "data.eval_transform turns or flips the image, so its boxes and masks have no place on the photo; "
                "stretch, crop or pad instead: Resize, CenterCrop, Pad"
            )
        for name in ("box", "box_per_class"):
            if name in moved:
                moved[name] = self._lay_box(moved[name])
        if "mask" in moved:
            moved["mask"] = self._lay_mask(moved["mask"], size)
        return moved

    def _lay_box(self, boxes: Tensor) -> Tensor:
        start = torch.tensor((self.left, self.top, self.left, self.top))
        width, height = self.right - self.left, self.bottom - self.top
        return from_edges((to_edges(boxes) - start) / torch.tensor((width, height, width, height)))

    def _lay_mask(self, mask: Tensor, size: Size) -> Tensor:
        """Each pixel of the photo takes the label under its centre; VOID where the network saw nothing of it."""
        height, width = mask.shape
        rows = cells_under(size[0], height, self.top, self.bottom)
        columns = cells_under(size[1], width, self.left, self.right)
        seen_rows, seen_columns = (rows >= 0) & (rows < height), (columns >= 0) & (columns < width)
        laid = pick(mask, rows.clip(0, height - 1), columns.clip(0, width - 1))
        if not seen_rows.all():
            laid[torch.from_numpy(~seen_rows)] = VOID
        if not seen_columns.all():
            laid[:, torch.from_numpy(~seen_columns)] = VOID
        return laid


class View:
    """A run's evaluation recipe, applied to photos of any size.

    Args:
        recipe: ``data.eval_transform``.
        size: (H, W) of what the network takes. A recipe that leaves images of many sizes, such as the empty one of
            embedded data, is followed by a resize.

    Raises:
        ConfigError: the recipe ends at one size, and that is another.
    """

    def __init__(self, recipe: Recipe, size: Size) -> None:
        self.size = size
        self._steps = pipeline(recipe)
        if (ends := self._one_size()) is not None:
            require_size(ends, list(size))

    def _one_size(self) -> Size | None:
        """What the recipe gives for an image of any size; None if that depends on the image."""
        height, width = self.size
        sizes = set()
        for sides in ((2 * height + 1, 3 * width), (3 * height, 2 * width + 1)):
            try:
                seen = moved(self._steps, {"image": torch.zeros(3, *sides, dtype=torch.uint8)})["image"]
            except ValueError:  # told of the photo that it happens to
                return None
            sizes.add((seen.shape[-2], seen.shape[-1]))
        return sizes.pop() if len(sizes) == 1 else None

    def __call__(self, image: Tensor) -> tuple[Tensor, Window]:
        """uint8 (3, H, W) to uint8 (3, *size), and where the image lies in it.

        Raises:
            DataError: the recipe does not work on an image of this shape.
        """
        height, width = image.shape[-2:]
        # The photo, and a quarter by a half of it: where that one comes to lie tells a flip from a crop.
        edges = torch.tensor([[0, 0, width, height], [0, 0, width / 4, height / 2]])
        boxes = tv_tensors.BoundingBoxes(edges, format="XYXY", canvas_size=(height, width), clamping_mode=None)
        try:
            found = moved(self._steps, {"image": tv_tensors.Image(image), "boxes": boxes})
        except ValueError as error:
            reason = first_line(error)
            raise DataError(f"data.eval_transform fails on an image of {width} x {height} pixels: {reason}") from error
        seen, edges = found["image"], found["boxes"]
        shares = edges.double() / torch.tensor((*seen.shape[:0:-1], *seen.shape[:0:-1]))
        if tuple(seen.shape[-2:]) != self.size:
            seen = functional.resize(seen, list(self.size))
        return seen.contiguous(), _window(shares)


def _window(shares: Tensor) -> Window:
    """From where the photo and its upper left part came to lie, (2, 4) edges."""
    (left, top, right, bottom), part = shares.tolist() if len(shares) == 2 else ([0.0, 0.0, 1.0, 1.0], [])
    expected = [left, top, left + (right - left) / 4, top + (bottom - top) / 2]
    straight = bool(part) and all(abs(a - b) < 1e-4 for a, b in zip(part, expected, strict=True))
    return Window(left, top, right, bottom, straight)
