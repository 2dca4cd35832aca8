"""Decoding at a smaller scale: only where nothing is lost, and boxes with it."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import v2

from vggexp.boxes import to_edges
from vggexp.data.pets import Pets
from vggexp.errors import DataError
from vggexp.sample import image as images
from vggexp.sample.decode_scale import _smallest_crop, shrink_factor
from vggexp.sample.files import Files, scaled
from vggexp.sample.fit import Fit
from vggexp.sample.image import read_shrunk, shrunk_size
from vggexp.sample.transform import Transform

REAL = Path(os.environ.get("VGGEXP_DATA", Path(__file__).parents[3] / "shared" / "data" / "pets"))
BOX, MASK = frozenset({"box"}), frozenset({"mask"})
EVALUATION: list[Any] = [{"Resize": {"size": [96, 96]}}]
TRAINING: list[Any] = [{"RandomResizedCrop": {"size": [96, 96], "scale": [0.7, 1.0]}}, "RandomHorizontalFlip"]


@pytest.mark.parametrize(
    ("step", "size", "factor"),
    [
        (v2.Resize([224, 224]), (448, 900), 2),
        (v2.Resize([224, 224]), (447, 900), 1),
        (v2.Resize([56, 56]), (448, 448), 8),
        (v2.Resize(224), (960, 1280), 4),  # the shorter side becomes 224
        (v2.Resize([224, 224], interpolation=v2.InterpolationMode.NEAREST), (900, 900), 1),
        (v2.Resize([224, 224], antialias=False), (900, 900), 1),
        (v2.RandomResizedCrop([224, 224], scale=(1.0, 1.0), ratio=(1.0, 1.0)), (448, 448), 2),
        (v2.RandomResizedCrop([224, 224], scale=(0.25, 1.0), ratio=(1.0, 1.0)), (448, 448), 1),
        (v2.RandomResizedCrop([224, 224], scale=(0.25, 1.0), ratio=(1.0, 1.0)), (896, 896), 2),
        (v2.CenterCrop([224, 224]), (900, 900), 1),
        (Fit([224, 224], "letterbox"), (448, 200), 2),  # the longer side becomes 224
        (Fit([224, 224], "letterbox"), (447, 447), 1),
        (Fit([224, 112], "letterbox"), (300, 448), 4),
        (Fit([224, 224], "crop"), (900, 448), 2),  # the shorter side becomes 224
        (Fit([224, 224], "crop"), (900, 447), 1),
        (Fit([224, 224], "letterbox", scale=[0.25, 1.0]), (1035, 1035), 2),  # 448 are left of a drawn part
        (Fit([224, 224], "letterbox", scale=[0.25, 1.0]), (1030, 1030), 1),
        (Fit([224, 224], "crop", interpolation="nearest"), (900, 900), 1),
        (v2.RandomHorizontalFlip(), (900, 900), 1),
        (None, (900, 900), 1),
    ],
)
def test_the_first_step_never_meets_fewer_pixels_than_it_gives(
    step: v2.Transform | None, size: tuple[int, int], factor: int
) -> None:
    assert shrink_factor(step, *size) == factor


@pytest.mark.parametrize("size", [(100, 100), (60, 300), (300, 60), (90, 110)])
def test_no_drawn_crop_is_smaller_than_foreseen(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    crop = v2.RandomResizedCrop([10, 10], scale=(0.3, 0.6), ratio=(0.5, 3.0))
    drawn = [crop.make_params([torch.empty(3, *size)]) for _ in range(300)]
    height, width = _smallest_crop(crop, *size)
    assert min(each["height"] for each in drawn) >= height - 0.5
    assert min(each["width"] for each in drawn) >= width - 0.5
    assert min(each["width"] for each in drawn) <= width * 1.3 + 1  # and it is no idle bound


def test_recipes_without_a_first_step_that_shrinks_decode_whole() -> None:
    assert Transform([]).shrink(900, 900) == 1
    assert Transform([{"Resize": {"size": [100, 100]}}]).shrink(900, 900) == 8
    # the training recipe may fall back on the evaluation recipe, which needs more
    assert Transform([{"Resize": {"size": [100, 100]}}], [{"Resize": {"size": [400, 400]}}]).shrink(900, 900) == 2


@pytest.mark.parametrize("factor", [1, 2, 4, 8])
@pytest.mark.parametrize(("mode", "format"), [("RGB", "JPEG"), ("L", "JPEG"), ("CMYK", "JPEG"), ("RGB", "PNG")])
def test_every_decoder_gives_the_same_pixels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str, format: str, factor: int
) -> None:
    ramp = np.linspace(0, 255, 51 * 37 * 3).reshape(37, 51, 3).astype(np.uint8)
    path = tmp_path / "a.jpg"
    Image.fromarray(ramp).convert(mode).save(path, format)
    photo = read_shrunk(path, lambda *_: factor)
    found, size = photo.image, photo.size
    divisor = factor if format == "JPEG" else 1
    assert size == (37, 51)
    assert found.shape == (3, -(-37 // divisor), -(-51 // divisor)) == (3, *shrunk_size(path, lambda *_: factor))
    monkeypatch.setattr(images, "HAS_SIMPLEJPEG", False)
    photo = read_shrunk(path, lambda *_: factor)
    again, size = photo.image, photo.size
    assert size == (37, 51)
    assert torch.equal(found, again)


def test_a_truncated_file_is_named_at_any_scale(tmp_path: Path) -> None:
    path = tmp_path / "cut.jpg"
    Image.fromarray(np.full((64, 64, 3), 90, np.uint8)).save(path, "JPEG")
    path.write_bytes(path.read_bytes()[:-60])
    for factor in (1, 2):
        with pytest.raises(DataError, match=r"cut\.jpg is truncated or not an image"):
            read_shrunk(path, lambda *_, factor=factor: factor)


def both(root: Path, needs: frozenset[str], **arguments: Any) -> tuple[Files, Files]:
    """A training split decoded at the scale that will do, and whole."""
    recipes = {"train_transform": TRAINING, "eval_transform": EVALUATION, **arguments}
    scaled, whole = (Pets(str(root), decode_scale=scale, **recipes) for scale in (True, False))
    return scaled.split("train", needs), whole.split("train", needs)


@pytest.mark.slow
@pytest.mark.parametrize("box", ["head", "body"])
def test_a_box_is_scaled_with_its_image(box: str, tree: Any) -> None:
    small: list[Any] = [{"Resize": {"size": [6, 8]}}]
    scaled, whole = both(tree.root, BOX, eval_transform=small, box=box)
    assert [scaled.shrink(24, 32), whole.shrink(24, 32)] == [4, 1]
    for one, other in zip(scaled, whole, strict=True):  # type: ignore[call-overload]
        torch.testing.assert_close(one["box"], other["box"], rtol=0, atol=1e-6)
        edges = to_edges(one["box"]) * torch.tensor([tree.width, tree.height] * 2)
        assert edges.round().tolist() == list(getattr(tree, box))


def test_beside_a_mask_images_are_decoded_whole(tree: Any) -> None:
    small: list[Any] = [{"Resize": {"size": [6, 8]}}]
    for needs, box in ((MASK, "head"), (MASK | BOX, "body")):
        scaled, whole = both(tree.root, needs, eval_transform=small, box=box)
        assert scaled.shrink(24, 32) == 1
        assert all(torch.equal(a[key], b[key]) for a, b in zip(scaled, whole, strict=True) for key in a)  # type: ignore[call-overload]


@pytest.mark.parametrize(("size", "factor"), [((375, 501), 2), ((505, 377), 8), ((251, 250), 4)])
def test_a_box_lies_where_the_decoder_left_its_object(tmp_path: Path, size: tuple[int, int], factor: int) -> None:
    """The last decoded pixel of an odd side shows less than ``factor`` pixels, so the sides' ratio is not the scale."""
    box = torch.tensor([size[1] - 60, size[0] - 80, size[1] - 20, size[0] - 30])  # far from the origin
    pixels = np.zeros((*size, 3), np.uint8)
    pixels[box[1] : box[3], box[0] : box[2]] = 255
    path = tmp_path / "a.jpg"
    Image.fromarray(pixels).save(path, quality=100, subsampling=0)
    photo = read_shrunk(path, lambda *_: factor)
    image, stored = photo.image, photo.size
    edges, mass = scaled(box.float(), stored, image), image[0].double() / image[0].sum()
    for axis, first in ((0, 0), (1, 1)):  # x, y
        weights = mass.sum(axis)
        centre = float((weights * (torch.arange(len(weights)) + 0.5)).sum())
        assert float(edges[first] + edges[first + 2]) / 2 == pytest.approx(centre, abs=0.05)


