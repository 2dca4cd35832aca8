"""What a network sees of a photo, and the way back: from the network's image to the photo.

The evaluation recipe may squash, crop or pad; each moves the photo's edges, and where they come to lie says how boxes
and masks are laid back on it.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2

from vggexp.boxes import from_edges, to_edges
from vggexp.errors import ConfigError, DataError
from vggexp.sample.transform import Recipe, pipeline
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
        rows, seen_rows = _places(size[0], self.top, self.bottom, mask.shape[0])
        columns, seen_columns = _places(size[1], self.left, self.right, mask.shape[1])
        laid = mask[:, columns][rows]  # columns while there are few rows: whole rows are then copied as they lie
        if not seen_rows.all():
            laid[~seen_rows] = VOID
        if not seen_columns.all():
            laid[:, ~seen_columns] = VOID
        return laid


def _places(count: int, start: float, end: float, cells: int) -> tuple[Tensor, Tensor]:
    """For each of a photo's ``count`` rows: its row in a mask of ``cells``, and whether it is in sight at all."""
    centres = (torch.arange(count, dtype=torch.float64) + 0.5) / count
    places = ((start + centres * (end - start)) * cells).floor().long()
    return places.clamp(0, cells - 1), (places >= 0) & (places < cells)


class View:
    """A run's evaluation recipe, applied to photos of any size.

    Args:
        recipe: ``data.eval_transform``.
        size: (H, W) of what the network takes. A recipe that ends elsewhere, such as the empty one of embedded data, is
            followed by a resize.
    """

    def __init__(self, recipe: Recipe, size: Size) -> None:
        self.size = size
        self._steps = pipeline(recipe)
        self._resize = v2.Resize(list(size))

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
            moved = self._steps({"image": tv_tensors.Image(image), "boxes": boxes})
            if tuple(moved["image"].shape[-2:]) != self.size:
                moved = self._resize(moved)
        except (TypeError, ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split())
            raise DataError(f"data.eval_transform fails on an image of {width} x {height} pixels: {reason}") from error
        seen = moved["image"].as_subclass(Tensor).contiguous()
        shares = moved["boxes"].as_subclass(Tensor).double() / torch.tensor(self.size[::-1] * 2)
        return seen, _window(shares)


def _window(shares: Tensor) -> Window:
    """From where the photo and its upper left part came to lie, (2, 4) edges."""
    (left, top, right, bottom), part = shares.tolist() if len(shares) == 2 else ([0.0, 0.0, 1.0, 1.0], [])
    expected = [left, top, left + (right - left) / 4, top + (bottom - top) / 2]
    straight = bool(part) and all(abs(a - b) < 1e-4 for a, b in zip(part, expected, strict=True))
    return Window(left, top, right, bottom, straight)
