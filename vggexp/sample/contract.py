"""What a sample must look like, in one place. An error is one line with the sample, the value and what would be right.

``data_contract`` checks the first and last sample of each split before a training; the loaders check every batch whose
targets are counted or scored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from vggexp.errors import DataError, kind_and_line
from vggexp.sample.loader import collate
from vggexp.sample.object_contract import ObjectContract
from vggexp.types import OBJECT_MASKS, VOID, Batch, DataInfo, Objects, Sample

SLACK = 1e-3
"""How far a box may reach outside the image, as a share of it: rounding, and less than a pixel of most images."""
DTYPES = {"image": (torch.uint8,), "index": (torch.int64,), "label": (torch.int64,), "mask": (torch.uint8,),
          "labels": (torch.uint8,), "box": (torch.float32, torch.float64)}  # fmt: skip
SHAPES = {"image": "(3, H, W)", "index": "a number", "label": "a number", "labels": "(classes,)", "mask": "(H, W)",
          "box": "(4,)"}  # fmt: skip
"""Of one sample: the types and the shapes that its values may have."""


@dataclass(frozen=True)
class Contract:
    """The contract of one split's samples.

    A loader takes it as its ``collate_fn``: it collates samples into a batch, or checks a batch that is already
    collated.
    """

    split: str
    """Such as "train", "val" or "test": for the messages."""
    info: DataInfo
    """The names of the classes, which bound the labels."""
    needs: frozenset[str]
    """The targets that the task reads; others are not checked."""

    def __call__(self, samples: list[Sample] | Batch) -> Batch:
        """A batch, with every value checked."""
        batch = samples if isinstance(samples, Mapping) else self.together(samples)
        self.check(batch)
        return batch

    def together(self, samples: list[Sample]) -> Batch:
        """The samples collated into a batch; DataError that names sample and key if they do not fit together."""
        try:
            return collate(samples)
        except Exception as error:
            for place, sample in enumerate(samples):
                self.check_keys(sample, self._named(sample, place))
            self._check_alike(samples)
            raise DataError(f"samples of {self.split} cannot be put in a batch: {kind_and_line(error)}") from error

    def check(self, batch: Batch) -> None:
        """Raise DataError for the first value of a batch that breaks the contract; targets may come without images."""
        given: Mapping[str, Any] = batch
        for key in ("index", *(["image"] if "image" in given else []), *sorted(self.keys - {"objects"})):
            self._check_form(key, given.get(key), batch)
        checks = {"label": self._check_label, "labels": self._check_labels, "box": self._check_box,
                  "mask": self._check_mask}  # fmt: skip
        for target, check in checks.items():
            if target in self.needs:
                check(batch)
        if "objects" in self.needs:
            masks = OBJECT_MASKS in self.needs
            ObjectContract(len(self.info.classes), masks).check(batch, lambda row: self._of(batch, row))

    @property
    def keys(self) -> frozenset[str]:
        """The keys of a sample that the task reads."""
        return self.needs - {OBJECT_MASKS}

    def check_keys(self, sample: Any, name: str) -> None:
        """DataError unless a sample, called ``name``, is a dict of an image, its index and the targets."""
        wanted = ("image", "index", *sorted(self.keys))
        if not isinstance(sample, Mapping):
            raise DataError(f"{name} is a {kind(sample)}; a sample is a dict of {', '.join(wanted)}")
        for key in wanted:
            if key not in sample:
                raise DataError(f"{name} has no '{key}'; it has {', '.join(map(str, sample))}")
        if not isinstance(sample["image"], Tensor):
            raise DataError(f"image of {name} is a {kind(sample['image'])}; images are uint8 tensors of (3, H, W)")

    def _check_alike(self, samples: Sequence[Sample]) -> None:
        """Check that each sample has the right form, and the same shapes as the first one."""
        first: Mapping[str, Any] = samples[0]
        for place, sample in enumerate(samples):
            for key, value in sample.items():
                if isinstance(value, Objects):
                    continue
                named = f"{key} of {self._named(sample, place)}"
                try:
                    shape = tuple(torch.as_tensor(value).shape)
                except (TypeError, ValueError, RuntimeError) as error:
                    raise DataError(f"{named} is a {kind(value)}, which no batch can hold; leave it out") from error
                if key not in first:
                    raise DataError(f"{named} has none beside it in {self._named(samples[0], 0)}")
                if shape != (wanted := tuple(torch.as_tensor(first[key]).shape)):
                    raise DataError(f"{named} is {shape}, and of {self._named(samples[0], 0)} {wanted}; give one size")

    def _check_form(self, key: str, value: Any, batch: Batch) -> None:
        """Check the number type and the shape."""
        first = f"{key} of sample 0 of {self.split}" if key == "index" else f"{key} of {self._of(batch, 0)}"
        if not isinstance(value, Tensor):
            raise DataError(f"{first} is {'missing' if value is None else f'a {kind(value)}'}; give a tensor")
        if value.dtype not in DTYPES[key]:
            raise DataError(
                f"{first} is {_plain(value.dtype)}; it must be {_plain(DTYPES[key][0])}{_advice(key, value)}"
            )
        shape, right = tuple(value.shape[1:]), SHAPES[key]
        size = tuple(batch["image"].shape[-2:]) if "image" in batch else shape
        if key == "mask" and len(shape) == 2:
            right = f"as large as its image, {size}"
        fits = {
            "image": len(shape) == 3 and shape[0] == 3,
            "mask": len(shape) == 2 and shape == size,
            "box": shape == (4,),
            "labels": shape == (len(self.info.classes),),
        }
        if key == "labels":
            right = f"one number for each class, ({len(self.info.classes)},)"
        if not fits.get(key, shape == ()):
            raise DataError(f"{first} has the shape {shape}; it must be {right}{_advice(key, value)}")

    def _check_label(self, batch: Batch) -> None:
        label, count = batch["label"], len(self.info.classes)
        if (row := _first((label < 0) | (label >= count))) is not None:
            raise DataError(
                f"label of {self._of(batch, row)} is {int(label[row])}, but the data set names {count} classes, 0 to "
                f"{count - 1}; correct its annotation or add the class's name"
            )

    def _check_labels(self, batch: Batch) -> None:
        labels = batch["labels"]
        if (row := _first(((labels > 1) & (labels != VOID)).any(1))) is not None:
            raise DataError(
                f"labels of {self._of(batch, row)} holds {int(labels[row].max())}; it is 1 for each class that the "
                f"image shows, and 0 for the others"
            )

    def _check_box(self, batch: Batch) -> None:
        box = batch["box"]
        x, y, h, w = box.unbind(1)
        inside = (x >= -SLACK) & (y >= -SLACK) & (x + w <= 1 + SLACK) & (y + h <= 1 + SLACK)
        if bool((inside & (h > 0) & (w > 0)).all()):  # written so that NaN fails, too
            return
        wrong = (
            (~box.isfinite().all(1), "a box is four finite numbers; correct its annotation"),
            ((box > 1 + SLACK).any(1), "boxes are shares of the image, (x, y, h, w): divide by its width and height"),
            ((h <= 0) | (w <= 0), "it has no area; correct its annotation or leave the sample out"),
            (~inside, "it reaches outside the image, which ends at 0 and at 1; clip it"),
        )
        for rows, why in wrong:
            if (row := _first(rows)) is not None:
                values = ", ".join(f"{value:.4g}" for value in box[row].tolist())
                raise DataError(f"box of {self._of(batch, row)} is ({values}); {why}")

    def _check_mask(self, batch: Batch) -> None:
        mask, count = batch["mask"], len(self.info.mask_classes)
        if not mask.numel() or (mask + 1).amax() <= count:  # in uint8, void (255) would wrap around to 0
            return
        unnamed = (mask >= count) & (mask != VOID)
        row = _first(unnamed.flatten(1).any(1)) or 0
        raise DataError(
            f"mask of {self._of(batch, row)} holds {int(mask[row][unnamed[row]][0])}, but the data set names {count} "
            f"pixel classes, 0 to {count - 1}, and {VOID} is void; correct its annotation or add the class's name"
        )

    def _of(self, batch: Batch, row: int) -> str:
        return f"sample {int(batch['index'][row])} of {self.split}"

    def _named(self, sample: Any, row: int) -> str:
        """A sample by its own index, or by its place in a batch if it has none."""
        index = sample.get("index") if isinstance(sample, Mapping) else None
        if isinstance(index, int) or (isinstance(index, Tensor) and index.numel() == 1):
            return f"sample {int(index)} of {self.split}"
        return f"sample {row} of a batch of {self.split}"


def has_truth(batch: Batch) -> bool:
    """Whether the targets hold any ground truth: a mask that is void everywhere does not."""
    return "mask" not in batch or bool((batch["mask"] != VOID).any())


def has_objects(sample: Sample) -> bool:
    """Whether a sample has an object that counts as a target."""
    objects: Any = sample["objects"]
    return bool(objects.counted().any())


def _first(wrong: Tensor) -> int | None:
    return int(wrong.int().argmax()) if bool(wrong.any()) else None


def kind(value: Any) -> str:
    """What a value is, in one word."""
    return type(value).__name__


def _plain(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _advice(key: str, value: Tensor) -> str:
    """How to correct a wrong type or shape, if that is clear."""
    if key == "image" and value.is_floating_point():
        return ", 0 to 255: the backbone normalises it"
    if key == "image" and value.ndim == 4 and value.shape[-1] == 3:
        return ": permute(2, 0, 1) puts the channels first"
    if key == "image" and (value.ndim == 3 or value.shape[1] == 1):
        return ": a gray image repeats its channel, expand(3, -1, -1)"
    return ""
