"""A data set of one's own with one fault each: one line that names the sample and the value, before the first epoch."""

import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import Dataset

from vggexp.errors import DataError, one_line
from vggexp.sample.data_contract import check_data
from vggexp.trainer.splits import Splits
from vggexp.types import DataInfo

SIZE = 4
NEEDS = ["label", "box", "mask"]
CONFIG: dict[str, Any] = {
    "seed": 0, "baseline": True, "test": True, "trainer": {"gpus": 0, "accumulate": 1}, "head": {"gives": "any"},
    "backbone": {},
    "task": {"needs": NEEDS},
    "data": {"batch_size": 3, "workers": 0, "train_transform": [], "eval_transform": [], "image_size": [SIZE, SIZE]},
}  # fmt: skip


class Split(Dataset[Any]):
    """Seven good samples, each changed as ``fault`` says."""

    def __init__(self, fault: Callable[[dict[str, Any], int], Any], size: int) -> None:
        self.fault, self.size = fault, size

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> Any:
        if index >= 7:
            raise IndexError("list index out of range")
        sample = {
            "image": torch.zeros(3, SIZE, SIZE, dtype=torch.uint8),
            "index": index,
            "label": index % 2,
            "box": torch.tensor([0.25, 0.25, 0.5, 0.5]),
            "mask": torch.full((SIZE, SIZE), index % 2, dtype=torch.uint8),
        }
        changed = self.fault(sample, index)
        return sample if changed is None else changed


class Own:
    """What a user writes."""

    def __init__(self, fault: Any = lambda sample, index: None, split: str = "train", size: int = 7, **info: Any):
        self.info: Any = DataInfo(**{"classes": ("cat", "dog"), "mask_classes": ("sky", "road"), **info})
        self.fault, self.faulty, self.size = fault, split, size

    def split(self, name: str, needs: frozenset[str], *, augment: bool = False) -> Any:
        faulty = name == self.faulty
        return Split(self.fault if faulty else lambda sample, index: None, self.size if faulty else 7)


class Seen:
    """A task that learns nothing."""

    def observe(self, batch: Any) -> None:
        pass

    def finish_observing(self) -> None:
        pass


def look(own: Any, **changed: Any) -> None:
    """What a training does before its first epoch."""
    check_data(own)
    splits = Splits({**CONFIG, **changed}, own, None)
    splits.check()
    train = splits.loader("train", shuffle=True)
    splits.observe(Seen(), train.dataset)  # type: ignore[arg-type]
    for batch in (*train, *splits.loader("val"), *splits.loader("test")):
        assert batch["image"].dtype == torch.uint8


def put(**values: Any) -> Callable[[dict[str, Any], int], None]:
    """A fault of sample 4 alone: neither the first nor the last."""

    def fault(sample: dict[str, Any], index: int) -> None:
        if index == 4:
            sample |= values

    return fault


def to(**values: Any) -> Callable[[dict[str, Any], int], None]:
    """The same fault in every sample."""
    return lambda sample, index: sample.update(values)


def without(key: str, place: int | None = None) -> Callable[[dict[str, Any], int], Any]:
    """A key that is missing in one sample, or in all."""
    return lambda sample, index: (
        {name: value for name, value in sample.items() if name != key} if place in (None, index) else None
    )


def bytes_of(*shape: int) -> torch.Tensor:
    return torch.zeros(shape, dtype=torch.uint8)


def pixels(value: int) -> torch.Tensor:
    mask = torch.zeros(SIZE, SIZE, dtype=torch.uint8)
    mask[1, 2] = value
    return mask


def box(*values: float) -> torch.Tensor:
    return torch.tensor(values)


