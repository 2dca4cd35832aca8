"""RoIAlign by matrix products is torchvision's: values and gradients."""

import pytest
import torch
from torch import Tensor
from torchvision.ops import MultiScaleRoIAlign, roi_align

from vggexp.head.detection import align as module
from vggexp.head.detection.align import PyramidAlign, align, by_products, regions_of
from vggexp.head.detection.parts import make_pool

BOXES = [
    torch.tensor([[3.0, 5.0, 40.0, 30.0], [0.0, 0.0, 64.0, 48.0]]),
    torch.zeros(0, 4),
    torch.tensor([
        [-30.0, -9.0, 20.0, 90.0],  # over two edges, farther than a cell
        [60.0, 40.0, 80.0, 60.0],  # mostly outside
        [10.0, 10.0, 10.0, 10.0],  # empty
        [63.9, 47.9, 64.0, 48.0],
        [200.0, 200.0, 240.0, 260.0],  # outside
    ]),
]  # fmt: skip
REGIONS = regions_of(BOXES)


def both(x: Tensor, regions: Tensor, cells: tuple[int, int], ratio: int, scale: float) -> list[tuple[Tensor, Tensor]]:
    """Values, and the gradient of a sum with uneven weights, of the products and of torchvision."""
    found = []
    for pool in (by_products, roi_align):
        own = x.detach().clone(memory_format=torch.preserve_format).requires_grad_()
        values = pool(own, regions, cells, scale, ratio)
        weights = torch.linspace(-1, 1, values.numel()).view_as(values).to(values.dtype)
        (values * weights).sum().backward()  # type: ignore[no-untyped-call]
        assert own.grad is not None
        found.append((values.detach(), own.grad))
    return found


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(("cells", "ratio", "scale"), [((7, 7), 2, 0.25), ((14, 14), 2, 0.125), ((3, 5), 1, 0.25)])
@pytest.mark.parametrize("order", [[*range(7)], [6, 0, 3, 1, 5, 2, 4]])
def test_values_and_gradients(
    layout: torch.memory_format, cells: tuple[int, int], ratio: int, scale: float, order: list[int]
) -> None:
    torch.manual_seed(0)
    x = torch.randn(3, 6, int(48 * scale), int(64 * scale)).to(memory_format=layout)
    (own, gradient), (theirs, their_gradient) = both(x, REGIONS[order], cells, ratio, scale)
    torch.testing.assert_close(own, theirs, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(gradient, their_gradient, rtol=1e-5, atol=1e-5)
    assert not own[order.index(6)].any()  # outside
    assert own[order.index(0)].any()


def test_in_bfloat16_it_computes_in_float32() -> None:
    torch.manual_seed(0)
    x = torch.randn(3, 6, 12, 16).to(torch.bfloat16)
    exact = roi_align(x.float(), REGIONS, (7, 7), 0.25, 2)
    with torch.autocast("cpu", torch.bfloat16):
        own, theirs = by_products(x, REGIONS, (7, 7), 0.25, 2), roi_align(x, REGIONS, (7, 7), 0.25, 2)
        wide = by_products(x.float(), REGIONS, (7, 7), 0.25, 2)
    assert own.dtype == theirs.dtype == torch.bfloat16
    torch.testing.assert_close(own.float(), exact, rtol=2**-8, atol=1e-5)
    torch.testing.assert_close(wide, exact, rtol=1e-5, atol=1e-5)


def test_without_regions() -> None:
    x = torch.randn(2, 3, 8, 8, requires_grad=True)
    found = align(x, torch.zeros(0, 5), (7, 7), 0.25, 2)
    assert found.shape == (0, 3, 7, 7)
    found.sum().backward()  # type: ignore[no-untyped-call]
    assert x.grad is not None
    assert not x.grad.any()


def test_where_the_products_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[int] = []

    def spy(x: Tensor, *rest: object) -> Tensor:
        used.append(x.shape[-1])
        return by_products(x, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "by_products", spy)
    for side, learns in ((32, True), (33, True), (32, False)):
        align(torch.randn(3, 2, side, side, requires_grad=learns), REGIONS, (7, 7), 0.25, 2)
    assert used == [32]  # neither on a large map nor where nothing learns


def test_a_traced_network_calls_torchvision() -> None:
    class Pool(torch.nn.Module):
        def forward(self, x: Tensor, boxes: Tensor) -> Tensor:
            return align(x, [boxes], (7, 7), 0.25, 2)

    x = torch.randn(1, 2, 8, 8, requires_grad=True)
    program = torch.export.export(Pool(), (x, BOXES[0]), dynamic_shapes=({}, {0: torch.export.Dim("regions")}))
    (called,) = [node.target for node in program.graph.nodes if "roi_align" in str(node.target)]
    assert "torchvision" in str(called)
    torch.testing.assert_close(program.module()(x, BOXES[0][:1]), roi_align(x, [BOXES[0][:1]], (7, 7), 0.25, 2))


@pytest.mark.parametrize("learns", [True, False])
def test_a_pyramid(learns: bool) -> None:
    """Of each region, the level that torchvision takes; a level without regions, too."""
    torch.manual_seed(0)
    strides = {"0": 4, "1": 8, "2": 16}
    x = {name: torch.randn(3, 5, 96 // stride, 128 // stride) for name, stride in strides.items()}
    boxes = [torch.tensor([[0.0, 0.0, 128.0, 96.0], [3.0, 4.0, 20.0, 18.0]]), torch.zeros(0, 4), BOXES[2]]
    gradients = []
    pool = make_pool(strides, 7)
    theirs = MultiScaleRoIAlign(list(strides), 7, 2)
    theirs.scales, theirs.map_levels = pool.scales, pool.map_levels
    assert isinstance(pool, PyramidAlign)
    results = []
    for each in (pool, theirs):
        maps = {name: one.clone().requires_grad_(learns) for name, one in x.items()}
        found = each(maps, boxes, [(96, 128)] * 3)
        results.append(found.detach())
        if learns:
            (found * torch.linspace(-1, 1, found.numel()).view_as(found)).sum().backward()
            gradients.append([one.grad for one in maps.values()])
    torch.testing.assert_close(*results, rtol=1e-5, atol=1e-5)
    if learns:
        for own, other in zip(*gradients, strict=True):
            torch.testing.assert_close(own, other if other is not None else torch.zeros_like(own), rtol=1e-5, atol=1e-5)
