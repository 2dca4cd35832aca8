"""OverFeat's evaluation by hand: windows to places in the photo, maxima, evidence, and the class of the merged box."""

from typing import Any

import torch
from torch import Tensor

from vggexp.boxes import to_edges
from vggexp.task.evaluation.overfeat import OverFeat
from vggexp.task.evaluation.trace import draw


class Spoken:
    """A task whose outputs are predictions already."""

    def predict(self, outputs: Any) -> Any:
        return {"probability": outputs.softmax(1)} if isinstance(outputs, Tensor) else outputs


PHOTO = torch.zeros(1, 3, 64, 64, dtype=torch.uint8)
# Windows of 32 at (top, left): the first two see one object at (16, 16, 32, 32) of the photo, the third another.
PLACES = torch.tensor([[0, 0], [16, 16], [32, 0]])
BOXES = torch.tensor([[0.5, 0.5, 0.5, 0.5], [0.0, 0.0, 0.5, 0.5], [0.0, 0.5, 0.5, 0.25]])  # (x, y, h, w)
PROBABILITY = torch.tensor([[0.5, 0.3, 0.2], [0.4, 0.5, 0.1], [0.1, 0.3, 0.6]])


def run(boxes: dict[str, Tensor], **words: Any) -> dict[str, Tensor]:
    def windows(images: Tensor) -> tuple[Tensor, Any]:
        return PLACES, {"probability": PROBABILITY, **boxes}

    words = {"sides": [64], "flip": False, **words}
    return OverFeat([32, 32], windows, **words)(None, Spoken(), PHOTO)  # type: ignore[arg-type]


def test_boxes_of_windows_are_merged_and_the_evidence_says_the_class() -> None:
    """The third window alone says 0.6 for class 2; the two that agree say 0.9 for class 0, and win."""
    found = run({"box": BOXES})
    assert found["label"].tolist() == [0]
    torch.testing.assert_close(to_edges(found["box"]), torch.tensor([[0.25, 0.25, 0.5, 0.5]]))
    torch.testing.assert_close(found["probability"], torch.tensor([[0.9, 0.8, 0.6]]) / 2.3)
    assert found["box_per_class"].shape == (1, 3, 4)
    torch.testing.assert_close(to_edges(found["box_per_class"][0, 2]), torch.tensor([0.0, 0.75, 0.125, 1.0]))


def test_only_the_top_classes_of_a_scale_count() -> None:
    """The highest maximum is class 2's, 0.6; the others have no evidence, and the winner's box."""
    found = run({"box": BOXES}, top=1)
    assert found["label"].tolist() == [2]
    torch.testing.assert_close(found["probability"], torch.tensor([[0.0, 0.0, 1.0]]))
    assert (found["box_per_class"][0] == found["box"]).all()


def test_boxes_of_each_class_are_merged_by_themselves() -> None:
    """Class 1's boxes lie apart from each other, so its evidence is 0.5 at most; class 0's agree."""
    per_class = BOXES[:, None].repeat(1, 3, 1)
    per_class[0, 1], per_class[1, 1] = torch.tensor([0.0, 0.0, 0.1, 0.1]), torch.tensor([0.9, 0.9, 0.1, 0.1])
    found = run({"box_per_class": per_class, "box": BOXES})
    assert found["label"].tolist() == [0]
    torch.testing.assert_close(found["probability"], torch.tensor([[0.9, 0.5, 0.6]]) / 2.0)


def test_a_mirrored_photo_s_boxes_are_turned_back() -> None:
    def windows(images: Tensor) -> tuple[Tensor, Any]:
        left = 0 if bool(images[0, 0, 0, 0]) else 32  # the window over the bright side
        return torch.tensor([[0, left]]), {"probability": torch.tensor([[1.0, 0.0]]), "box": torch.tensor(
            [[0.25 if left == 0 else 0.5, 0.0, 0.5, 0.25]])}  # fmt: skip

    photo = PHOTO.clone()
    photo[..., :32] = 255
    found = OverFeat([32, 32], windows, sides=[64])(None, Spoken(), photo)  # type: ignore[arg-type]
    torch.testing.assert_close(to_edges(found["box"]), torch.tensor([[0.125, 0.0, 0.25, 0.25]]))
    torch.testing.assert_close(found["probability"], torch.tensor([[1.0, 0.0]]))


def test_a_classifier_alone_averages_the_maxima_of_the_scales() -> None:
    def windows(images: Tensor) -> tuple[Tensor, Any]:
        probability = torch.tensor([[0.5, 0.5], [0.1, 0.9]]) if images.shape[-1] == 64 else torch.tensor([[0.8, 0.2]])
        return torch.zeros(len(probability), 2, dtype=torch.int64), probability.log()

    found = OverFeat([32, 32], windows, sides=[64, 80], flip=False)(None, Spoken(), PHOTO)  # type: ignore[arg-type]
    mean = torch.tensor([[(0.5 + 0.8) / 2, (0.9 + 0.2) / 2]])
    torch.testing.assert_close(found["probability"], mean / mean.sum())


def test_the_picture_has_windows_boxes_and_the_merged_one_side_by_side() -> None:
    found = run({"box": BOXES})
    values = {name: value[0] for name, value in found.items()}
    plain = torch.full((3, 210, 192), 9, dtype=torch.uint8)
    picture = draw(lambda image, values: plain, PHOTO[0], values)
    assert picture.shape == (3, 210, 3 * 192 + 12)
    assert torch.equal(picture[..., -192:], plain)
    left, middle = picture[:, :192, :192], picture[:, :192, 198:390]
    assert left.any()
    assert middle.any()
    assert not torch.equal(left, middle)
    del values["trace"]
    assert torch.equal(draw(lambda image, values: plain, PHOTO[0], values), plain)


def test_default_sides_are_the_paper_s_six() -> None:
    assert OverFeat([221, 221], lambda images: (images, images)).sides == (245, 281, 317, 389, 425, 461)