VOID_MASK = torch.full((SIZE, SIZE), 255, dtype=torch.uint8)
SHARES = "boxes are shares of the image, (x, y, h, w): divide by its width and height"
ALL, ONE = "of sample 0 of train", "of sample 4 of train"
SAMPLES: dict[str, tuple[Any, str]] = {
    "box in pixels": (to(box=box(5.0, 5, 40, 40)), f"box {ALL} is (5, 5, 40, 40); {SHARES}"),
    "one box in pixels": (put(box=box(5.0, 5, 40, 40)), f"box {ONE} is (5, 5, 40, 40); {SHARES}"),
    "NaN box": (put(box=box(0, np.nan, 1, 1)), f"box {ONE} is (0, nan, 1, 1); a box is four finite numbers"),
    "no area": (put(box=box(0.1, 0.1, 0.2, 0)), f"box {ONE} is (0.1, 0.1, 0.2, 0); it has no area"),
    "outside": (put(box=box(0.8, 0, 0.2, 0.4)), f"box {ONE} is (0.8, 0, 0.2, 0.4); it reaches outside"),
    "negative": (put(box=box(-0.1, 0, 1, 1)), f"box {ONE} is (-0.1, 0, 1, 1); it reaches outside"),
    "five numbers": (to(box=torch.rand(5)), f"box {ALL} has the shape (5,); it must be (4,)"),
    "whole numbers": (to(box=torch.ones(4).int()), f"box {ALL} is int32; it must be float32"),
    "box as a list": (to(box=[0.0, 0.0, 1.0, 1.0]), f"box {ALL} is a list; give a tensor"),
    "label too large": (put(label=2), f"label {ONE} is 2, but the data set names 2 classes, 0 to 1"),
    "label from -1": (put(label=-1), f"label {ONE} is -1"),
    "label with a fraction": (to(label=1.0), f"label {ALL} is float64; it must be int64"),
    "label as text": (to(label="cat"), f"label {ALL} is a list; give a tensor"),
    "one-hot": (to(label=torch.tensor([1, 0])), f"label {ALL} has the shape (2,); it must be a number"),
    "mask value": (put(mask=pixels(7)), f"mask {ONE} holds 7, but the data set names 2 pixel classes, 0 to 1"),
    "mask 0/254": (put(mask=pixels(254)), f"mask {ONE} holds 254"),
    "long mask": (to(mask=pixels(0).long()), f"mask {ALL} is int64; it must be uint8"),
    "mask size": (to(mask=pixels(0)[:2]), f"mask {ALL} has the shape (2, 4); it must be as large as its image, (4, 4)"),
    "mask channel": (to(mask=pixels(0)[None]), f"mask {ALL} has the shape (1, 4, 4); it must be (H, W)"),
    "one mask's size": (put(mask=pixels(1)[:2]), f"mask {ONE} is (2, 4), and of sample 3 of train (4, 4)"),
    "all void": (to(mask=VOID_MASK), "every pixel of every mask of train is void (255)"),
    "float image": (to(image=torch.rand(3, 4, 4)), f"image {ALL} is float32; it must be uint8, 0 to 255"),
    "HWC": (to(image=bytes_of(4, 4, 3)), f"image {ALL} has the shape (4, 4, 3); it must be (3, H, W): permute"),
    "gray": (to(image=bytes_of(1, 4, 4)), f"image {ALL} has the shape (1, 4, 4); it must be (3, H, W): a gray"),
    "no channel": (to(image=bytes_of(4, 4)), f"image {ALL} has the shape (4, 4)"),
    "array": (to(image=np.zeros((3, 4, 4))), f"image {ALL} is a ndarray; images are uint8 tensors"),
    "one size": (put(image=bytes_of(3, 8, 8)), f"image {ONE} is (3, 8, 8), and of sample 3 of train (3, 4, 4)"),
    "tuple": (lambda sample, index: (1, 2), "sample 0 of train is a tuple; a sample is a dict of image, index, box"),
    "nothing": (lambda sample, index: 0, "sample 0 of train is a int"),
    "no index": (without("index"), "sample 0 of train has no 'index'; it has image, label, box, mask"),
    "wrong index": (to(index=3), f"index {ALL} is 3; it is the sample's place in its split, 0"),
    "no box": (without("box"), "sample 0 of train has no 'box'; it has image, index, label, mask"),
    "one without": (without("mask", 4), "sample 4 of train has no 'mask'"),
    "a lock": (to(label=threading.Lock()), f"label {ALL} is a lock, which no batch can hold"),
}  # fmt: skip
SETS: dict[str, tuple[Any, str]] = {
    "empty split": (Own(size=0), "split train is empty"),
    "length": (Own(size=8), "sample 7 of train, which has 8, cannot be read: IndexError: list index out of range"),
    "twice": (Own(classes=("cat", "dog", "cat")), "info.classes of the data set has 'cat' twice, as 0 and as 2"),
    "names as numbers": (Own(classes=(0, 1)), "info.classes of the data set is (0, 1); it must be a tuple of names"),
    "one text": (Own(mask_classes="sky"), "info.mask_classes of the data set is 'sky'; it must be a tuple of names"),
}


