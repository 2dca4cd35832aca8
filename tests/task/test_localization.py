import pytest
import torch

from vggexp import boxes
from vggexp.errors import ConfigError
from vggexp.loss.giou import GIoU
from vggexp.loss.squared_box import SquaredBox
from vggexp.task.localization import Localization
from vggexp.types import Batch, DataInfo

INFO = DataInfo(("cat", "dog", "eel"), ())
FORMATS: list[boxes.Format] = ["corner", "center"]


def batch() -> Batch:
    torch.manual_seed(0)
    return {
        "image": torch.zeros(5, 3, 4, 4, dtype=torch.uint8),
        "index": torch.arange(5),
        "box": torch.rand(5, 4) / 2,
        "label": torch.arange(5) % 3,
    }


@pytest.mark.parametrize("format", FORMATS)
def test_squared_loss_is_in_the_tasks_format(format: boxes.Format) -> None:
    outputs = torch.rand(5, 4)
    y = boxes.convert(batch()["box"], "corner", format)
    expected = (y - outputs).square().sum() / 10
    torch.testing.assert_close(Localization(INFO, SquaredBox(), format).loss(outputs, batch())["loss"], expected)


@pytest.mark.parametrize("format", FORMATS)
def test_overlap_loss_does_not_depend_on_the_format(format: boxes.Format) -> None:
    corner = torch.rand(5, 4)
    outputs = boxes.convert(corner, "corner", format)
    expected = GIoU()(corner, batch()["box"])
    torch.testing.assert_close(Localization(INFO, GIoU(), format).loss(outputs, batch())["loss"], expected)


def test_predicts_in_corner_format() -> None:
    box = Localization(INFO, SquaredBox(), "center").predict(torch.tensor([[0.5, 0.4, 0.2, 0.6]]))["box"]
    torch.testing.assert_close(box, torch.tensor([[0.2, 0.3, 0.2, 0.6]]))


@pytest.mark.parametrize("format", FORMATS)
def test_one_box_a_class_is_judged_by_the_true_class(format: boxes.Format) -> None:
    task, truth = Localization(INFO, SquaredBox(), format), batch()
    outputs = torch.rand(5, 3, 4)
    chosen = torch.stack([outputs[n, int(truth["label"][n])] for n in range(5)])
    assert task.loss(outputs, truth)["loss"] == task.loss(chosen, truth)["loss"]
    prediction = task.predict(outputs)
    assert prediction.keys() == {"box_per_class"}
    one, many = task.metrics(), task.metrics()
    one.update(task.predict(chosen), truth)
    many.update(prediction, truth)
    assert one.compute() == many.compute()


def test_one_box_a_class_needs_labels() -> None:
    truth = batch()
    del truth["label"]
    with pytest.raises(ConfigError, match=r"task.needs=\[box,label\]"):
        Localization(INFO, SquaredBox()).loss(torch.rand(5, 3, 4), truth)


def test_the_baseline_is_the_mean_box_and_minimises_the_loss() -> None:
    task, truth = Localization(INFO, SquaredBox()), batch()
    task.observe(truth)
    baseline = task.baseline(truth)["box"]
    torch.testing.assert_close(baseline, truth["box"].mean(0).expand(5, 4))
    best = task.loss(baseline, truth)["loss"]
    assert all(task.loss(baseline + 0.01 * torch.randn(4), truth)["loss"] > best for _ in range(20))


def test_unknown_format_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"task.format is 'xywh'; choose from: corner, center"):
        Localization(INFO, SquaredBox(), "xywh")  # type: ignore[arg-type]


def test_draws_the_box_if_there_is_one() -> None:
    task, image = Localization(INFO, SquaredBox()), torch.zeros(3, 200, 200, dtype=torch.uint8)
    assert task.draw(image, {"box": torch.tensor([0.1, 0.1, 0.5, 0.5])}).any()
    assert torch.equal(task.draw(image, {"box_per_class": torch.rand(3, 4)}), image)
