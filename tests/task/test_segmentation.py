import pytest
import torch

from vggexp.errors import DataError
from vggexp.loss.cross_entropy import CrossEntropy
from vggexp.task.segmentation import Segmentation
from vggexp.types import VOID, Batch, DataInfo

INFO = DataInfo(("cat",), ("ground", "animal", "edge"))


def masks(*images: list[list[int]]) -> Batch:
    mask = torch.tensor(images, dtype=torch.uint8)
    return {
        "image": torch.zeros(len(mask), 3, *mask.shape[1:], dtype=torch.uint8),
        "index": torch.arange(7, 7 + len(mask)),
        "mask": mask,
    }


FIRST = [[0, 0, 0, 0, 0, 0, VOID, VOID]]
SECOND = [[0, 0, 0, 0, 1, 1, 1, 2]]
THIRD = [[1, 1, 1, 1, 1, 0, 0, 0]]


def observed(*images: list[list[int]], loss: CrossEntropy | None = None) -> Segmentation:
    task = Segmentation(INFO, loss or CrossEntropy())
    for image in images:
        task.observe(masks(image))
    task.finish_observing()
    return task


def test_median_frequency_by_hand() -> None:
    """Class 0: 13 of 24 pixels; class 1: 8 of the 16 in the images that have it; class 2: 1 of 8. Void is no class."""
    loss = CrossEntropy(class_weight="median_frequency")
    observed(FIRST, SECOND, THIRD, loss=loss)
    assert loss.weight is not None
    torch.testing.assert_close(loss.weight, torch.tensor([0.5 / (13 / 24), 1.0, 0.5 / (1 / 8)]))


def test_a_checkpoint_brings_the_balance() -> None:
    task = observed(FIRST, SECOND, loss=CrossEntropy(class_weight="median_frequency"))
    loss = CrossEntropy(class_weight="median_frequency")
    assert Segmentation(INFO, loss).load_state_dict(task.state_dict()).missing_keys == []
    assert loss.weight is not None
    assert torch.equal(loss.weight, task.criterion.weight)


def test_the_baseline_is_the_most_frequent_class() -> None:
    baseline = observed(THIRD, SECOND).baseline(masks(FIRST, FIRST))["mask"]
    assert baseline.shape == (2, 1, 8)
    assert baseline.dtype == torch.uint8
    assert (baseline == 1).all()


def test_never_predicts_void() -> None:
    task = observed(SECOND)
    assert task.predict(torch.randn(2, 3, 4, 4))["mask"].max() <= 2


def test_class_without_a_pixel_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    observed(FIRST, THIRD)
    assert capsys.readouterr().err == "vggexp: data: pixel class 'edge' never occurs in the training split\n"


def test_data_without_pixel_classes_is_an_error() -> None:
    with pytest.raises(DataError, match="names no pixel classes"):
        Segmentation(DataInfo(("cat",), ()), CrossEntropy())


def test_observing_in_inference_mode_still_trains() -> None:
    """As the train command does: no inference tensor may end up where a gradient passes."""
    task = Segmentation(INFO, CrossEntropy(class_weight="median_frequency"))
    with torch.inference_mode():
        task.observe(masks(SECOND))
        task.observe(masks(THIRD))
    task.finish_observing()
    logits = torch.randn(1, 3, 1, 8, requires_grad=True)
    task.loss(logits, masks(SECOND))["loss"].backward()
    assert logits.grad is not None
