"""Heads at every window of an image: convolutions once, the last pooling at each of its offsets, dense layers slid.

Sermanet et al., "OverFeat", arXiv 1312.6229, section 3.3. A pooling of 3 x 3 cells may begin at 9 places of the map
before it. Done at all of them, the windows lie a third of the network's stride apart: 12 pixels in place of 36.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from vggexp.types import Backbone, Features, Head, Outputs, Slides

Grid = tuple[int, int]


def last_pooling(backbone: Backbone) -> nn.MaxPool2d | None:
    """The pooling that closes the last stage, whose windows do not overlap; None: the network ends in another way."""
    layers = list(backbone.stages()[-1].children())
    last = layers[-1] if layers else None
    return last if isinstance(last, nn.MaxPool2d) and last.kernel_size == last.stride else None


def heads_of(head: Head) -> dict[str, Slides]:
    """The head, as "", or the parts of a parallel one by their names; of them those that can be slid."""
    assert isinstance(head, nn.Module)
    own = getattr(head, "part", None)
    parts: Mapping[str, nn.Module] = dict(own.items()) if isinstance(own, nn.ModuleDict) else {"": head}
    return {name: part for name, part in parts.items() if isinstance(part, Slides)}


def slide(backbone: Backbone, head: Head, images: Tensor, grid: Grid) -> tuple[Tensor, Outputs]:
    """Every window's place and outputs.

    Args:
        images: normalised, (N, 3, H, W).
        grid: cells of the last stage in a window, (height, width), which the head learnt to read.

    Returns:
        The windows' places, int64 (M, 2): (top, left), pixels; and the head's outputs with N * M rows, image by image.
    """
    pooling = last_pooling(backbone)
    assert pooling is not None
    x = images
    *earlier, last = backbone.stages()
    for layer in (*earlier, *list(last.children())[:-1]):
        x = layer(x)
    side = int(pooling.kernel_size)  # type: ignore[arg-type]
    step, heads = backbone.strides[-1] // side, heads_of(head)
    places: list[Tensor] = []
    found: dict[str, list[Tensor]] = {name: [] for name in heads}
    for down, right in ((down, right) for down in range(side) for right in range(side)):
        if (x.shape[-2] - down) // side < grid[0] or (x.shape[-1] - right) // side < grid[1]:
            continue
        stage = pooling(x[..., down:, right:])
        features = Features((stage,) * len(backbone.strides), (images.shape[-2], images.shape[-1]))
        for name, one in heads.items():
            found[name].append(one.maps(features, grid).movedim((-2, -1), (1, 2)).flatten(1, 2))
        rows, columns = stage.shape[-2] - grid[0] + 1, stage.shape[-1] - grid[1] + 1
        cells = torch.cartesian_prod(torch.arange(rows), torch.arange(columns))
        places.append((cells * side + torch.tensor((down, right))) * step)
    rows_of = {name: torch.cat(each, 1).flatten(0, 1) for name, each in found.items()}
    outputs: Outputs = rows_of.get("", rows_of)
    return torch.cat(places), outputs
