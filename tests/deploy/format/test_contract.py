"""Every format gives the run's outputs for every head, for one image and for several, read back from its file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from vggexp.config.compose import defaults
from vggexp.config.help import formats
from vggexp.deploy.export import compare, export, load_format
from vggexp.deploy.predict.network import Network
from vggexp.errors import ConfigError
from vggexp.trainer.network import build_network
from vggexp.types import DataInfo, Prediction

INFO = DataInfo(("cat", "dog", "cow"), ("ground", "cat", "dog"))
BOX = ("head.hidden=[8]", "head.pool=1")
HEADS: dict[str, tuple[str, ...]] = {
    "mlp": ("head.hidden=8", "backbone=vgg_a_lrn"),
    "box_per_class": ("task=localization", "head=box_per_class", "task.format=center", *BOX),
    "fcn": ("task=segmentation", "head=fcn", "head.hidden=8", "data.image_size=[47,70]"),
    "deconvnet": ("task=segmentation", "head=deconvnet", "head.hidden=8", "head.window=1"),
    "faster_rcnn": ("task=detection", "head=faster_rcnn", "head.hidden=8", "head.proposals=20", "head.threshold=0.0"),
    "faster_rcnn_fpn": (
        "task=detection", "head=faster_rcnn_fpn", "head.channels=8", "head.hidden=8", "head.proposals=20",
        "head.threshold=0.0",
    ),
    "mask_rcnn": (
        "task=instance_segmentation", "head=mask_rcnn", "head.channels=8", "head.hidden=8", "head.mask_channels=4",
        "head.proposals=20", "head.threshold=0.0", "head.detections=5",
    ),
    "ssd": ("task=detection", "head=ssd", "head.hidden=8", "head.detections=20", "data.image_size=[47,70]"),
    "fcos": ("task=detection", "head=fcos", "head.channels=64", "head.convolutions=1", "head.threshold=0.0"),
    "parallel": (
        "task=multitask", "task.parts=[classification,localization,segmentation]", "head.part.classification.hidden=8",
        "head@head.part.localization=box_per_class", "head.part.localization.hidden=[8]",
    ),
    "parallel_with_objects": (  # few proposals: of many, two score the same, and rounding says which suppresses which
        "task=multitask", "task.parts=[classification,detection]", "head.part.classification.hidden=8",
        "head.part.detection.hidden=8", "head.part.detection.proposals=5", "head.part.detection.threshold=0.0",
    ),
}  # fmt: skip
QUICK = [("onnx", "parallel"), ("torch_export", "mlp"), ("safetensors", "parallel")]
ALL = [(name, head) for name in ("onnx", "torch_export", "safetensors") for head in HEADS]
CASES = [
    pytest.param(*case, marks=() if case in QUICK or case[0] == "safetensors" else pytest.mark.slow) for case in ALL
]


def made(head: str, as_logits: bool = False) -> tuple[Network, dict[str, Any], list[torch.Tensor]]:
    """A network with weights that tell classes and pixels apart, what its checkpoint would hold, and images."""
    words = ("run.name=x", "backbone=vgg11_bn", "data.image_size=[32,32]", "backbone.width=0.1", *HEADS[head])
    choice = {"task": words[5], "backbone": "vgg", "head": head, "data": "digits"}
    config = {"choice": choice, **defaults("train", *words)}
    torch.manual_seed(0)
    backbone, its_head, task = build_network(config, INFO)
    network = Network(backbone, its_head, task)
    if as_logits:  # labels would hide small differences, and the labels of random weights are often all the same
        network._predict = lambda outputs: {"logits": outputs}
    with torch.no_grad():
        for parameter in network.parameters():  # FCN starts from zeros, which any file would get right
            parameter += 0.05 * torch.randn_like(parameter)
    height, width = config["data"]["image_size"]
    noise = torch.randint(0, 256, (4, 3, height, width), dtype=torch.uint8)
    info = {"classes": list(INFO.classes), "mask_classes": list(INFO.mask_classes)}
    return network, {"config": config, "info": info, "state_dict": network.state_dict()}, [noise[:1], noise[1:]]


def test_that_formats_are_found() -> None:
    assert formats() == ["onnx", "safetensors", "torch_export"]


@pytest.mark.parametrize(("name", "head"), CASES)
def test_a_file_gives_the_networks_outputs(name: str, head: str) -> None:
    if name == "onnx":
        pytest.importorskip("onnxruntime", reason="the format onnx needs its extra")
        pytest.importorskip("onnxscript", reason="the format onnx needs its extra")
    network, content, batches = made(head, as_logits=name != "safetensors" and head in ("fcn", "deconvnet"))
    path = Path(f"x{load_format(name).SUFFIX}")
    card = export(name, network, content, batches, path, tolerance=1e-5, options={})
    assert sorted(file.name for file in Path().iterdir()) == [path.name, f"{path.name}.json"]
    assert card["outputs"].keys() == network(batches[0]).keys()
    found = compare(network, load_format(name).read(path), [batches[1][:2]])  # and for yet another batch size
    assert max(found.values()) < 1e-5
    if "object_scores" in card["outputs"]:
        assert (network(batches[1])["object_scores"] > 0).any()  # or agreeing would mean nothing
    if "logits" in card["outputs"]:
        assert network(batches[1])["logits"].std() > 1e-3  # or agreeing would mean nothing


class Wrong(nn.Module):
    """A network that is off by a little, in one output."""

    def __init__(self, right: Network, name: str, by: float) -> None:
        super().__init__()
        self.right, self.name, self.by = right, name, by

    def forward(self, images: torch.Tensor) -> Prediction:
        found = dict(self.right(images))
        found[self.name] = (found[self.name] + self.by).to(found[self.name].dtype)
        return found


@pytest.mark.parametrize(
    ("output", "by", "message"),
    [
        ("probability", 1e-3, "probability differs from the run's (by 0.001); nothing was written"),
        ("box", float("nan"), "box differs from the run's (by inf)"),
        ("mask", 1, "mask differs from the run's (100.0% of its labels)"),
    ],
)
def test_a_file_that_differs_is_not_left(output: str, by: float, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network, content, batches = made("parallel")
    form = load_format("safetensors")
    monkeypatch.setattr(form, "read", lambda _path: torch.inference_mode()(Wrong(network, output, by)))
    with pytest.raises(ConfigError) as error:
        export("safetensors", network, content, batches, Path("x.safetensors"), tolerance=1e-4, options={})
    assert message in str(error.value)
    assert not list(Path().iterdir())


def test_what_cannot_be_exported_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Mapping[str, Any]:
        raise RuntimeError("no such operator\nand much more")

    network, content, batches = made("parallel")
    monkeypatch.setattr(load_format("safetensors"), "write", fail)
    with pytest.raises(ConfigError, match=r"cannot express this network \(no such operator\); choose another format"):
        export("safetensors", network, content, batches, Path("x.safetensors"), tolerance=1e-4, options={})
    assert not list(Path().iterdir())


@pytest.mark.slow
def test_the_card_says_the_opset_that_the_file_has() -> None:
    onnx = pytest.importorskip("onnx", reason="the format onnx needs its extra")
    pytest.importorskip("onnxscript", reason="the format onnx needs its extra")
    network, content, batches = made("mlp")
    card = export("onnx", network, content, batches, Path("x.onnx"), tolerance=1e-4, options={"opset": 20})
    (own,) = (entry for entry in onnx.load("x.onnx").opset_import if entry.domain == "")
    assert card["opset"] == own.version == 20
    with pytest.raises(ConfigError, match=r"onnx\.opset=99 cannot be written: torch gives opset \d+"):
        export("onnx", network, content, batches, Path("y.onnx"), tolerance=1e-4, options={"opset": 99})
    assert not Path("y.onnx").exists()
