"""Maps a photo to the network's image, and predictions back to the photo.

The evaluation recipe may stretch, crop or pad. The positions of the photo's edges after it tell how to map boxes and
masks back.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms.v2 import functional

from vggexp.boxes import from_edges, to_edges
from vggexp.errors import ConfigError, DataError, first_line
from vggexp.sample.files import scaled
from vggexp.sample.mask_grid import cells_under, pick
from vggexp.sample.moving import moved
from vggexp.sample.recipe import pipeline
from vggexp.sample.resize import Recipe
from vggexp.sample.transform import Transform, at_scale
from vggexp.trainer.image_size import require_size
from vggexp.types import VOID, Objects, Prediction

Size = tuple[int, int]


@dataclass(frozen=True)
class Window:
    """The position of a photo in the network's image."""

    left: float
    """The photo's left edge as a share of the network's image: negative if cropped, positive if padded."""
    top: float
    right: float
    bottom: float
    straight: bool = True
    """Whether the photo was only stretched, cropped and padded, not rotated or flipped."""
    seen: Size = (1, 1)
    """(H, W) of the network's image, whose pixels objects count."""

    def lay_back(self, prediction: Prediction, size: Size) -> Prediction:
        """Map an image's prediction to the photo: boxes as shares of it, objects and masks in its ``size`` = (H, W).

        Raises:
            ConfigError: the photo was rotated or flipped, and the prediction has boxes or a mask.
        """
        moved = dict(prediction)
        if not self.straight and {"box", "box_per_class", "mask", "objects"} & moved.keys():
            raise ConfigError(
                "data.eval_transform rotates or flips the image, so boxes and masks do not fit the photo; "
                "stretch, crop or pad instead: Resize, CenterCrop, Pad"
            )
        for name in ("box", "box_per_class"):
            if name in moved:
                moved[name] = self._lay_box(moved[name])
        if "mask" in moved:
            moved["mask"] = self._lay_mask(moved["mask"], size)
        if "objects" in moved:
            moved["objects"] = self._lay_objects(moved["objects"], size)
        return moved

    def _lay_objects(self, objects: Objects, size: Size) -> Objects:
        """Boxes in the photo's pixels, clipped to it, and masks of its size."""
        start = torch.tensor((self.left, self.top, self.left, self.top))
        width, height = self.right - self.left, self.bottom - self.top
        shares = objects.boxes / torch.tensor([self.seen[1], self.seen[0]] * 2)
        edges = (shares - start) / torch.tensor((width, height, width, height)) * torch.tensor([size[1], size[0]] * 2)
        edges = edges.clamp(min=0).minimum(torch.tensor([size[1], size[0]] * 2))
        if objects.masks is None:
            return replace(objects, boxes=edges)
        masks = torch.zeros((len(objects), *size), dtype=torch.uint8)
        for row, mask in enumerate(objects.masks):
            masks[row] = self._lay_mask(mask, size) == 1  # VOID, beyond what the network saw, is no object
        return replace(objects, boxes=edges, masks=masks)

    def _lay_box(self, boxes: Tensor) -> Tensor:
        start = torch.tensor((self.left, self.top, self.left, self.top))
        width, height = self.right - self.left, self.bottom - self.top
        return from_edges((to_edges(boxes) - start) / torch.tensor((width, height, width, height)))

    def _lay_mask(self, mask: Tensor, size: Size) -> Tensor:
        """Each pixel of the photo takes the label under its centre; VOID outside the network's image."""
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
        size: (H, W) of the network's image. If the recipe yields images of varying sizes, such as the empty recipe of
            embedded data, a resize follows it. None: what the recipe yields is evaluated at its own size.
        decode_scale: whether JPEGs are decoded at a smaller scale, as the run's evaluation decodes them (``Files``).

    Raises:
        ConfigError: the recipe yields images of one fixed size other than ``size``.
    """

    def __init__(self, recipe: Recipe, size: Size | None, decode_scale: bool = False) -> None:
        self.size = size
        self._steps = pipeline(recipe)
        self._evaluation = Transform(recipe) if decode_scale else None
        if size is not None and (ends := self._one_size(size)) is not None:
            require_size(ends, list(size))

    def _one_size(self, size: Size) -> Size | None:
        """The fixed size that the recipe yields; None if the size depends on the image."""
        height, width = size
        sizes = set()
        for sides in ((2 * height + 1, 3 * width), (3 * height, 2 * width + 1)):
            try:
                seen = moved(self._steps, {"image": torch.zeros(3, *sides, dtype=torch.uint8)})["image"]
            except ValueError:  # the recipe fails on this size; ``__call__`` reports the photo on which it fails
                return None
            sizes.add((seen.shape[-2], seen.shape[-1]))
        return sizes.pop() if len(sizes) == 1 else None

    def shrink(self, height: int, width: int) -> int:
        """What the sides of a photo of this size are divided by when it is decoded."""
        return 1 if self._evaluation is None else self._evaluation.shrink(height, width)

    def __call__(self, image: Tensor, size: Size | None = None) -> tuple[Tensor, Window]:
        """uint8 (3, H, W) to the network's image, uint8 (3, *size), and the position of the photo in it.

        Args:
            image: the photo.
            size: (height, width) of the whole photo, if it was decoded smaller.

        Raises:
            DataError: the recipe fails on an image of this shape.
        """
        height, width = size or image.shape[-2:]
        # Two boxes: the photo, and its upper left part (width / 4, height / 2), which shows a flip or rotation.
        edges = scaled(torch.tensor([[0, 0, width, height], [0, 0, width / 4, height / 2]]), (height, width), image)
        canvas = (image.shape[-2], image.shape[-1])
        boxes = tv_tensors.BoundingBoxes(edges, format="XYXY", canvas_size=canvas, clamping_mode=None)
        try:
            found = moved(
                at_scale(self._steps, (height, width), image), {"image": tv_tensors.Image(image), "boxes": boxes}
            )
        except ValueError as error:
            reason = first_line(error)
            raise DataError(f"data.eval_transform fails on an image of {width} x {height} pixels: {reason}") from error
        seen, edges = found["image"], found["boxes"]
        shares = edges.double() / torch.tensor((*seen.shape[:0:-1], *seen.shape[:0:-1]))
        if self.size is not None and tuple(seen.shape[-2:]) != self.size:
            seen = functional.resize(seen, list(self.size))
        return seen.contiguous(), replace(_window(shares), seen=(int(seen.shape[-2]), int(seen.shape[-1])))


def _window(shares: Tensor) -> Window:
    """The window, from the transformed edges (2, 4) of the photo and of its upper left part."""
    (left, top, right, bottom), part = shares.tolist() if len(shares) == 2 else ([0.0, 0.0, 1.0, 1.0], [])
    expected = [left, top, left + (right - left) / 4, top + (bottom - top) / 2]
    straight = bool(part) and all(abs(a - b) < 1e-4 for a, b in zip(part, expected, strict=True))
    return Window(left, top, right, bottom, straight)
