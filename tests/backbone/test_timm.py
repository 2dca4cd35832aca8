"""timm's networks as backbones: their stages are timm's own features, and they hold all parameters."""

import pytest
import torch

from vggexp.types import Backbone

timm = pytest.importorskip("timm")

from vggexp.backbone.timm import Timm  # noqa: E402

NAMES = ("resnet18", "regnetx_002", "convnext_atto")


@pytest.mark.parametrize("name", NAMES)
def test_the_stages_are_timm_s_own_features(name: str) -> None:
    torch.manual_seed(0)
    backbone = Timm(name).eval()
    assert isinstance(backbone, Backbone)
    own = timm.create_model(name, features_only=True).eval()
    own.load_state_dict(backbone.features.state_dict())
    images = torch.randn(2, 3, 64, 96)
    with torch.no_grad():
        expected, found = own(images), backbone(images)
    assert len(found.stages) == len(expected) == len(backbone.channels) == len(backbone.strides)
    for stage, feature, channels, stride in zip(
        found.stages, expected, backbone.channels, backbone.strides, strict=True
    ):
        torch.testing.assert_close(stage, feature)
        assert stage.shape == (2, channels, 64 // stride, 96 // stride)
    in_stages = [id(one) for stage in backbone.stages() for one in stage.parameters()]
    assert sorted(in_stages) == sorted(id(one) for one in backbone.parameters())


def test_a_cached_stage_goes_on() -> None:
    backbone = Timm("resnet18").eval()
    images = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        whole = backbone(images)
        rest = backbone(whole.stages[1], start=2, size=(64, 64))
    torch.testing.assert_close(rest.stages[-1], whole.stages[-1])


def test_it_is_normalised_as_its_weights_were() -> None:
    white = torch.full((1, 3, 2, 2), 255, dtype=torch.uint8)
    found = Timm("resnet18").normalize(white)[0, :, 0, 0]
    torch.testing.assert_close(found, (1 - torch.tensor([0.485, 0.456, 0.406])) / torch.tensor([0.229, 0.224, 0.225]))
    torch.testing.assert_close(Timm("resnet18", mean=[0, 0, 0], std=[1, 1, 1]).normalize(white), torch.ones(1, 3, 2, 2))


def test_what_is_no_list_of_stages_is_one_line() -> None:
    with pytest.raises(ValueError, match=r"backbone.name=resnet19: timm has no such network; did you mean"):
        Timm("resnet19")
    for name in ("vit_tiny_patch16_224", "efficientnet_b0", "swin_tiny_patch4_window7_224"):
        with pytest.raises(ValueError, match=rf"backbone.name={name} gives its features as a"):
            Timm(name)
