"""The cells that are probed for masks."""

import torch

from vggexp.trainer.advice.target.mask import CELLS, Mask
from vggexp.types import VOID, Batch


def test_a_cell_has_the_class_of_the_pixel_at_its_place_and_void_has_none() -> None:
    mask = torch.zeros(3, 32, 32, dtype=torch.uint8)
    mask[:, :, 16:] = 1
    mask[2] = VOID
    batch: Batch = {"mask": mask, "index": torch.tensor([0, 1, 7])}
    columns = torch.arange(4.0).expand(3, 1, 4, 4)  # each cell's value is its column
    found = Mask().rows((columns,), batch)
    points = torch.cat([torch.rand(CELLS, 2, generator=torch.Generator().manual_seed(index)) for index in (0, 1)])
    assert found.targets.tolist() == (points[:, 1] >= 0.5).long().tolist()
    assert found.stages[0].flatten().tolist() == (points[:, 1] * 4).floor().tolist()
    assert found.images.tolist() == [0] * CELLS + [1] * CELLS
