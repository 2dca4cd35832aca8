"""The figures of the VGG paper, its table 2, and properties that must hold of any backbone and head."""

import dataclasses
import io
from itertools import groupby

import pytest
import torch
from rich.console import Console
from torch import Tensor, nn

from vggexp.backbone.vgg import VGG
from vggexp.freeze.lora import Lora
from vggexp.head.deconvnet import DeconvNet
from vggexp.head.linear import Linear
from vggexp.head.mlp import MLP
from vggexp.report.ledger import Ledger, ledger
from vggexp.report.ledger_table import show, table
from vggexp.types import Features, HeadSpec

PAPER = {
    "A": 132_863_336,
    "A-LRN": 132_863_336,
    "B": 133_047_848,
    "C": 133_638_952,
    "D": 138_357_544,
    "E": 143_667_240,
}
"""Parameters with biases, of each net with its three dense layers."""


class Unpool(nn.Module):
    """A decoder that reads switches, registers its layers against the order they run in, and runs one twice."""

    reads = frozenset({"switches"})

    def __init__(self, channels: tuple[int, ...]) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels[-1])
        self.score = nn.Conv2d(channels[-1], 2, 1)
        self.scale = nn.Parameter(torch.ones(1))
        self.unpool = nn.MaxUnpool2d(2)
        self.deconv = nn.ConvTranspose2d(channels[-1], channels[-1], 3, padding=1)

    def forward(self, features: Features) -> Tensor:
        x = self.unpool(features.stages[-1], features.switches[-1])
        x = self.deconv(self.deconv(x))
        return self.score(self.norm(x)) * self.scale


def paper(net: str) -> Ledger:
    with torch.device("meta"):
        backbone = VGG(net.partition("-")[0], local_response_norm="LRN" in net)
        head = MLP(spec(backbone, 1000))
    return ledger(backbone, head, (224, 224), lambda name: False)


def spec(backbone: VGG, classes: int) -> HeadSpec:
    return HeadSpec(backbone.channels, backbone.strides, {"classification": classes})


@pytest.fixture(scope="module")
def vgg16() -> Ledger:
    return paper("D")


@pytest.fixture
def decoder() -> tuple[VGG, Unpool]:
    backbone = VGG("A", batch_norm=True, width=1 / 16)
    return backbone, Unpool(backbone.channels)


@pytest.mark.parametrize("net", PAPER)
def test_parameters_are_the_papers(net: str) -> None:
    assert paper(net).total("num_parameters") == PAPER[net]


def test_running_totals_without_biases_are_the_papers(vgg16: Ledger) -> None:
    at_ends = {part: [row.running for row in rows] for part, rows in groupby(vgg16.rows, key=lambda row: row.part)}
    stages = [at_ends[f"stage{k}"][-1] for k in range(1, 6)]
    assert stages == [38_592, 259_776, 1_734_336, 7_632_576, 14_710_464]
    assert at_ends["head"][-2:] == [134_248_128, 138_344_128]


def test_dense_layers_hold_most(vgg16: Ledger) -> None:
    assert vgg16.num_dense == 123_642_856
    assert vgg16.dense_share == pytest.approx(0.894, abs=5e-4)


def test_flops_are_twice_the_multiply_adds(vgg16: Ledger) -> None:
    by_hand = sum(2 * row.num_weights * torch.Size(row.shape[1:]).numel() for row in vgg16.rows if row.num_weights)
    assert vgg16.flops == sum(row.flops for row in vgg16.rows) == by_hand
    assert vgg16.flops == pytest.approx(30.9e9, rel=2e-3)


def test_receptive_fields_are_the_literatures(vgg16: Ledger) -> None:
    fields = {row.name: row.field for row in vgg16.rows}
    assert fields["backbone.features.0"] == 3
    assert fields["backbone.features.28"] == 196  # conv5_3
    assert fields["backbone.features.30"] == 212  # pool5
    assert fields["head.classifier.0"] == "image"
    assert fields["head.avgpool"] is None


def test_receptive_field_is_what_a_gradient_reaches() -> None:
    """Independently: the pixels that one output cell of the fourth stage depends on."""
    backbone = VGG("A", width=1 / 32).double()
    for module in backbone.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.constant_(module.weight, 1)
    stages = nn.Sequential(*backbone.features[: backbone._stage_ends[3]])
    # Average in place of maximum: a maximum's gradient reaches one cell of its window only.
    chain = nn.Sequential(*(nn.AvgPool2d(2) if isinstance(m, nn.MaxPool2d) else m for m in stages))
    image = torch.ones(1, 3, 192, 192, dtype=torch.float64, requires_grad=True)
    chain(image)[0, 0, 6, 6].backward()
    reached = int(image.grad[0, 0].any(dim=0).sum())
    rows = ledger(backbone.float(), MLP(spec(backbone, 2), hidden=8), (192, 192), lambda name: False).rows
    assert [row.field for row in rows if row.part == "stage4"][-1] == reached


