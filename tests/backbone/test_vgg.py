"""VGG against the paper's counts and torchvision's outputs."""

import pytest
import torch
import torchvision
import yaml
from torch import nn

from vggexp.backbone.vgg import VGG
from vggexp.config.help import CONF, groups
from vggexp.trainer.build import build

NETS = [name for name in groups()["backbone"] if name.startswith("vgg")]
TORCHVISION = [name for name in NETS if name not in ("vgg_a_lrn", "vgg_c")]


def make(name: str, **changes: object) -> VGG:
    content = yaml.safe_load((CONF / "backbone" / f"{name}.yaml").read_text())
    made: VGG = build("backbone", {**content, **changes})
    return made


@pytest.mark.parametrize(
    "name",
    [name if name in ("vgg11", "vgg16_bn") else pytest.param(name, marks=pytest.mark.slow) for name in TORCHVISION],
)
def test_torchvisions_weights_load_and_give_its_features(name: str) -> None:
    theirs = getattr(torchvision.models, name)(num_classes=1).eval()
    for module in theirs.modules():  # statistics other than a fresh net's, so that a norm left out would show
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-1, 1)
            module.running_var.uniform_(0.5, 2)
    ours = make(name).eval()
    ours.load_state_dict({key: value for key, value in theirs.state_dict().items() if key.startswith("features.")})
    images = torch.randn(1, 3, 64, 96)
    with torch.inference_mode():
        torch.testing.assert_close(ours(images).stages[-1], theirs.features(images), rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("size", [(32, 32), (33, 47), (64, 96)])
def test_five_stages_of_declared_channels_and_strides(name: str, size: tuple[int, int]) -> None:
    backbone = make(name, width=1 / 16)
    features = backbone(torch.randn(2, 3, *size), frozenset({"skips", "switches"}))
    assert features.size == size
    assert len(features.stages) == len(features.skips) == len(features.switches) == len(backbone.strides) == 5
    for channels, stride, stage, skip in zip(
        backbone.channels, backbone.strides, features.stages, features.skips, strict=True
    ):
        assert stage.shape == (2, channels, size[0] // stride, size[1] // stride)
        assert skip.shape == (2, channels, size[0] * 2 // stride, size[1] * 2 // stride)


def test_features_are_alike_whatever_the_head_reads() -> None:
    backbone = make("vgg11", width=1 / 16)
    images = torch.randn(1, 3, 50, 38)
    plain, full = backbone(images), backbone(images, frozenset({"skips", "switches"}))
    assert plain.skips == plain.switches == ()
    for a, b in zip(plain.stages, full.stages, strict=True):
        assert torch.equal(a, b)


def test_switches_say_where_the_maxima_were() -> None:
    features = make("vgg11", width=1 / 16)(torch.randn(2, 3, 64, 64), frozenset({"skips", "switches"}))
    for stage, skip, switch in zip(features.stages, features.skips, features.switches, strict=True):
        assert torch.equal(skip.flatten(2).gather(2, switch.flatten(2)), stage.flatten(2))


def test_stages_share_all_of_the_parameters() -> None:
    backbone = make("vgg16_bn", width=1 / 16)
    staged = [id(parameter) for stage in backbone.stages() for parameter in stage.parameters()]
    assert staged == [id(parameter) for parameter in backbone.parameters()]
    assert [sum(isinstance(layer, nn.Conv2d) for layer in stage) for stage in backbone.stages()] == [2, 2, 3, 3, 3]


def test_net_c_closes_its_last_stages_with_1x1() -> None:
    sizes = [[m.kernel_size[0] for m in stage if isinstance(m, nn.Conv2d)] for stage in make("vgg_c").stages()]
    assert sizes == [[3, 3], [3, 3], [3, 3, 1], [3, 3, 1], [3, 3, 1]]


def test_local_response_normalisation_is_the_papers() -> None:
    """It gives a / (2 + 1e-4 * sum of squares of 5 neighbouring channels)^0.75 (Krizhevsky et al. 2012, 3.3)."""
    layer = next(module for module in make("vgg_a_lrn").modules() if isinstance(module, nn.LocalResponseNorm))
    a = torch.randn(1, 8, 1, 1) * 30
    squares = [a[:, max(0, c - 2) : c + 3].square().sum() for c in range(8)]
    expected = torch.stack([a[0, c, 0, 0] / (2 + 1e-4 * squares[c]) ** 0.75 for c in range(8)])
    torch.testing.assert_close(layer(a).flatten(), expected)


def test_width_scales_the_channels() -> None:
    assert make("vgg16", width=0.25).channels == (16, 32, 64, 128, 128)
    assert make("vgg16", width=1e-3).channels == (1, 1, 1, 1, 1)


def test_normalize_is_torchvisions_preset() -> None:
    images = torch.randint(0, 256, (2, 3, 8, 8), dtype=torch.uint8)
    preset = torchvision.models.VGG16_Weights.IMAGENET1K_V1.transforms(crop_size=8, resize_size=8)
    torch.testing.assert_close(make("vgg16").normalize(images), preset(images))


def test_the_layout_of_the_images_is_kept_and_changes_no_bit() -> None:
    images = torch.randint(0, 256, (2, 3, 40, 24), dtype=torch.uint8)
    backbone = make("vgg16")
    before, planes = images.clone(), backbone.normalize(images)
    last = backbone.normalize(images.contiguous(memory_format=torch.channels_last))
    assert torch.equal(images, before)
    assert torch.equal(last, planes)
    assert planes.is_contiguous()
    assert last.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(planes, (images / 255 - backbone.mean) / backbone.std)


def test_normalisation_is_not_in_the_state_dict() -> None:
    assert all(key.startswith("features.") for key in make("vgg11").state_dict())
