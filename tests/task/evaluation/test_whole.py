"""Test-time augmentation: what is averaged, and that a mirrored view counts as one of the image itself."""

import pytest
import torch
from torch import Tensor, nn

from vggexp.loss.cross_entropy import CrossEntropy
from vggexp.loss.squared_box import SquaredBox
from vggexp.task.classification import Classification
from vggexp.task.evaluation.whole import Whole
from vggexp.task.localization import Localization
from vggexp.task.segmentation import Segmentation
from vggexp.types import AveragesViews, DataInfo, Task

INFO = DataInfo(("a", "b", "c"), ("background", "a"))


def tasks() -> dict[str, Task]:
    return {
        "classification": Classification(INFO, CrossEntropy()),
        "segmentation": Segmentation(INFO, CrossEntropy()),
        "corner": Localization(INFO, SquaredBox()),
        "center": Localization(INFO, SquaredBox(), format="center"),
    }


def images(width: int = 24) -> Tensor:
    return torch.randint(0, 256, (2, 3, 16, width), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def classify(seen: Tensor) -> Tensor:
    """Logits that depend on the left half alone, so a mirrored image has others."""
    return seen[..., : seen.shape[-1] // 2].float().mean((-1, -2)) / 20


def segment(seen: Tensor) -> Tensor:
    return torch.stack([seen[:, 0], seen.roll(1, -1)[:, 1]], 1).float() / 50


def locate(seen: Tensor) -> Tensor:
    """The box of what is white, as corner or centre."""
    found = []
    for image in seen:
        rows, columns = (image[0] == 255).nonzero(as_tuple=True)
        h, w = float(rows.max() + 1 - rows.min()), float(columns.max() + 1 - columns.min())
        y, x = float(rows.min()), float(columns.min())
        height, width = image.shape[-2:]
        found.append([x / width, y / height, h / height, w / width])
    return torch.tensor(found)


def centered(seen: Tensor) -> Tensor:
    x, y, h, w = locate(seen).unbind(-1)
    return torch.stack((x + w / 2, y + h / 2, h, w), -1)


@pytest.mark.parametrize("name", ["classification", "segmentation", "corner", "center"])
def test_every_task_averages_views(name: str) -> None:
    assert isinstance(tasks()[name], AveragesViews)


def test_the_mean_of_probabilities_of_an_image_and_its_mirror_image() -> None:
    seen = images()
    found = Whole(flip=True)(classify, tasks()["classification"], seen)["probability"]
    expected = (classify(seen).softmax(1) + classify(seen.flip(-1)).softmax(1)) / 2
    torch.testing.assert_close(found, expected)
    assert (found - classify(seen).softmax(1)).abs().max() > 0.01


def test_pixels_of_the_mirror_image_are_mirrored_back() -> None:
    seen, task = images(), tasks()["segmentation"]
    outputs = Whole(flip=True).outputs(segment, task, seen)
    expected = (segment(seen).softmax(1) + segment(seen.flip(-1)).flip(-1).softmax(1)) / 2
    torch.testing.assert_close(outputs.softmax(1), expected)  # type: ignore[union-attr]
    assert torch.equal(task.predict(outputs)["mask"], expected.argmax(1).to(torch.uint8))
    loss = task.loss(outputs, {"mask": torch.zeros(2, 16, 24, dtype=torch.uint8)})["loss"]
    torch.testing.assert_close(loss, -expected[:, 0].log().mean())


@pytest.mark.parametrize("name", ["corner", "center"])
def test_a_mirrored_box_lies_where_the_object_is(name: str) -> None:
    seen = torch.zeros(2, 3, 16, 24, dtype=torch.uint8)
    seen[0, :, 2:9, 3:8], seen[1, :, 5:6, 20:24] = 255, 255
    forward = locate if name == "corner" else centered
    found = Whole(flip=True)(forward, tasks()[name], seen)["box"]
    torch.testing.assert_close(found, locate(seen))


def test_a_box_for_each_class_is_mirrored_too() -> None:
    box = torch.tensor([[[0.1, 0.2, 0.3, 0.4], [0.5, 0.0, 1.0, 0.5]]])
    mirrored = tasks()["corner"].mirrored(box)  # type: ignore[attr-defined]
    torch.testing.assert_close(mirrored, torch.tensor([[[0.5, 0.2, 0.3, 0.4], [0.0, 0.0, 1.0, 0.5]]]))


def test_views_of_other_scales_come_back_at_the_images_size() -> None:
    sizes: list[tuple[int, ...]] = []

    def forward(seen: Tensor) -> Tensor:
        sizes.append(tuple(seen.shape[-2:]))
        return nn.functional.avg_pool2d(segment(seen), 3, 1, 1)

    found = Whole(flip=True, scales=[0.5, 1.0, 1.5])(forward, tasks()["segmentation"], images(25))["mask"]
    assert sizes == [(8, 12), (8, 12), (16, 25), (16, 25), (24, 38), (24, 38)]
    assert found.shape == (2, 16, 25)


def test_a_smooth_image_is_the_same_at_every_scale() -> None:
    ramp = torch.linspace(0, 255, 64).expand(1, 3, 64, 64).to(torch.uint8)

    def forward(seen: Tensor) -> Tensor:
        return torch.stack([seen[:, 0], 255.0 - seen[:, 0]], 1) / 50

    one = Whole().outputs(forward, tasks()["segmentation"], ramp).softmax(1)  # type: ignore[union-attr]
    several = Whole(scales=[0.5, 2.0]).outputs(forward, tasks()["segmentation"], ramp).softmax(1)  # type: ignore[union-attr]
    assert (one - several).abs()[..., 2:-2].max() < 0.02  # not moved by half a pixel, which would be 0.04


def test_without_a_view_more_nothing_changes() -> None:
    assert not Whole().averages
    seen = images()
    assert torch.equal(Whole().outputs(segment, tasks()["segmentation"], seen), segment(seen))  # type: ignore[arg-type]
