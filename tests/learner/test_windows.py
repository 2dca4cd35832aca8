"""OverFeat's windows: a pooling that begins later is the network on a shifted image; nothing else changes."""

import pytest
import torch
from torch import Tensor, nn

from vggexp.backbone.overfeat import OverFeat
from vggexp.backbone.vgg import VGG
from vggexp.head.box_per_class import BoxPerClass
from vggexp.head.mlp import MLP
from vggexp.head.parallel import Parallel
from vggexp.learner.windows import last_pooling, slide
from vggexp.types import HeadSpec

# Backbone, side of an image, stride before the last pooling, and how far the zeros beyond the border reach, pixels.
NETS = {
    "vgg": (lambda: VGG("A", batch_norm=True, width=1 / 32), 224, 16, 64),
    "fast": (lambda: OverFeat("fast", batch_norm=True, width=1 / 64), 231, 16, 48),
    "accurate": (lambda: OverFeat("accurate", batch_norm=True, width=1 / 64), 281, 12, 48),
}


def lively(module: nn.Module) -> nn.Module:
    generator = torch.Generator().manual_seed(0)
    for parameter in module.parameters():
        if parameter.ndim > 1:
            nn.init.kaiming_normal_(parameter, generator=generator)
    return module.eval()


def head_of(backbone: VGG | OverFeat, pool: int = 1) -> MLP:
    head = MLP(HeadSpec(backbone.channels, backbone.strides, {"classification": 3}), hidden=6, pool=pool)
    lively(head)
    return head


@pytest.mark.parametrize("name", NETS)
def test_offsets_of_the_last_pooling_are_shifts_of_the_image(name: str) -> None:
    """36 pixels become 12, 32 become 16: each window between two cells is a cell of the image moved by one step."""
    make, side, step, reach = NETS[name]
    torch.manual_seed(0)
    backbone = make()
    lively(backbone)
    head, image = head_of(backbone), torch.randn(1, 3, side, side)
    with torch.no_grad():
        places, found = slide(backbone, head, image, (1, 1))
        assert isinstance(found, Tensor)
        assert sorted({int(place) for place in places[:, 0]})[:3] == [0, step, 2 * step]
        rows = {(int(top), int(left)): row for (top, left), row in zip(places, found, strict=True)}
        assert len(rows) == len(places)
        compared = 0
        for down in range(0, backbone.strides[-1], step):
            for right in range(0, backbone.strides[-1], step):
                shifted = backbone(image[..., down:, right:]).stages[-1]
                logits = head.classifier(shifted.movedim(1, -1).flatten(0, 2)).view(*shifted.shape[-2:], 3)
                for row in range(shifted.shape[-2]):
                    for column in range(shifted.shape[-1]):
                        top, left = row * backbone.strides[-1] + down, column * backbone.strides[-1] + right
                        inner = [reach <= at - start and at + 77 + reach <= side
                                 for at, start in ((top, down), (left, right))]  # fmt: skip
                        if all(inner):
                            torch.testing.assert_close(rows[top, left], logits[row, column], rtol=1e-4, atol=1e-5)
                            compared += 1
    assert compared >= (backbone.strides[-1] // step) ** 2
    assert found.std(0).min() > 1e-3


@pytest.mark.parametrize(("size", "windows"), [((245, 245), 9), ((281, 317), 54), ((461, 569), 630)])
def test_the_paper_s_table_5(size: tuple[int, int], windows: int) -> None:
    backbone = OverFeat("accurate", width=1 / 96).eval()
    with torch.no_grad():
        places, found = slide(backbone, head_of(backbone, 5), torch.randn(1, 3, *size), (5, 5))
    assert len(places) == len(found) == windows


def test_an_image_of_one_window_has_the_head_s_outputs() -> None:
    torch.manual_seed(0)
    backbone = VGG("A", width=1 / 32).eval()
    names = {"classification": 3, "localization": 3}
    parts = {
        "classification": lambda spec: MLP(spec, hidden=6, pool=2),
        "localization": lambda spec: BoxPerClass(spec, hidden=[5, 4], pool=2),
    }
    head = lively(Parallel(HeadSpec(backbone.channels, backbone.strides, names), parts))
    images = torch.randn(2, 3, 64, 128)
    with torch.no_grad():
        plain = head(backbone(images))
        places, found = slide(backbone, head, images, (2, 4))  # type: ignore[arg-type]
    assert places.tolist() == [[0, 0]]
    assert isinstance(found, dict)
    for name, outputs in plain.items():
        torch.testing.assert_close(found[name], outputs)


def test_a_network_without_a_last_pooling_is_known() -> None:
    assert last_pooling(VGG("A", width=1 / 32)) is not None
    bare = VGG("A", width=1 / 32)
    bare.features[-1] = nn.Identity()
    assert last_pooling(bare) is None
