"""RoIAlign (He et al., arXiv 1703.06870, section 3) as matrix products, for training on small maps with a CPU.

A sample's four bilinear weights are products of a weight along y and one along x, so a region's grid is ``down @ map
@ across``. torchvision's backward pass on a CPU is a loop on one thread that adds sample by sample; that of a product
is two more products.
"""

import torch
from torch import Tensor
from torchvision.ops import MultiScaleRoIAlign, roi_align

Boxes = list[Tensor] | Tensor
SMALL = 1024
"""Cells of the largest map on which the products are the faster way: they touch all of it for each region."""


def align(x: Tensor, boxes: Boxes, cells: tuple[int, int], scale: float, ratio: int) -> Tensor:
    """``torchvision.ops.roi_align``: (N, C, H, W) to (R, C, *cells), by the way that is faster.

    Args:
        boxes: edges in pixels (R_i, 4) of each image's regions; or (R, 5), which begin with the image's place.
        scale: cells of the map to a pixel.
        ratio: samples to a cell in each direction, 1 or more.
    """
    if _is_slow(x) and x.shape[-2] * x.shape[-1] <= SMALL:
        regions = boxes if isinstance(boxes, Tensor) else regions_of(boxes)
        if len(regions):
            return by_products(x, regions, cells, scale, ratio)
    found: Tensor = roi_align(x, boxes, cells, scale, ratio)
    return found


def _is_slow(x: Tensor) -> bool:
    """Whether torchvision's backward pass follows, on a CPU. A traced network has no numbers to choose by."""
    return x.device.type == "cpu" and x.requires_grad and not torch.compiler.is_compiling()


def by_products(x: Tensor, regions: Tensor, cells: tuple[int, int], scale: float, ratio: int) -> Tensor:
    """As ``align`` with regions (R, 5), in float32 whatever autocast says; the result has the type of ``x``."""
    count, channels, height, width = x.shape
    with torch.autocast(x.device.type, enabled=False):
        edges = regions[:, 1:].float() * scale
        sides = (edges[:, 2:] - edges[:, :2]).clamp(min=1)
        down = _weights(edges[:, 1], sides[:, 1], cells[0], ratio, height)
        across = _weights(edges[:, 0], sides[:, 0], cells[1], ratio, width)
        place, most = _places(regions[:, 0].long(), count)
        padded = down.new_zeros(count * most, cells[0], height).index_copy(0, place, down)
        maps = x.float().permute(0, 2, 3, 1).reshape(count, height, width * channels)
        rows = torch.bmm(padded.view(count, most * cells[0], height), maps)
        rows = rows.view(count * most, cells[0], width, channels)[place]
        found = torch.bmm(across, rows.transpose(1, 2).reshape(len(regions), width, cells[0] * channels))
        return found.view(len(regions), cells[1], cells[0], channels).permute(0, 3, 2, 1).to(x.dtype)


def _weights(start: Tensor, side: Tensor, cells: int, ratio: int, size: int) -> Tensor:
    """(R, cells, size): the weight of each of a map's rows, or columns, in each cell of a region's grid.

    A sample within a cell outside the map takes the value at its edge, one farther away 0.
    """
    step = (side / (cells * ratio))[:, None]
    samples = start[:, None] + (torch.arange(cells * ratio, device=start.device) + 0.5) * step
    is_inside = (samples >= -1) & (samples <= size)
    apart = samples.clamp(0, size - 1)[..., None] - torch.arange(size, device=start.device)
    weights = (1 - apart.abs()).clamp(min=0) * is_inside[..., None]
    found: Tensor = weights.view(len(weights), cells, ratio, size).mean(2)
    return found


def _places(image: Tensor, count: int) -> tuple[Tensor, int]:
    """Each region's place in a list that holds equally many slots of every image, and how many those are."""
    of_image = torch.bincount(image, minlength=count)
    order = torch.argsort(image, stable=True)
    before = (of_image.cumsum(0) - of_image)[image[order]]
    slots = torch.empty_like(order)
    slots[order] = torch.arange(len(order), device=image.device) - before
    most = int(of_image.max())
    return image * most + slots, most


class PyramidAlign(MultiScaleRoIAlign):  # type: ignore[misc]
    """MultiScaleRoIAlign whose training on a CPU is faster; its scales and levels must be set."""

    def forward(self, x: dict[str, Tensor], boxes: list[Tensor], image_shapes: list[tuple[int, int]]) -> Tensor:
        """As MultiScaleRoIAlign: {name: (N, C, H, W)} and boxes (R_i, 4) of each image, to (R, C, *output_size)."""
        maps = [x[name] for name in self.featmap_names]
        if not _is_slow(maps[0]):
            found: Tensor = super().forward(x, boxes, image_shapes)
            return found
        regions, level = regions_of(boxes), self.map_levels(boxes)
        pooled = maps[0].new_zeros(len(regions), maps[0].shape[1], *self.output_size)
        for place, (one, scale) in enumerate(zip(maps, self.scales, strict=True)):
            (chosen,) = torch.where(level == place)
            own = align(one, regions[chosen], self.output_size, scale, self.sampling_ratio)
            pooled = pooled.index_copy(0, chosen, own.to(pooled.dtype))
        return pooled


def regions_of(boxes: list[Tensor]) -> Tensor:
    """Boxes (R_i, 4) of each image to regions (R, 5), which begin with the image's place."""
    image = torch.arange(len(boxes), device=boxes[0].device).repeat_interleave(
        torch.tensor([len(own) for own in boxes], device=boxes[0].device)
    )
    return torch.cat((image[:, None].to(boxes[0].dtype), torch.cat(boxes)), 1)
