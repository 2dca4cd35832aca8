"""Normalisation is the same in every memory format, and takes whole numbers."""

import pytest
import torch

from vggexp.backbone.layer.normalized import Normalized


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_it_is_the_formula(memory_format: torch.memory_format) -> None:
    images = torch.randint(0, 256, (2, 3, 4, 5), dtype=torch.uint8).contiguous(memory_format=memory_format)
    before = images.clone()
    backbone = Normalized()
    backbone.set_normalization([0, 0.5, 0.25], [1, 0.5, 2])
    mean, std = torch.tensor([0, 0.5, 0.25]).view(3, 1, 1), torch.tensor([1, 0.5, 2]).view(3, 1, 1)
    found = backbone.normalize(images)
    torch.testing.assert_close(found, (images.float() / 255 - mean) / std)
    assert found.is_contiguous(memory_format=memory_format)
    assert torch.equal(images, before)
    assert backbone.state_dict() == {}