@pytest.mark.parametrize("fault", SAMPLES)
def test_each_fault_of_a_sample_is_one_line(fault: str) -> None:
    own, message = SAMPLES[fault]
    with pytest.raises(DataError, match=re.escape(message)) as found:
        look(Own(own))
    assert "\n" not in str(found.value)


@pytest.mark.parametrize("fault", SETS)
def test_each_fault_of_a_data_set_is_one_line(fault: str) -> None:
    own, message = SETS[fault]
    with pytest.raises(DataError, match=re.escape(message)):
        look(own)


def test_a_data_set_that_keeps_the_contract_passes() -> None:
    look(Own())
    look(Own(put(mask=VOID_MASK)))  # one image without truth among others


def test_no_info_no_split_and_a_split_that_is_not_known() -> None:
    class Bare:
        info: Any = None

    class Two(Own):
        def split(self, name: str, needs: frozenset[str], *, augment: bool = False) -> Any:
            return {"train": Split(self.fault, 7), "val": Split(self.fault, 7)}[name]

    class Plain(Own):
        def split(self, name: str, needs: frozenset[str]) -> Any:  # type: ignore[override]
            return Split(self.fault, 7)

    class Numbers(Own):
        def split(self, name: str, needs: frozenset[str], *, augment: bool = False) -> Any:
            return iter(range(3))

    with pytest.raises(DataError, match=r"the data set Bare has no info; set self.info = DataInfo"):
        look(Bare())
    Bare.info = Own().info
    with pytest.raises(DataError, match=r"the data set Bare has no method split\(name, needs, \*, augment=False\)"):
        look(Bare())
    with pytest.raises(DataError, match=r"split\('test', needs, augment=False\) of the data set Two fails: KeyError"):
        look(Two())
    with pytest.raises(DataError, match="unexpected keyword argument 'augment'"):
        look(Plain())
    with pytest.raises(DataError, match="split train is a range_iterator without __len__; give a torch Dataset"):
        look(Numbers())


@pytest.mark.parametrize("split", ["val", "test"])
def test_val_and_test_are_looked_at_before_training(split: str) -> None:
    splits = Splits(CONFIG, Own(to(box=box(5.0, 5, 40, 40)), split), None)
    with pytest.raises(DataError, match=rf"box of sample 0 of {split} is \(5, 5, 40, 40\)"):
        splits.check()


@pytest.mark.parametrize("split", ["val", "test"])
def test_their_other_samples_are_looked_at_where_they_are_scored(split: str) -> None:
    splits = Splits(CONFIG, Own(put(box=box(5.0, 5, 40, 40)), split), None)
    splits.check()
    with pytest.raises(DataError, match=rf"box of sample 4 of {split} is \(5, 5, 40, 40\)"):
        list(splits.loader(split))


def fails(place: int, error: Exception, **changed: Any) -> tuple[str, BaseException]:
    """What a data set says that raises an error at a sample of train."""

    def fault(sample: dict[str, Any], index: int) -> None:
        if index == place:
            raise error

    with pytest.raises(DataError) as found:
        look(Own(fault), **changed)
    return one_line(found.value), found.value


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("baseline", [True, False])
def test_an_error_of_a_sample_in_the_middle_is_one_line(workers: int, baseline: bool) -> None:
    data = {**CONFIG["data"], "workers": workers}
    message, error = fails(4, KeyError("masks\nof many lines"), data=data, baseline=baseline)
    reason = "KeyError: 'masks\\nof many lines'"
    assert message == f"sample 4 of train, which has 7, cannot be read: {reason}; debug=true shows where"
    if workers:
        assert "in fault" in str(error)  # where, for debug=true
    else:
        assert isinstance(error.__cause__, KeyError)


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("split", ["val", "test"])
def test_an_error_where_samples_are_scored_is_one_line(split: str, workers: int) -> None:
    class Many(Split):
        """As torch's own ``Subset``: a loader asks it for whole batches."""

        def __getitems__(self, indices: list[int]) -> list[Any]:
            return [self[index] for index in indices]

    def fault(sample: dict[str, Any], index: int) -> None:
        if index == 4:
            raise OSError("Unable to synchronously open object\n(file is closed)")

    class Own2(Own):
        kind: type[Split] = Split

        def split(self, name: str, needs: frozenset[str], *, augment: bool = False) -> Any:
            return self.kind(fault if name == split else self.fault, 7)

    for kind in (Split, Many):
        own = Own2()
        own.kind = kind
        splits = Splits({**CONFIG, "data": {**CONFIG["data"], "workers": workers}}, own, None)
        splits.check()
        with pytest.raises(DataError) as found:
            list(splits.loader(split))
        assert one_line(found.value).startswith(f"sample 4 of {split}, which has 7, cannot be read: OSError: Unable to")


