"""The patch network: over a whole image it gives each pixel what its own patch gives."""

import pytest
import torch
from torch import nn

from vggexp.backbone.patch import Patch, cells
from vggexp.head.patch import Patch as PatchHead
from vggexp.sample.mirror import mirrored
from vggexp.types import HeadSpec


def lively(patch: int = 11, depth: tuple[int, ...] = (1, 1), width: int = 4) -> tuple[Patch, PatchHead]:
    torch.manual_seed(0)
    backbone = Patch(patch, depth, width)
    head = PatchHead(HeadSpec(backbone.channels, backbone.strides, {"segmentation": 3}), hidden=[6])
    for module in backbone.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, std=0.3)  # type: ignore[arg-type]
            nn.init.uniform_(module.running_var, 0.5, 2.0)  # type: ignore[arg-type]
            nn.init.normal_(module.bias, std=0.3)
    return backbone.eval(), head.eval()


@pytest.mark.parametrize(
    ("patch", "depth", "size"), [(11, (1, 1), (20, 17)), (13, (1, 1), (9, 24)), (15, (2, 1), (16, 18))]
)
def test_every_pixel_s_logits_are_those_of_its_patch(patch: int, depth: tuple[int, ...], size: tuple[int, int]) -> None:
    backbone, head = lively(patch, depth)
    image = torch.randn(1, 3, *size)
    with torch.no_grad():
        dense = head(backbone(image))
        patches = mirrored(image, patch // 2).unfold(2, patch, 1).unfold(3, patch, 1)[0]
        ones = patches.permute(1, 2, 0, 3, 4).reshape(-1, 3, patch, patch)
        single = head(backbone(ones))
    assert dense.shape == (1, 3, *size)
    assert single.shape == (size[0] * size[1], 3, patch, patch)
    torch.testing.assert_close(single[..., 0, 0], dense[0].flatten(1).T, rtol=1e-4, atol=1e-5)
    assert (single == single[..., :1, :1]).all()  # a patch has one answer
    assert dense.std((0, 2, 3)).min() > 1e-2  # and the answers differ


def test_the_default_patch_of_65() -> None:
    backbone, head = lively(65, (2, 2, 2, 1), 4)
    image = torch.randn(1, 3, 40, 33)
    with torch.no_grad():
        dense = head(backbone(image))
        padded = mirrored(image, 32)
        for row, column in ((0, 0), (17, 30), (39, 32)):
            one = head(backbone(padded[..., row : row + 65, column : column + 65]))
            torch.testing.assert_close(one[0, :, 32, 32], dense[0, :, row, column], rtol=1e-4, atol=1e-5)


def test_stages_go_on_from_cached_features() -> None:
    backbone, _ = lively()
    for size in ((11, 11), (20, 17)):
        image = torch.randn(2, 3, *size)
        with torch.no_grad():
            whole = backbone(image)
            rest = backbone(whole.stages[0], start=1, size=size)
        torch.testing.assert_close(rest.stages[-1], whole.stages[-1])
        assert rest.size == whole.size == size


def test_a_patch_that_leaves_no_single_cell_is_refused() -> None:
    assert cells(65, (2, 2, 2, 1)) == 1
    for patch, why in ((64, "has no centre pixel"), (95, "is left with 3 cells a side"), (33, "is left with -1 cells")):
        with pytest.raises(ValueError, match=f"backbone.patch={patch} {why}"):
            Patch(patch)


def test_all_parameters_are_in_a_stage() -> None:
    backbone = Patch()
    in_stages = {id(one) for stage in backbone.stages() for one in stage.parameters()}
    assert in_stages == {id(one) for one in backbone.parameters()}
    assert backbone.normalize(torch.full((1, 3, 4, 4), 255, dtype=torch.uint8)).shape == (1, 3, 4, 4)
