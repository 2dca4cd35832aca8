"""Tiles: they cover the photo, blend where they overlap, and hold one row of logits at a time."""

from itertools import pairwise
from typing import Any

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from vggexp.loss.cross_entropy import CrossEntropy
from vggexp.task.evaluation.sliding import Sliding, starts, triangle
from vggexp.task.segmentation import Segmentation
from vggexp.types import DataInfo, Outputs

TASK = Segmentation(DataInfo((), ("a", "b", "c")), CrossEntropy())


def photo(height: int, width: int, seed: int = 0) -> Tensor:
    return torch.randint(
        0, 256, (1, 3, height, width), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed)
    )


def pointwise(seen: Tensor) -> Tensor:
    """Logits of each pixel by its own colour: the same in whatever tile."""
    return seen.float() / 30


def tiles(**more: Any) -> Sliding:
    return Sliding(image_size=[32, 40], batch_size=3, **more)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.integers(1, 300), st.integers(0, 500), st.floats(0, 0.99))
def test_tiles_cover_a_side(tile: int, more: int, overlap: float) -> None:
    found = starts(tile + more, tile, overlap)
    assert found[0] == 0
    assert found[-1] == more
    gaps = [after - before for before, after in pairwise(found)]
    assert all(0 < gap <= max(tile * (1 - overlap), 1) + 0.5 for gap in gaps)


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.integers(1, 150), st.integers(1, 150), st.sampled_from([0.0, 0.25, 0.5, 0.8]), st.booleans())
def test_what_depends_on_a_pixel_alone_is_as_without_tiles(height: int, width: int, overlap: float, flip: bool) -> None:
    seen = photo(height, width)
    found = tiles(overlap=overlap, flip=flip)(pointwise, TASK, seen)["mask"]
    top = pointwise(seen).topk(2, 1).values
    sure = top[:, 0] - top[:, 1] > 1e-3  # else rounding decides
    assert found.shape == (1, height, width)
    assert found.dtype == torch.uint8
    assert torch.equal(found[sure], pointwise(seen).argmax(1).to(torch.uint8)[sure])


def test_a_photo_of_the_tiles_size_gives_the_plain_logits_to_the_bit() -> None:
    network = nn.Conv2d(3, 3, 5, padding=2)
    seen = photo(32, 40)

    def forward(images: Tensor) -> Outputs:
        with torch.no_grad():
            found: Tensor = network(images.float())
            return found

    (band,) = tiles().bands(forward, seen[0])
    assert torch.equal(band, forward(seen)[0])  # type: ignore[index]


def test_logits_are_blended_by_a_triangle() -> None:
    """Two tiles, one saying 0 and the other 1 everywhere: over the overlap the mean goes from one to the other."""
    calls = []

    def forward(images: Tensor) -> Outputs:
        calls.append(len(images))
        values = torch.arange(len(images)).float().view(-1, 1, 1, 1)
        return values.expand(-1, 3, 32, 40)

    (band,) = tiles().bands(forward, photo(32, 60)[0])
    assert calls == [2]
    assert (band[:, :, :20] == 0).all()
    assert (band[:, :, 40:] == 1).all()
    rising = triangle(40)[:20]
    torch.testing.assert_close(band[0, 0, 20:40], rising / (rising + rising.flip(0)))


def test_the_network_takes_a_batch_of_tiles_at_once() -> None:
    calls = []

    def forward(images: Tensor) -> Outputs:
        calls.append(tuple(images.shape))
        return pointwise(images)

    tiles(overlap=0.5)(forward, TASK, photo(48, 140))
    assert [shape[0] for shape in calls] == [3, 3, 3, 3]  # 2 rows of 6 tiles
    assert {shape[1:] for shape in calls} == {(3, 32, 40)}


def test_a_smaller_photo_is_padded_and_the_padding_is_cut_off() -> None:
    seen: list[Tensor] = []

    def forward(images: Tensor) -> Outputs:
        seen.append(images)
        return pointwise(images)

    found = tiles()(forward, TASK, image := photo(20, 17))["mask"]
    assert found.shape == (1, 20, 17)
    (tile,) = seen
    assert torch.equal(tile[:, :, :20, :17], image)
    assert (tile[:, :, 20:] == 128).all()
    assert (tile[:, :, :, 17:] == 128).all()


def test_only_a_row_of_tiles_is_held() -> None:
    """Of a photo four times as high, no larger tensor of logits is made."""

    def largest(height: int) -> int:
        sizes = [band.numel() for band in tiles(overlap=0.5).bands(pointwise, photo(height, 80)[0])]
        assert sum(sizes) == 3 * height * 80
        return max(sizes)

    assert largest(800) <= largest(200) <= 3 * 32 * 80
