"""FCN: bilinear at first, and exactly so; what the skips add; the paper's size."""

import pytest
import torch
from torch import nn

from vggexp.backbone.vgg import VGG
from vggexp.head.fcn import FCN, Upsample
from vggexp.transfer.shapes import whole_layers
from vggexp.types import Features, HeadSpec

CHANNELS, STRIDES = (4, 8, 16, 32, 32), (2, 4, 8, 16, 32)
SPEC = HeadSpec(CHANNELS, STRIDES, {"segmentation": 3})


def features(size: tuple[int, int] = (64, 96)) -> Features:
    torch.manual_seed(0)
    sides = [(size[0] // stride, size[1] // stride) for stride in STRIDES]
    return Features(tuple(torch.randn(2, c, *side) for c, side in zip(CHANNELS, sides, strict=True)), size)


@pytest.mark.parametrize("factor", [2, 8, 16, 32])
def test_upsampling_starts_as_bilinear_interpolation(factor: int) -> None:
    scores = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    expected = nn.functional.interpolate(scores, scale_factor=factor, mode="bilinear")
    torch.testing.assert_close(Upsample(3, factor)(scores, (4 * factor, 5 * factor)), expected)


@pytest.mark.parametrize("factor", [2, 8, 16, 32])
def test_upsampling_keeps_constants_up_to_the_last_odd_pixel(factor: int) -> None:
    size = (2 * factor + factor - 1, 3 * factor + 1)
    upsampled = Upsample(2, factor)(torch.full((1, 2, 2, 3), 7.0), size)
    torch.testing.assert_close(upsampled, torch.full((1, 2, *size), 7.0))


def test_upsampling_keeps_ramps_where_cells_are_on_both_sides() -> None:
    columns = Upsample(1, 8)(torch.arange(6.0).expand(1, 1, 4, 6), (32, 48))[0, 0, 0]
    torch.testing.assert_close(columns[4:44], (torch.arange(4, 44) + 0.5) / 8 - 0.5)


def test_upsampling_starts_with_each_class_by_itself() -> None:
    scores = torch.zeros(1, 3, 2, 2)
    scores[:, 1] = 1
    assert Upsample(3, 8)(scores, (16, 16)).amax((0, 2, 3)).tolist() == [0, 1, 0]


@pytest.mark.parametrize("stride", [4, 64, 0])
def test_other_strides_are_refused(stride: int) -> None:
    with pytest.raises(ValueError, match=f"32, 16 or 8 .*, not {stride}"):
        FCN(SPEC, stride=stride)


def test_size_is_the_papers() -> None:
    """134 M without the upsampling (table 1): VGG16's layers with 21 scores in place of 1000."""
    with torch.device("meta"):
        backbone = VGG("D")
        head = FCN(HeadSpec(backbone.channels, backbone.strides, {"segmentation": 21}), stride=32)
    parameters = [*backbone.parameters(), *head.fc6.parameters(), *head.fc7.parameters(), *head.score.parameters()]
    assert sum(p.numel() for p in parameters) == 134_346_581
    assert head.upsample.convolution.weight.shape == (21, 21, 64, 64)


@pytest.mark.parametrize(("stride", "skips"), [(32, []), (16, [32]), (8, [32, 16])])
def test_each_skip_adds_a_score_and_a_fusion(stride: int, skips: list[int]) -> None:
    def count(stride: int) -> int:
        return sum(p.numel() for p in FCN(SPEC, stride=stride, hidden=8).parameters())

    added = sum(channels * 3 + 3 + 4 * 4 * 3 * 3 for channels in skips)
    finer = 3 * 3 * ((2 * stride) ** 2 - 64**2)
    assert count(stride) - count(32) == added + finer


@pytest.mark.parametrize(("stride", "used"), [(32, {4}), (16, {4, 3}), (8, {4, 3, 2})])
def test_stages_that_matter(stride: int, used: set[int]) -> None:
    head, inputs = FCN(SPEC, stride=stride, hidden=8).eval(), features()
    for parameter in head.parameters():
        nn.init.normal_(parameter)
    stages = [stage.requires_grad_() for stage in inputs.stages]
    head(inputs).sum().backward()
    assert {k for k, stage in enumerate(stages) if stage.grad is not None and stage.grad.any()} == used


def test_a_new_skip_changes_nothing() -> None:
    head, inputs = FCN(SPEC, stride=16, hidden=8).eval(), features()
    nn.init.normal_(head.score.weight)
    noise = Features((*inputs.stages[:3], torch.randn_like(inputs.stages[3]), inputs.stages[4]), inputs.size)
    assert torch.equal(head(inputs), head(noise))
    assert head(inputs).std() > 0


def before_pixels(head: FCN, given: Features) -> torch.Tensor:
    """The scores that the last upsampling brings to the pixels."""
    scores: torch.Tensor = head.score(head.fc7(head.fc6(given.stages[-1])))
    for k, scorer, fusion in zip(head.skip_stages, head.skip_scores, head.fusions, strict=True):
        scores = fusion(scores, tuple(given.stages[k].shape[-2:])) + scorer(given.stages[k])
    return scores


@pytest.mark.parametrize(("coarse", "fine"), [(32, 16), (16, 8)])
def test_a_step_of_the_ladder_begins_with_the_last_one_s_scores(coarse: int, fine: int) -> None:
    """The layers that fit are taken over, and new skips score zero: the last scores are only upsampled once more."""
    given = features()
    last, new = FCN(SPEC, stride=coarse, hidden=8).eval(), FCN(SPEC, stride=fine, hidden=8).eval()
    for scorer in (last.score, *last.skip_scores):
        nn.init.normal_(scorer.weight)  # type: ignore[arg-type]
    missing, _ = new.load_state_dict(whole_layers(last.state_dict(), new.state_dict()), strict=False)
    assert {name.rpartition(".")[0] for name in missing} == {
        f"skip_scores.{len(new.skip_scores) - 1}",
        f"fusions.{len(new.fusions) - 1}.convolution",
        "upsample.convolution",
    }
    with torch.no_grad():
        scores = before_pixels(last, given)
        finer = new.fusions[-1](scores, tuple(given.stages[new.skip_stages[-1]].shape[-2:]))
        torch.testing.assert_close(before_pixels(new, given), finer)
        torch.testing.assert_close(new(given), new.upsample(finer, given.size))
    assert scores.std() > 0.1