def test_frozen_parameters_do_not_train() -> None:
    with torch.device("meta"):
        backbone = VGG("D")
        head = MLP(spec(backbone, 1000))
    result = ledger(backbone, head, (224, 224), lambda name: name.startswith("backbone.") or name.endswith(".bias"))
    assert result.total("num_trainable") == 138_344_128 - 14_710_464
    lines = [line.split() for line in render(result, 100).splitlines() if " dense " in line or " conv " in line]
    assert {(words[1], words[-1]) for words in lines} == {("conv", "yes"), ("dense", "part")}


def test_adapters_belong_to_their_layers_row() -> None:
    with torch.device("meta"):
        backbone = VGG("A")
        head = Linear(HeadSpec(backbone.channels, backbone.strides, {"classification": 3}))
    plain = ledger(backbone, head, (32, 32), lambda name: False)
    Lora(2).adapt(backbone.stages())
    found = ledger(backbone, head, (32, 32), lambda name: name.endswith(("original", "bias")))
    assert [(row.name, row.kind) for row in found.rows] == [(row.name, row.kind) for row in plain.rows]
    assert found.rows[0].num_parameters == 3 * 64 * 9 + 64 + 2 * (27 + 64)
    assert found.rows[0].num_trainable == 2 * (27 + 64)


def test_a_pooling_that_hands_on_switches_has_its_row(decoder: tuple[VGG, Unpool]) -> None:
    rows = {row.name: row for row in ledger(*decoder, (32, 64), lambda name: False).rows}
    pooling = max((row for row in rows.values() if row.kind == "max-pool"), key=lambda row: row.field)
    assert pooling.shape == (32, 1, 2)
    assert rows["head.unpool"].shape == (32, 2, 4)


def test_deconvnet_is_the_papers() -> None:
    """Its 252 million parameters, batch normalisation not counted, from one pass on the meta device."""
    with torch.device("meta"):
        backbone = VGG("D", batch_norm=True)
        head = DeconvNet(spec(backbone, 21))
    rows = ledger(backbone, head, (224, 224), lambda name: False).rows
    assert sum(row.num_parameters for row in rows if row.kind != "batch norm") == 251_772_245
    assert [row.shape for row in rows if row.kind == "max-pool"][-1] == (512, 7, 7)
    assert rows[-1].shape == (21, 224, 224)


def test_a_head_is_listed_as_it_runs_and_counted_once(decoder: tuple[VGG, Unpool]) -> None:
    result = ledger(*decoder, (32, 32), lambda name: False)
    head = [row for row in result.rows if row.part == "head"]
    assert [row.kind for row in head] == ["unpool", "deconv 3x3", "batch norm", "conv 1x1", "Unpool"]
    assert head[1].flops == 2 * (2 * 32 * 32 * 9 * 2 * 2)  # it runs twice
    assert sum(row.num_parameters for row in head) == sum(p.numel() for p in decoder[1].parameters())
    assert result.flops == sum(row.flops for row in result.rows)


def test_a_shared_layer_is_counted_where_it_first_stands() -> None:
    backbone = VGG("A", width=1 / 16)
    head = MLP(spec(backbone, 8), hidden=8)
    head.classifier[6].weight = head.classifier[3].weight
    counts = [row.num_parameters for row in ledger(backbone, head, (32, 32), lambda name: False).rows]
    assert counts[-2:] == [8 * 8 + 8, 8]


def test_everything_is_left_as_it_was(decoder: tuple[VGG, Unpool]) -> None:
    backbone, head = decoder
    before = {name: value.clone() for name, value in head.state_dict().items()}
    head.norm.eval()
    ledger(backbone, head, (32, 32), lambda name: False)
    assert head.training
    assert backbone.training
    assert not head.norm.training
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in backbone.modules())
    assert all(torch.equal(value, before[name]) for name, value in head.state_dict().items())


@pytest.mark.parametrize("width", [80, 100])
def test_the_table_fits_and_is_whole(vgg16: Ledger, width: int) -> None:
    text = render(vgg16, width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    assert "dense layers hold 123,642,856 of 138,357,544 parameters (89.4 %)" in text
    assert "classifier.0 dense           4096 102,760,448 117,470,912  206 M image" in text
    assert "stage5                              7,077,888             2.77 G" in text


def test_a_pipe_gets_whole_numbers_whatever_the_names(vgg16: Ledger) -> None:
    rows = [dataclasses.replace(row, name=f"{row.name}.of_the_classification_head") for row in vgg16.rows]
    console = Console(file=io.StringIO())
    show(dataclasses.replace(vgg16, rows=tuple(rows)), console)
    text = console.file.getvalue()
    assert "102,760,448 117,470,912  206 M image" in text
    assert max(map(len, text.splitlines())) <= 100


def render(ledger: Ledger, width: int) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(table(ledger))
    return console.file.getvalue()
