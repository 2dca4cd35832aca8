"""The pictures of ``explain``: heat over a photo, grids of feature maps and filters, fields on a photo."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from vggexp.deploy.explain.receptive_field import Field
from vggexp.deploy.predict.view import Window
from vggexp.task.drawing import draw_box, grid, legible, palette, upscale

COOL, WARM = (213, 94, 0), (240, 228, 66)
"""The colours of little and of much heat."""
MOST = 0.75
"""How much the greatest heat covers."""
CELL = 64
"""The shorter side of a feature map or a filter in a grid, pixels, at least."""


def heat_over(photo: Tensor, heat: Tensor, window: Window) -> Tensor:
    """The photo under the heat; its greatest value is full heat.

    Args:
        photo: uint8 (3, H, W).
        heat: (h, w), at least 0, over the network's image.
        window: where the photo lies in the network's image.
    """
    laid = lay_over(heat, window, (photo.shape[-2], photo.shape[-1]))
    share = (laid / laid.max().clamp(min=1e-12)).unsqueeze(0)
    cool, warm = (torch.tensor(colour).view(3, 1, 1).float() for colour in (COOL, WARM))
    colour = cool * (1 - share) + warm * share
    alpha = MOST * share
    return (photo * (1 - alpha) + colour * alpha).round().to(torch.uint8)


def lay_over(heat: Tensor, window: Window, size: tuple[int, int]) -> Tensor:
    """A map (h, w) over the network's image at each pixel of a photo of ``size``; 0 where the network saw nothing."""
    sides = []
    for count, start, end in ((size[0], window.top, window.bottom), (size[1], window.left, window.right)):
        shares = (torch.arange(count) + 0.5) / count
        sides.append(2 * (start + shares * (end - start)) - 1)
    rows, columns = torch.meshgrid(*sides, indexing="ij")
    places = torch.stack((columns, rows), -1).unsqueeze(0)
    image = heat.float()[None, None]
    laid = nn.functional.grid_sample(image, places, padding_mode="border", align_corners=False)[0, 0]
    return laid * ((rows.abs() <= 1) & (columns.abs() <= 1))


def fields_over(
    photo: Tensor, fields: Sequence[Field], point: tuple[float, float], seen: tuple[int, int], window: Window
) -> Tensor:
    """The photo with the receptive field of each stage's cell at a point.

    Args:
        point: (y, x), shares of the network's image.
        seen: (H, W) of the network's image.
    """
    picture = legible(photo)
    colours = [(int(r), int(g), int(b)) for r, g, b in palette(len(fields) + 1)[1:].tolist()]
    for stage, field in reversed(list(enumerate(fields, 1))):
        edges = []
        for share, side, start, end in zip(point, seen, (window.top, window.left), (window.bottom, window.right),
                                           strict=True):  # fmt: skip
            cell = min(int(share * side / field.jump), max(side // field.jump - 1, 0))
            edges.append([((edge / side) - start) / (end - start) for edge in field.edges(cell)])
        (top, bottom), (left, right) = edges
        box = torch.tensor((left, top, bottom - top, right - left))
        picture = draw_box(picture, box, colours[stage - 1], f"stage {stage}: {field.size} px")
    return picture


def maps_grid(maps: Tensor, count: int) -> Tensor:
    """The ``count`` maps (C, h, w) of the greatest mean, each from black (0) to white (its greatest value)."""
    order = maps.mean((1, 2)).argsort(descending=True)[:count]
    return _grid([_gray(maps[place]) for place in order.tolist()])


def filters_grid(weight: Tensor, count: int) -> Tensor:
    """The first ``count`` filters of a convolution, weights (out, in, h, w).

    Of three input channels in colour; otherwise a row a filter, with its weights for the first input channels in gray.
    Gray is 0, and each filter has its own scale.
    """
    scaled = 0.5 + 0.5 * weight / weight.abs().amax((1, 2, 3), keepdim=True).clamp(min=1e-12)
    pixels = (scaled * 255).round().to(torch.uint8)[:count]
    if weight.shape[1] == 3:
        return _grid(list(pixels))
    rows = [one.unsqueeze(0).expand(3, -1, -1) for each in pixels for one in each[:count]]
    return _grid(rows, columns=min(count, weight.shape[1]), cell=24)


def _gray(one: Tensor) -> Tensor:
    high = one.max().clamp(min=1e-12)
    return ((one.clamp(min=0) / high) * 255).round().to(torch.uint8).unsqueeze(0).expand(3, -1, -1)


def _grid(images: Sequence[Tensor], columns: int = 8, cell: int = CELL) -> Tensor:
    factor = max(1, -(-cell // min(images[0].shape[-2:])))
    return grid([upscale(image, factor) for image in images], columns, gap=4)
