import math
from collections import Counter
from pathlib import Path

import pytest
import torch
import torch.multiprocessing as mp
from sklearn.metrics import confusion_matrix, f1_score, jaccard_score, recall_score
from torch import Tensor, distributed
from torchmetrics.classification import MulticlassF1Score, MulticlassJaccardIndex

from vggexp.errors import DataError
from vggexp.task.metric.counts import confusion
from vggexp.task.metric.segmentation import SegmentationMetrics
from vggexp.types import VOID

NAMES = tuple("abcdef")
CLASSES = len(NAMES)


def data(images: int = 5, size: tuple[int, int] = (6, 7)) -> tuple[Tensor, Tensor]:
    """Class 4 never occurs; class 2 is only predicted, class 5 never; image 1 has one class, image 2 only void."""
    generator = torch.Generator().manual_seed(0)
    truth = torch.randint(0, CLASSES, (images, *size), generator=generator, dtype=torch.uint8)
    prediction = torch.randint(0, CLASSES, (images, *size), generator=generator, dtype=torch.uint8)
    prediction = torch.where(torch.rand(truth.shape, generator=generator) < 0.6, truth, prediction)
    truth[(truth == 2) | (truth == 4)] = 0
    prediction[(prediction == 4) | (prediction == 5)] = 1
    truth[:, 0, :3] = VOID
    prediction[:, 0, 0] = 4  # on void: must not bring class 4 into being
    truth[1] = prediction[1] = 3
    truth[2] = VOID
    return prediction, truth


def scores(*parts: tuple[Tensor, Tensor]) -> dict[str, float]:
    metrics = SegmentationMetrics(NAMES)
    for prediction, truth in parts:
        metrics.update({"mask": prediction}, {"mask": truth})
    return {name: float(value) for name, value in metrics.compute().items()}


def test_confusion_agrees_with_sklearn_image_by_image() -> None:
    prediction, truth = data()
    counts = confusion(prediction, truth, CLASSES)
    for n in (0, 1, 3, 4):
        keep = truth[n] != VOID
        expected = confusion_matrix(truth[n][keep], prediction[n][keep], labels=range(CLASSES))
        assert counts[n].tolist() == expected.tolist()
    assert counts[2].sum() == 0


def test_pooled_scores_agree_with_sklearn() -> None:
    prediction, truth = data()
    found = scores((prediction, truth))
    keep = truth != VOID
    y, p = truth[keep], prediction[keep]
    assert found["miou"] == pytest.approx(jaccard_score(y, p, average="macro"))
    assert found["mdice"] == pytest.approx(f1_score(y, p, average="macro"))
    assert found["pixel_accuracy"] == pytest.approx(float((y == p).float().mean()))
    occurring = sorted(set(y.tolist()))
    assert found["class_accuracy"] == pytest.approx(recall_score(y, p, average="macro", labels=occurring))
    dice = f1_score(y, p, average=None, labels=range(CLASSES), zero_division=math.nan)
    assert [found[f"dice/{name}"] for name in NAMES] == pytest.approx(list(dice), nan_ok=True)
    iou = [d / (2 - d) for d in dice]
    assert [found[f"iou/{name}"] for name in NAMES] == pytest.approx(iou, nan_ok=True)
    assert math.isnan(found["iou/e"])
    assert found["iou/c"] == found["iou/f"] == 0


def test_pooled_scores_agree_with_torchmetrics() -> None:
    prediction, truth = data()
    found = scores((prediction, truth))
    pair = prediction.long(), truth.long()
    jaccard = MulticlassJaccardIndex(CLASSES, ignore_index=VOID, average="macro")(*pair)
    dice = MulticlassF1Score(CLASSES, ignore_index=VOID, average="macro")(*pair)
    assert found["miou"] == pytest.approx(float(jaccard))
    assert found["mdice"] == pytest.approx(float(dice))


