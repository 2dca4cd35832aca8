"""The network as a picture: its numbers are the ledger's, its slabs are to scale, and it is text, small and whole."""

import re
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import torch
from torch import nn

from vggexp.backbone.vgg import VGG
from vggexp.head.deconvnet import DeconvNet
from vggexp.head.fcn import FCN
from vggexp.head.mlp import MLP
from vggexp.head.unet import UNet
from vggexp.report.ledger import Ledger, ledger
from vggexp.report.ledger_table import human_flops
from vggexp.report.picture.blocks import MOST_SLABS, Slab, blocks
from vggexp.report.picture.draw import Caption, draw, percent
from vggexp.report.picture.layout import SIDE, THICKNESS, layout
from vggexp.report.picture.svg import svg
from vggexp.types import HeadSpec

CAPTION = Caption("a network", "", "skip")
HEADS: dict[str, Any] = {"mlp": MLP, "unet": UNet, "deconvnet": DeconvNet, "fcn": FCN}
MANY = (
    "head=mlp", "head=linear", "task=localization", "task=multitask", "task=segmentation", "task=segmentation head=fcn",
    "task=segmentation head=fcn head.stride=32", "task=segmentation head=deconvnet", "task=segmentation head=segnet",
    "task=detection", "task=detection head=ssd", "task=detection head=fcos", "task=detection head=faster_rcnn_fpn",
    "task=instance_segmentation", "backbone=vgg_c", "backbone=vgg_a_lrn", "backbone=patch head=linear",
    "backbone=vgg19_bn backbone.width=0.1", "freeze=bias", "freeze=gradual",
    "backbone=timm backbone.name=resnet50 head=linear", "backbone=timm backbone.name=densenet121 head=linear",
    "task=multitask task.parts=[classification,localization,segmentation]",
)  # fmt: skip


@cache
def made(head: str, frozen: str = "nothing") -> Ledger:
    with torch.device("meta"):
        backbone = VGG("D", batch_norm=head == "deconvnet")
        whole = HEADS[head](HeadSpec(backbone.channels, backbone.strides, {"some": 21}))
    assert isinstance(whole, nn.Module)
    return ledger(backbone, whole, (224, 224), lambda name: re.search(frozen, name) is not None)


@pytest.mark.parametrize("head", HEADS)
def test_the_numbers_are_the_ledgers(head: str) -> None:
    """Of each stage and of the whole, and as they stand in the file, below each block in the order of the blocks."""
    whole = made(head)
    found = blocks(whole)
    assert [block.name for block in found[:5]] == [f"stage {k}" for k in range(1, 6)]
    for block in found[:5]:
        rows = [row for row in whole.rows if row.part == block.name.replace(" ", "")]
        assert block.num_parameters == sum(row.num_parameters for row in rows)
        assert block.flops == sum(row.flops for row in rows)
        assert block.field == rows[-1].field
    assert sum(block.num_parameters for block in found) == whole.total("num_parameters")
    assert sum(block.flops for block in found) == whole.flops
    assert sorted(row.name for block in found for row in block.rows) == sorted(row.name for row in whole.rows)
    shown = texts(svg(draw(whole, CAPTION)))
    counts = [(block.num_parameters, whole.total("num_parameters")) for block in found]
    counts = [pair for block, one in zip(found, counts, strict=True) for pair in (one, (block.flops, whole.flops))]
    says = [text for count, total in counts for text in (human_flops(count).strip(), percent(count / total))]
    places = [place for place, text in enumerate(shown) if text.endswith("%")]
    assert [text for place in places for text in shown[place - 1 : place + 1]] == says
    assert f"{whole.total('num_parameters'):,} parameters" in " ".join(shown)


def test_slabs_are_to_scale() -> None:
    whole = made("mlp")
    plan = layout(blocks(whole), Slab("image", "image", (3, 224, 224), 0.0), 0, 0)
    boxes = [box for place in plan.places[1:] for box in place.boxes]
    assert [box.slab.shape for box in boxes] == [
        row.shape if len(row.shape) == 3 else (*row.shape, 1, 1) for row in whole.rows if row.kind != "avg-pool"
    ]
    for box in boxes:
        channels, height, _ = box.slab.shape
        assert box.thickness == pytest.approx(THICKNESS * channels**0.5)
        assert box.height == pytest.approx(SIDE * (height / 224) ** 0.5)


