"""Pictures of predictions: pure functions over uint8 images (3, H, W), RGB.

Each returns a new image. Boxes are shares of the image, so they fit a picture of any size; Only ``caption`` changes
the size to which the shares refer, so it comes last.
"""

import math
import zlib
from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torchvision.transforms.v2.functional import pil_to_tensor, to_pil_image

from vggexp.boxes import from_pixels, to_edges
from vggexp.sample.mask_grid import stretch
from vggexp.types import VOID, Objects

Color = tuple[int, int, int]

# Okabe & Ito's colours, which colour-blind people can distinguish; black first: class 0 is usually background.
_HUES: tuple[Color, ...] = (
    (0, 0, 0),
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
)
_VOID_COLOR: Color = (128, 128, 128)
LONGEST = 1280
"""Maximum longer side of an upscaled picture, pixels; a larger image keeps its size."""
_WHITE, _INK = 255, (30, 30, 30)


def palette(num_classes: int) -> Tensor:
    """One colour per class, uint8 (C, 3): eight distinct hues, then lighter ones, then darker ones, repeated."""
    hues = torch.tensor(_HUES)
    rounds = torch.cat((hues, (hues + 255) // 2, hues // 2))
    rounds[len(hues)] = torch.tensor((190, 160, 130))  # lightened black would equal the gray of VOID
    rounds[2 * len(hues)] = torch.tensor((90, 70, 50))
    return rounds[torch.arange(num_classes) % len(rounds)].to(torch.uint8)


def upscale(image: Tensor, factor: int) -> Tensor:
    """Repeat each pixel ``factor`` x ``factor`` times; also for masks (H, W)."""
    return image.repeat_interleave(factor, -2).repeat_interleave(factor, -1)


def legible(image: Tensor, side: int = 192) -> Tensor:
    """The image, upscaled by an integer factor until its shorter side has about ``side`` pixels, so that text fits.

    The longer side stays at most ``LONGEST``: a factor of 5 would make 1,500 x 40 pixels 7,500 wide.
    """
    shorter, longer = sorted(image.shape[-2:])
    return upscale(image, max(1, min(round(side / shorter), LONGEST // longer)))


def draw_box(image: Tensor, box: Tensor, color: Color = _HUES[2], label: str = "") -> Tensor:
    """Outline a box (4,), (x, y, h, w) in corner format, with its label in the box's upper left corner."""
    _, height, width = image.shape
    scale = torch.tensor((width, height, width, height))
    edges = to_edges(box.detach().float().cpu()).nan_to_num().clamp(-1, 2)
    left, top, right, bottom = (edges * scale).round().int().tolist()
    right, bottom = max(left, right - 1), max(top, bottom - 1)  # edges lie between pixels, lines on pixels
    picture = to_pil_image(image)
    pen = ImageDraw.Draw(picture)
    line = max(2, min(height, width) // 96)
    # A dark rim keeps a line of any colour visible on bright and dark backgrounds.
    pen.rectangle((left - 1, top - 1, right + 1, bottom + 1), outline=_INK, width=line + 2)
    pen.rectangle((left, top, right, bottom), outline=color, width=line)
    if label:
        _draw_tag(pen, (max(left, 0), max(top, 0)), label, color, _font(width))
    return _to_tensor(picture)


MATCHED, MISSED, FALSE, IGNORED = _HUES[3], _HUES[2], _HUES[6], _VOID_COLOR
STATUS = {"matched": MATCHED, "missed": MISSED, "false": FALSE, "ignored": IGNORED}
"""The colour of an object by what became of it."""


def draw_objects(
    image: Tensor,
    objects: Objects,
    names: Sequence[str],
    colors: Sequence[Color] | None = None,
    size: tuple[int, int] | None = None,
    alpha: float = 0.4,
) -> Tensor:
    """Outline each object, with its class and its score if it has one, and tint its mask if there is one.

    Args:
        image: uint8 (3, H, W), of the objects' pixels or larger.
        objects: of them, those drawn last lie on top: the first one, which has the highest score.
        names: the classes, by label.
        colors: of each object; None: its class's.
        size: (H, W) of the pixels that the boxes refer to; None: the image's own.
        alpha: how much a mask covers.
    """
    shape = (image.shape[-2], image.shape[-1])
    if colors is None:
        hues = palette(len(names) + 1)[1:]
        colors = [(int(r), int(g), int(b)) for r, g, b in hues[objects.labels.cpu()].tolist()]
    picture = image.cpu()
    for place in reversed(range(len(objects) if objects.masks is not None else 0)):
        assert objects.masks is not None
        picture = _tint(picture, stretch(objects.masks[place].cpu(), shape), colors[place], alpha)
    shares = from_pixels(objects.boxes.cpu().float(), size or shape)
    for place in reversed(range(len(objects))):
        text = names[int(objects.labels[place])]
        if objects.scores is not None:
            text += f" {float(objects.scores[place]):.2f}"
        picture = draw_box(picture, shares[place], colors[place], text)
    return picture


def _tint(image: Tensor, mask: Tensor, color: Color, alpha: float) -> Tensor:
    """The colour over the mask's pixels."""
    mixed = image.float() * (1 - alpha) + torch.tensor(color).view(3, 1, 1) * alpha
    return torch.where(mask > 0, mixed.round().to(torch.uint8), image)


def blend_mask(image: Tensor, mask: Tensor, num_classes: int, alpha: float = 0.5) -> Tensor:
    """Blend each class's colour over its pixels, gray over VOID; stretch a smaller mask (h, w) to the image."""
    stretched = stretch(mask.cpu(), (image.shape[-2], image.shape[-1]))
    layer = _colors(num_classes)[stretched.long()].permute(2, 0, 1).float()
    return (image.cpu() * (1 - alpha) + layer * alpha).round().to(torch.uint8)


def palette_image(mask: Tensor) -> Image.Image:
    """A mask (H, W), uint8, as a palette image: its pixels are the labels, its palette is ``palette``."""
    colors = torch.tensor(_VOID_COLOR, dtype=torch.uint8).repeat(VOID + 1, 1)
    colors[:VOID] = palette(VOID)
    picture: Image.Image = to_pil_image(mask).convert("L")
    picture.putpalette(colors.flatten().tolist())
    return picture


def caption(image: Tensor, text: str) -> Tensor:
    """Add a white strip with the text below the image; lines wrap at the width."""
    _, height, width = image.shape
    font = _font(width)
    lines = _wrap(text, font, width - 8)
    line_height = math.ceil(font.size * 1.3)
    picture = Image.new("RGB", (width, height + line_height * len(lines) + 6), (_WHITE,) * 3)
    picture.paste(to_pil_image(image), (0, 0))
    pen = ImageDraw.Draw(picture)
    for row, line in enumerate(lines):
        pen.text((4, height + 2 + row * line_height), line, fill=_INK, font=font)
    return _to_tensor(picture)


def pair(left: Tensor, right: Tensor) -> Tensor:
    """Two images side by side, such as truth and prediction."""
    return grid([left, right], columns=2, gap=4)


def grid(images: Sequence[Tensor], columns: int, gap: int = 12) -> Tensor:
    """Images in rows on white; each cell has the size of the largest image, with the image at its upper left."""
    if not images:
        raise ValueError("a grid needs images; got no images")
    high, wide = (max(image.shape[side] for image in images) for side in (1, 2))
    columns = min(columns, len(images))
    rows = math.ceil(len(images) / columns)
    sheet = torch.full((3, rows * (high + gap) - gap, columns * (wide + gap) - gap), _WHITE, dtype=torch.uint8)
    for place, image in enumerate(images):
        top, left = place // columns * (high + gap), place % columns * (wide + gap)
        sheet[:, top : top + image.shape[1], left : left + image.shape[2]] = image.cpu()
    return sheet


def save(image: Tensor, path: Path) -> None:
    """Write a picture (3, H, W) or a mask (H, W), uint8, as PNG."""
    # Of pictures of predictions, zlib's level 4 needs half the time of Pillow's 6, for 1 or 2 % more bytes.
    to_pil_image(image.cpu()).save(path, format="PNG", compress_level=4)


def save_picture(image: Tensor, path: Path) -> None:
    """Write a picture (3, H, W) as JPEG without chroma subsampling, so that lines and text stay sharp."""
    to_pil_image(image.cpu()).save(path, format="JPEG", quality=90, subsampling=0)


def save_mask(mask: Tensor, path: Path, num_classes: int) -> None:
    """Write a mask (H, W), uint8, as a palette PNG: its pixels are the labels, its palette the classes' colours."""
    picture = Image.fromarray(mask.cpu().numpy())
    picture.putpalette(_colors(num_classes).flatten().tolist())
    # Masks are long runs of equal bytes: at 12 megapixels RLE takes 40 % of the default's time, and no more bytes.
    picture.save(path, format="PNG", compress_type=zlib.Z_RLE)


def _colors(num_classes: int) -> Tensor:
    """One colour per mask label, uint8 (256, 3): gray for labels without a class."""
    colors = torch.tensor(_VOID_COLOR, dtype=torch.uint8).repeat(VOID + 1, 1)
    colors[:num_classes] = palette(num_classes)
    return colors


def _to_tensor(picture: Image.Image) -> Tensor:
    image: Tensor = pil_to_tensor(picture)
    return image


def _font(width: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size=max(12, min(20, width // 26)))
    assert isinstance(font, ImageFont.FreeTypeFont), "this Pillow was built without FreeType"
    return font


def _draw_tag(
    pen: ImageDraw.ImageDraw, corner: tuple[int, int], text: str, color: Color, font: ImageFont.FreeTypeFont
) -> None:
    left, top = corner
    width, height = font.getlength(text), math.ceil(font.size * 1.3)
    pen.rectangle((left, top, left + width + 6, top + height), fill=color)
    is_bright = sum(color) > 380
    pen.text((left + 3, top + 1), text, fill=_INK if is_bright else (_WHITE,) * 3, font=font)


def _wrap(text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