def test_means_over_images_agree_with_loops() -> None:
    prediction, truth = data()
    ious, dices = [], []
    for image in range(len(truth)):
        both: Counter[int] = Counter()
        y, p = Counter[int](), Counter[int]()
        for t, guess in zip(truth[image].flatten().tolist(), prediction[image].flatten().tolist(), strict=True):
            if t != VOID:
                y[t] += 1
                p[guess] += 1
                both[t] += t == guess
        present = set(y) | set(p)
        if present:
            ious.append(sum(both[c] / (y[c] + p[c] - both[c]) for c in present) / len(present))
            dices.append(sum(2 * both[c] / (y[c] + p[c]) for c in present) / len(present))
    found = scores((prediction, truth))
    assert len(ious) == 4  # the image of nothing but void has no score
    assert found["miou_image"] == pytest.approx(sum(ious) / 4)
    assert found["mdice_image"] == pytest.approx(sum(dices) / 4)


def test_pooled_is_not_the_mean_over_images() -> None:
    """One image of 99 right pixels and one wrong, one of a single class that is missed at 1 pixel of 2."""
    truth = torch.zeros(2, 10, 10, dtype=torch.uint8)
    prediction = truth.clone()
    truth[0, 0, 0] = 1  # one missed pixel of a small class: IoU 0 in this image
    truth[1, 0], prediction[1, 0] = 1, 1
    found = scores((prediction, truth))
    assert found["miou"] == pytest.approx((189 / 190 + 10 / 11) / 2)
    assert found["miou_image"] == pytest.approx(((99 / 100 + 0) / 2 + 1) / 2, abs=1e-6)
    assert found["miou"] - found["miou_image"] > 0.15


def test_batches_of_different_sizes_are_one_data_set() -> None:
    prediction, truth = data()
    wide, wide_truth = data(images=3, size=(4, 11))
    one_by_one = [(p[None], t[None]) for p, t in [*zip(prediction, truth), *zip(wide, wide_truth)]]  # noqa: B905
    assert scores(*one_by_one) == pytest.approx(scores((prediction, truth), (wide, wide_truth)), nan_ok=True)


def test_counts_stay_exact_where_float32_would_not() -> None:
    metrics = SegmentationMetrics(NAMES)
    metrics.counts[0, 0] = 2**24
    metrics.update({"mask": torch.zeros(1, 1, 1).byte()}, {"mask": torch.zeros(1, 1, 1).byte()})
    assert metrics.counts[0, 0] == 2**24 + 1
    assert metrics.image_total.dtype == torch.float64


def test_unnamed_label_is_an_error() -> None:
    """Not counted as the next image's first class, which is what a bare bincount would do."""
    truth = torch.zeros(2, 3, 3, dtype=torch.uint8)
    truth[0, 1, 1] = 9
    with pytest.raises(DataError, match="mask label 9 is none of the 6 classes"):
        confusion(torch.zeros_like(truth), truth, CLASSES)


def _rank(rank: int, folder: Path) -> None:
    distributed.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
    prediction, truth = data()
    mine = slice(0, 2) if rank == 0 else slice(2, None)
    torch.save(scores((prediction[mine], truth[mine])), folder / f"{rank}.pt")
    distributed.destroy_process_group()


@pytest.mark.slow
def test_two_processes_are_one(tmp_path: Path) -> None:
    mp.spawn(_rank, (tmp_path,), nprocs=2)
    for rank in range(2):
        assert torch.load(tmp_path / f"{rank}.pt") == pytest.approx(scores(data()), nan_ok=True)


def test_merged_states_are_one() -> None:
    """What two ranks would add up, without the processes."""
    prediction, truth = data()
    halves = []
    for part in (slice(0, 2), slice(2, None)):
        metrics = SegmentationMetrics(NAMES)
        metrics.update({"mask": prediction[part]}, {"mask": truth[part]})
        halves.append(metrics)
    halves[0].merge_state(halves[1])
    found = {name: float(value) for name, value in halves[0].compute().items()}
    assert found == pytest.approx(scores((prediction, truth)), nan_ok=True)