@pytest.mark.skipif(not (REAL / "oxford-iiit-pet").is_dir(), reason="the real photos are not here")
class TestReal:
    def test_what_comes_out_is_close_to_a_whole_decode(self) -> None:
        scaled, whole = both(REAL, BOX)
        differences = []
        for index in range(0, len(scaled), 4):
            one, other = scaled[index], whole[index]
            # An odd side is decoded with up to a pixel more than its share: image and box shrink together by it.
            torch.testing.assert_close(one["box"], other["box"], rtol=0, atol=1 / 96)
            differences.append(float((one["image"].int() - other["image"].int()).abs().float().mean()))
        assert sum(difference > 0 for difference in differences) > 20  # it did decode smaller
        assert np.mean(differences) < 2.0
        assert max(differences) < 5.0

    def test_an_augmented_crop_sees_the_same_part(self) -> None:
        scaled, whole = (
            Files(files.reader, Transform(TRAINING, EVALUATION), files.scales) for files in both(REAL, BOX)
        )
        differences = []
        for index in range(0, len(scaled), 8):
            if scaled.shrink(*read_shrunk(scaled.reader.files(index)[0], lambda *_: 1).size) == 1:
                continue
            torch.manual_seed(index)
            one = scaled[index]
            torch.manual_seed(index)
            other = whole[index]
            torch.testing.assert_close(one["box"], other["box"], rtol=0, atol=0.02)
            differences.append(float((one["image"].int() - other["image"].int()).abs().float().mean()))
        print("augmented", np.mean(differences), np.max(differences), len(differences))
        assert len(differences) > 5
        assert np.mean(differences) < 6.0
