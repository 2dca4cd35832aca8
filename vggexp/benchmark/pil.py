"""Reads the photos as the official transfer-learning tutorial does: Pillow, torchvision's transforms, no workers."""

import itertools
from collections.abc import Iterator

import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Subset
from torchvision import transforms
from torchvision.datasets import OxfordIIITPet

from vggexp.benchmark.plan import Job
from vggexp.benchmark.setting import Config
from vggexp.cache.eligible import is_random

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
VOID = 255
_LABELS = torch.tensor([VOID, 1, 0, VOID])
"""By the trimap's values: 1 pet, 2 background, 3 border."""

Batch = list[Tensor]
"""Images (N, 3, H, W), normalised, and their labels (N,) or masks (N, H, W)."""


def loader(config: Config, job: Job, split: str) -> DataLoader[Batch]:
    """Batches of the split "train" (shuffled; augmented if vggexp augments), "val" or "test"."""
    data = config["data"]
    is_train = split == "train"
    photos = OxfordIIITPet(
        data["root"],
        split="test" if split == "test" else "trainval",
        target_types="segmentation" if job.segments else "category",
        transform=image_transform(data["image_size"], is_train and is_random(data["train_transform"])),
        target_transform=_mask_transform(data["image_size"]) if job.segments else None,
    )
    numbers = range(len(photos))
    if split != "test":  # a fifth of them is for validation, as in vggexp
        numbers = [number for number in numbers if (number % 5 == 4) != is_train]  # type: ignore[assignment]
    return DataLoader(Subset(photos, list(numbers)), data["batch_size"], shuffle=is_train, num_workers=0)


def image_transform(size: list[int], augment: bool) -> transforms.Compose:
    """The tutorial's transform; without augmentation a plain resize, as in vggexp."""
    moving = [transforms.RandomResizedCrop(size), transforms.RandomHorizontalFlip()]
    return transforms.Compose(
        [
            *(moving if augment else [transforms.Resize(size)]),
            transforms.ToTensor(),
            transforms.Normalize(MEAN, STD),
        ]
    )


def _mask_transform(size: list[int]) -> transforms.Compose:
    def labels(trimap: Image.Image) -> Tensor:
        pixels: Tensor = transforms.functional.pil_to_tensor(trimap)[0]
        return _LABELS[pixels.long()]

    return transforms.Compose([transforms.Resize(size, transforms.InterpolationMode.NEAREST), labels])


def endless(batches: DataLoader[Batch]) -> Iterator[Batch]:
    """Batches of endlessly many epochs, without incomplete batches."""
    for _ in itertools.count():
        size = batches.batch_size or 1
        yield from (batch for batch in batches if len(batch[0]) == size)
