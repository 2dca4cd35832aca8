import pickle

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import Tensor
from torch.utils.data import DataLoader

from vggexp.boxes import to_edges
from vggexp.data.digits import Digits, splits
from vggexp.errors import ConfigError
from vggexp.types import Batch, Data

ALL = frozenset({"label", "box", "mask"})
FIRST = [[0, 1, 2, 3, 5], [4, 6, 13, 27, 41], [21, 24, 28, 34, 35]]
SIZES = {"train": 1197, "val": 300, "test": 300}


@pytest.fixture(scope="module")
def digits() -> Digits:
    return Digits()


def whole(digits: Digits, split: str) -> Batch:
    (batch,) = DataLoader(digits.split(split, ALL), batch_size=2000)
    return batch


@pytest.fixture(scope="module")
def val(digits: Digits) -> Batch:
    return whole(digits, "val")


def test_it_is_a_data_set(digits: Digits, val: Batch) -> None:
    assert isinstance(digits.info.classes, tuple)
    data: Data = digits
    assert len(data.split("val", frozenset())) == 300  # type: ignore[arg-type]
    assert {key: (value.dtype, tuple(value.shape)) for key, value in val.items()} == {  # type: ignore[attr-defined]
        "image": (torch.uint8, (300, 3, 64, 64)),
        "index": (torch.int64, (300,)),
        "label": (torch.int64, (300,)),
        "box": (torch.float32, (300, 4)),
        "mask": (torch.uint8, (300, 64, 64)),
    }
    assert val["index"].tolist() == list(range(300))


def test_only_what_is_needed_is_handed_over(digits: Digits) -> None:
    assert set(digits.split("val", frozenset({"box"}))[0]) == {"image", "index", "box"}


def test_splits_are_fixed_disjoint_and_stratified() -> None:
    labels = load_digits().target
    parts = splits(labels)
    assert {name: len(part) for name, part in parts.items()} == SIZES
    assert sorted(np.concatenate(list(parts.values()))) == list(range(1797))
    assert [part[:5].tolist() for part in parts.values()] == FIRST
    for part in parts.values():
        share = np.bincount(labels[part], minlength=10) / len(part)
        np.testing.assert_allclose(share, np.bincount(labels) / 1797, atol=0.005)


def test_the_box_encloses_exactly_the_masks_ink_of_the_label(val: Batch) -> None:
    edges = (to_edges(val["box"]) * 64).round().int()
    for label, mask, (left, top, right, bottom) in zip(val["label"], val["mask"], edges.tolist(), strict=True):
        assert mask.unique().tolist() == [0, label + 1]
        ink = mask > 0
        inside = ink[top:bottom, left:right]
        assert inside.sum() == ink.sum()
        assert all(side.any() for side in (inside[0], inside[-1], inside[:, 0], inside[:, -1]))


def test_digits_are_of_the_asked_size_and_stand_out(val: Batch) -> None:
    longest = (val["box"][:, 2:].amax(1) * 64).round()
    assert longest.min() >= 22  # a scan's margin is not ink
    assert longest.max() <= 56
    assert longest.max() - longest.min() > 20
    gray, ink = val["image"].float().mean(1), val["mask"] > 0
    contrast = [abs(float(g[i].mean() - g[~i].mean())) for g, i in zip(gray, ink, strict=True)]
    assert np.quantile(contrast, 0.02) > 30


def test_a_canvas_depends_on_seed_and_digit_alone(val: Batch) -> None:
    again, other = whole(Digits(), "val"), whole(Digits(seed=1), "val")
    assert all(torch.equal(val[key], again[key]) for key in val)  # type: ignore[literal-required]
    assert torch.equal(val["label"], other["label"])
    assert (val["image"] != other["image"]).flatten(1).any(1).all()


def test_batches_and_single_samples_agree(digits: Digits) -> None:
    split = digits.split("test", ALL)
    single, (batched,) = split[5], split.__getitems__([5])  # type: ignore[attr-defined]
    assert all(torch.equal(single[key], batched[key]) for key in single)  # type: ignore[literal-required]
    with pytest.raises(IndexError):
        split[300]


def test_recipes_apply_where_they_should() -> None:
    flip = [{"RandomHorizontalFlip": {"p": 1.0}}]
    digits = Digits(train_transform=flip, eval_transform=[{"Resize": {"size": [32, 32]}}])
    plain, turned = digits.split("val", ALL)[0], digits.split("val", ALL, augment=True)[0]
    assert plain["image"].shape == (3, 32, 32)
    assert turned["image"].shape == (3, 64, 64)
    x, y, h, w = plain["box"]
    torch.testing.assert_close(turned["box"], torch.stack((1 - x - w, y, h, w)))


def test_another_canvas() -> None:
    sample = Digits(canvas=40, size=[20, 30]).split("val", ALL)[3]
    edges = to_edges(sample["box"]) * 40
    ink: Tensor = sample["mask"].nonzero()
    torch.testing.assert_close(edges[[1, 0]], ink.amin(0).float())
    torch.testing.assert_close(edges[[3, 2]], ink.amax(0).float() + 1)


def test_the_listed_labels_are_those_of_the_samples(digits: Digits) -> None:
    split = digits.split("val", frozenset({"label"}))
    assert split.labels == [int(split[index]["label"]) for index in range(len(split))]  # type: ignore[attr-defined, arg-type]
    assert digits.split("val", frozenset({"mask"})).labels is None  # type: ignore[attr-defined]


def test_workers_get_a_copy(digits: Digits) -> None:
    split = digits.split("val", ALL)
    assert torch.equal(pickle.loads(pickle.dumps(split))[7]["image"], split[7]["image"])


@pytest.mark.parametrize("size", [[28], [40, 30], [28, 65], [2, 30]])
def test_sizes_that_cannot_be(size: list[int]) -> None:
    with pytest.raises(ConfigError, match=r"data\.size=.* must be \[least, greatest\]"):
        Digits(size=size)


def test_some_classes_are_numbered_in_the_given_order_on_the_same_canvases(digits: Digits) -> None:
    some, every = Digits(classes=[7, 3]), digits.split("val", ALL)
    assert some.info.classes == ("7", "3")
    assert some.info.mask_classes == ("background", "7", "3")
    kept = [sample for sample in (every[place] for place in range(len(every))) if int(sample["label"]) in (3, 7)]
    split = some.split("val", ALL)
    assert len(split) == len(kept)
    for place, sample in enumerate(kept):
        label = [7, 3].index(int(sample["label"]))
        assert int(split[place]["label"]) == label
        assert torch.equal(split[place]["image"], sample["image"])
        assert set(split[place]["mask"].unique().tolist()) == {0, label + 1}


@pytest.mark.parametrize("classes", [[], [1, 1], [10], ["cat"]])
def test_classes_that_cannot_be(classes: list[int]) -> None:
    with pytest.raises(ConfigError, match=r"data\.classes="):
        Digits(classes=classes)