@pytest.mark.parametrize(
    ("split", "advice"),
    [
        ("train", "there is nothing to learn"),
        ("val", "there is nothing to choose the best epoch by; give some of its images true masks"),
        ("test", "there is nothing to score; give some of its images true masks, or say test=false"),
    ],
)
def test_a_split_of_nothing_but_void_is_refused_before_training(split: str, advice: str) -> None:
    message = f"every pixel of every mask of {split} is void (255); {advice}"
    for baseline in (True, False):
        with pytest.raises(DataError, match=re.escape(message)):
            Splits({**CONFIG, "baseline": baseline}, Own(to(mask=VOID_MASK), split), None).check()
    Splits({**CONFIG, "task": {"needs": ["label"]}}, Own(to(mask=VOID_MASK), split), None).check()


def test_only_the_masks_up_to_the_first_truth_are_read_for_that() -> None:
    read: list[int] = []

    def void_until_3(sample: dict[str, Any], index: int) -> None:
        read.append(index)
        sample["mask"] = VOID_MASK if index < 3 else sample["mask"]

    Splits(CONFIG, Own(void_until_3, "val"), None).check()
    assert read == [0, 6, 0, 1, 2, 3]


@pytest.mark.slow
def test_without_the_pass_over_the_targets_the_first_and_the_last_sample_are_looked_at() -> None:
    with pytest.raises(DataError, match="label of sample 0 of train is 9"):
        look(Own(to(label=9)), constant=False)
    with pytest.raises(DataError, match="sample 6 of train has no 'box'"):
        look(Own(without("box", 6)), constant=False)


@pytest.mark.slow
def test_in_a_loaders_process_the_message_is_the_same() -> None:
    data = {**CONFIG["data"], "workers": 1}
    with pytest.raises(DataError) as found:
        look(Own(put(label=2)), data=data)
    assert one_line(found.value).startswith("label of sample 4 of train is 2, but the data set names 2 classes")


def test_looking_draws_nothing_that_training_would_miss() -> None:
    def noisy(sample: dict[str, Any], index: int) -> None:
        sample["image"] = torch.randint(0, 256, (3, SIZE, SIZE), dtype=torch.uint8)

    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    Splits(CONFIG, Own(noisy), None).check()
    assert torch.equal(torch.rand(2), expected)


@pytest.mark.slow
def test_from_the_command_line(vggexp: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A class and a YAML as a user has them: a fault ends in one line and leaves no run behind."""
    source = (
        "import torch\n"
        "from vggexp.types import DataInfo\n"
        "class Mine:\n"
        "    def __init__(self, train_transform=(), eval_transform=()):\n"
        "        self.info = DataInfo(('cat', 'dog'), ())\n"
        "    def split(self, name, needs, *, augment=False):\n"
        "        image = torch.zeros(3, 32, 32, dtype=torch.uint8)\n"
        "        box = torch.tensor([5.0, 5, 40, 40])\n"
        "        return [{'image': image, 'index': i, 'box': box} for i in range(4)]\n"
    )
    (tmp_path / "own_data_with_pixel_boxes.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))
    folder = tmp_path / "conf" / "data"
    folder.mkdir(parents=True)
    lines = ["_target_: own_data_with_pixel_boxes.Mine", "provides: [box]", "image_size: [32, 32]", "batch_size: 2",
             "workers: 0", "train_transform: []", "eval_transform: []"]  # fmt: skip
    words = ("--config-dir", str(folder.parent), "task=localization", "data=mine", "backbone.width=0.05", "run.dir=run")
    (folder / "mine.yaml").write_text("\n".join(line for line in lines if not line.startswith("provides")))
    code, _, errors = vggexp(*words)
    assert (code, errors.count("\n")) == (2, 1)
    assert errors.startswith("vggexp: error: data.provides is missing; give it in data/mine.yaml: "), errors
    (folder / "mine.yaml").write_text("\n".join(lines))
    code, _, errors = vggexp(*words)
    assert (code, errors) == (1, f"vggexp: error: box of sample 0 of train is (5, 5, 40, 40); {SHARES}\n")
    assert not Path("run").exists()