def test_what_a_decoder_reads_is_drawn_from_where_it_comes() -> None:
    found = {block.name: block for block in blocks(made("unet"))}
    names = list(found)
    assert [[names[one] for one in found[f"levels.{k}"].reads] for k in range(5)] == [
        ["stage 5", "bottom"], ["stage 4", "levels.0"], ["stage 3", "levels.1"], ["stage 2", "levels.2"],
        ["stage 1", "levels.3"],
    ]  # fmt: skip
    assert svg(draw(made("unet"), CAPTION)).count('class="skip"') == 5 + 1  # and the legend's
    assert svg(draw(made("deconvnet"), CAPTION)).count('class="skip"') == 5 + 1
    assert svg(draw(made("fcn"), CAPTION)).count('class="skip"') == 2 + 1
    assert 'class="skip"' not in svg(draw(made("mlp"), CAPTION))


def test_frozen_parts_are_hatched() -> None:
    whole = made("mlp", r"features\.([0-9]|1[0-6])\.")  # stages 1 to 3
    assert [block.is_frozen for block in blocks(whole)] == [True] * 3 + [False] * 3
    caption = Caption("a network", "freeze=stage, every epoch", "skip")
    drawn = svg(draw(whole, caption))
    assert drawn.count('class="frozen"') == 2 + 2 + 3 + 3 + 1  # convolutions, poolings, the legend
    assert "freeze=stage, every epoch: 1,735,488 parameters frozen" in drawn
    assert 'class="frozen"' not in svg(draw(made("mlp"), CAPTION))


def texts(drawn: str) -> list[str]:
    """The texts of an SVG file, in order."""
    return [node.text or "" for node in ElementTree.fromstring(drawn).iter("{http://www.w3.org/2000/svg}text")]


def check(words: str, vggexp: Any, tmp_path: Path) -> str:
    """Draw a network by the command; the picture is small, has every block, and nothing lies outside it."""
    out = tmp_path / "network.svg"
    code, printed, errors = vggexp("summary", *words.split(), "output=network.svg")
    assert code == 0, errors
    assert "drawn: network.svg" in printed
    drawn = out.read_text(encoding="utf-8")
    assert len(drawn) < 60_000
    width, height = map(float, re.search(r'viewBox="0 0 (\S+) (\S+)"', drawn).groups())  # type: ignore[union-attr]
    points = [
        tuple(map(float, pair)) for pair in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", drawn.partition("</defs>")[2])
    ]
    assert all(0 <= x <= width and 0 <= y <= height for x, y in points)
    return drawn


@pytest.mark.slow
@pytest.mark.parametrize("words", MANY)
def test_any_network_can_be_drawn(words: str, vggexp: Any, tmp_path: Path) -> None:
    if "timm" in words:
        pytest.importorskip("timm")
    drawn = check(words, vggexp, tmp_path)
    assert ('class="frozen"' in drawn) == ("freeze" in words)


def test_two_heads_stand_on_lines_of_their_own(vggexp: Any, tmp_path: Path) -> None:
    drawn = check("task=multitask backbone.width=0.1", vggexp, tmp_path)
    shown = texts(drawn)
    assert {"classification", "localization"} <= set(shown)
    heights = [
        float(node.get("y") or 0)
        for node in ElementTree.fromstring(drawn).iter("{http://www.w3.org/2000/svg}text")
        if node.text in ("classification", "localization")
    ]
    assert abs(heights[0] - heights[1]) > 100


def test_blocks_of_a_line_do_not_overlap_and_are_not_too_many_slabs() -> None:
    for head in HEADS:
        found = blocks(made(head))
        assert all(len(block.slabs) <= MOST_SLABS for block in found)
        plan = layout(found, Slab("image", "image", (3, 224, 224), 0.0), 0, 0)
        for line in range(len(plan.middles)):
            own = [place for place in plan.places if place.line == line]
            assert all(one.right < other.left for one, other in pairwise(own))


def test_the_page_has_every_layer_and_other_forms_are_refused(vggexp: Any, tmp_path: Path) -> None:
    words = ("backbone.width=0.1", "head=linear")
    assert vggexp("summary", *words, "output=a.html")[0] == 0
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert page.count('<th scope="row">') == 13 + 5 + 1 + 6
    assert "<svg" in page
    code, _, errors = vggexp("summary", *words, "output=a.doc")
    assert (code, errors) == (2, "vggexp: error: output=a.doc: name a file that ends in .svg, .html, .pdf, .png\n")


@pytest.mark.slow
def test_a_pdf_embeds_its_fonts(vggexp: Any, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    assert vggexp("summary", "output=a.pdf", "freeze=backbone")[0] == 0
    content = (tmp_path / "a.pdf").read_bytes()
    assert content.startswith(b"%PDF")
    assert b"/FontFile2" in content
