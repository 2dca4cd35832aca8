"""A decoder of segmentation_models_pytorch: it is the library's own, fed with the backbone's stages."""

import sys

import pytest
import torch

from vggexp.types import Features, HeadSpec

smp = pytest.importorskip("segmentation_models_pytorch")

from vggexp.head.smp import SHALLOWEST, STRIDES, Smp  # noqa: E402

CHANNELS = (4, 4, 8, 8, 16)
SPEC = HeadSpec(CHANNELS, STRIDES, {"segmentation": 3})


def features(height: int, width: int) -> Features:
    torch.manual_seed(1)
    maps = [torch.randn(2, c, height // s, width // s) for c, s in zip(CHANNELS, STRIDES, strict=True)]
    return Features(tuple(maps), (height, width))


@pytest.mark.slow
@pytest.mark.parametrize("name", SHALLOWEST)
def test_it_reads_what_it_says_and_fills_the_image(name: str) -> None:
    torch.manual_seed(0)
    head = Smp(SPEC, name).eval()
    given = features(64, 96)
    with torch.no_grad():
        found = head(given)
        assert found.shape == (2, 3, 64, 96)
        unread = (torch.empty(0),) * (head.shallowest - 1)
        torch.testing.assert_close(head(Features((*unread, *given.stages[len(unread) :]), given.size)), found)
        without = [*given.stages]
        without[head.shallowest - 1] = torch.zeros_like(without[head.shallowest - 1])
        assert not torch.equal(head(Features(tuple(without), given.size)), found)
        assert head(features(70, 45)).shape == (2, 3, 70, 45)


def test_its_numbers_are_the_library_s() -> None:
    """The library's own FPN with its own encoder, whose features are handed over as stages."""
    torch.manual_seed(0)
    whole = smp.FPN("resnet18", encoder_weights=None, classes=3).eval()
    image = torch.randn(1, 3, 64, 64)
    head = Smp(HeadSpec(tuple(whole.encoder.out_channels[1:]), STRIDES, {"segmentation": 3})).eval()
    head.decoder.load_state_dict(whole.decoder.state_dict())
    head.score.load_state_dict(whole.segmentation_head.state_dict())
    with torch.no_grad():
        found = head(Features(tuple(whole.encoder(image)[1:]), (64, 64)))
        torch.testing.assert_close(found, whole(image))


def test_what_does_not_fit_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"head.name=PAN is no decoder that fits"):
        Smp(SPEC, "PAN")
    with pytest.raises(ValueError, match=r"strides \(2, 4, 8, 16, 32\), and this backbone's are \(4, 8, 16, 32\)"):
        Smp(HeadSpec(CHANNELS[1:], STRIDES[1:], {"segmentation": 3}))
    monkeypatch.setitem(sys.modules, "segmentation_models_pytorch", None)
    with pytest.raises(ValueError, match=r"head=smp needs segmentation-models-pytorch: pip install 'vggexp\[smp\]'"):
        Smp(SPEC)
