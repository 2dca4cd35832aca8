"""Grad-CAM by captum against the paper's equations 1 and 2, for each kind of head, with a frozen backbone."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from vggexp.backbone.vgg import VGG
from vggexp.deploy.explain.grad_cam import grad_cam
from vggexp.deploy.explain.targets import targets
from vggexp.errors import ConfigError
from vggexp.head.box import Box
from vggexp.head.linear import Linear
from vggexp.head.unet import UNet
from vggexp.types import DataInfo, HeadSpec

captum = pytest.importorskip("captum")
INFO = DataInfo(("a", "b", "c"), ("ground", "a", "b"))
PREDICTION = {"label": torch.tensor(1), "mask": torch.tensor([[0, 2], [255, 2]], dtype=torch.uint8)}
HEADS: dict[str, Any] = {
    "class_logits": (Linear, {}), "box": (Box, {"hidden": [4], "pool": 1}), "pixel_logits": (UNet, {}),
}  # fmt: skip


def learner(gives: str) -> Any:
    torch.manual_seed(0)
    backbone = VGG("A", width=0.05, batch_norm=True).eval()
    for parameter in backbone.parameters():
        parameter.requires_grad_(False)
    make, words = HEADS[gives]
    head = make(HeadSpec(backbone.channels, backbone.strides, {"x": 3}), **words).eval()
    return SimpleNamespace(backbone=backbone, head=head)


@pytest.mark.parametrize(
    ("gives", "names"),
    [
        ("class_logits", ["b"]),
        ("box", ["box-x", "box-y", "box-h", "box-w"]),
        ("pixel_logits", ["mask-ground", "mask-b"]),
    ],
)
def test_the_map_is_the_maps_weighed_by_their_mean_gradients(gives: str, names: list[str]) -> None:
    own = learner(gives)
    config = {"task": {}, "head": {"gives": gives}}
    images = torch.randint(0, 256, (1, 3, 64, 64), dtype=torch.uint8)
    found = dict(targets(config, INFO, PREDICTION, None))
    assert list(found) == names
    for place, target in enumerate(found.values()):
        outputs, maps = with_maps(own, images)
        value = outputs[0, {"class_logits": (1,), "box": range(4), "pixel_logits": (0, 2)}[gives][place]].mean()
        (gradient,) = torch.autograd.grad(value, maps)
        weights = gradient[0].mean((1, 2))
        expected = (weights[:, None, None] * maps[0]).sum(0).relu()
        torch.testing.assert_close(grad_cam(own, images, 4, target)[0], expected)


def with_maps(own: Any, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The head's outputs, and the maps of stage 4 before its pooling, which they were computed from."""
    kept: list[torch.Tensor] = []
    handle = own.backbone.stages()[3][-2].register_forward_hook(lambda module, args, output: kept.append(output))
    x = own.backbone.normalize(images).requires_grad_(True)
    outputs = own.head(own.backbone(x, own.head.reads))
    handle.remove()
    return outputs, kept[0]


def test_classes_are_chosen_by_name_and_detectors_are_refused() -> None:
    config = {"task": {}, "head": {"gives": "class_logits"}}
    assert [name for name, _ in targets(config, INFO, PREDICTION, ["c", "a"])] == ["c", "a"]
    with pytest.raises(ConfigError, match="classes=d is not known"):
        list(targets(config, INFO, PREDICTION, ["d"]))
    with pytest.raises(ConfigError, match="gives objects"):
        list(targets({"task": {}, "head": {"gives": "objects"}}, INFO, PREDICTION, None))
