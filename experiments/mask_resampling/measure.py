"""How well a mask that is right where the image is scores against the target, by the rule that resizes the target.

The ideal mask sees what the network's image shows: each class's area, resized as the image is, and the largest wins.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from vggexp.sample.image import read_mask
from vggexp.sample.mask_grid import stretch
from vggexp.task.metric.counts import confusion, overlap
from vggexp.types import VOID

SIDES = (64, 128, 224)
Size = tuple[int, int]


def by_torch(mode: str) -> Callable[[Tensor, Size], Tensor]:
    """A mask resized by a mode of torch's ``interpolate``."""
    return lambda mask, size: interpolate(mask[None, None], size, mode=mode)[0, 0]


RULES = {"nearest": by_torch("nearest"), "nearest-exact": by_torch("nearest-exact"), "vggexp": stretch}


def ideal(mask: Tensor, size: Size, num_classes: int) -> Tensor:
    """The class with the largest share of each pixel, as an antialiased image has it."""
    areas = torch.stack([(mask == label).float() for label in range(num_classes)])
    return interpolate(areas[None], size, mode="bilinear", antialias=True)[0].argmax(0).to(torch.uint8)


def miou(masks: list[Tensor], num_classes: int, side: int, resized: Callable[[Tensor, Size], Tensor]) -> float:
    """Pooled mIoU of the ideal masks against the targets."""
    size = (side, side)
    counts = sum(confusion(ideal(m, size, num_classes)[None], resized(m, size)[None], num_classes)[0] for m in masks)
    return float(overlap(torch.as_tensor(counts))[0].nanmean())


def camvid(root: Path) -> Iterator[Tensor]:
    """The first 25 validation masks of CamVid: 11 classes, and 11 for void."""
    for path in sorted((root / "camvid" / "valannot").iterdir())[:25]:
        mask = read_mask(path)
        yield torch.where(mask == 11, VOID, mask)


def trimaps(root: Path) -> Iterator[Tensor]:
    """The first 120 trimaps of Oxford-IIIT Pet: background, pet, border."""
    labels = torch.tensor([VOID, 1, 0, 2], dtype=torch.uint8)
    for path in sorted((root / "pets" / "oxford-iiit-pet" / "annotations" / "trimaps").glob("[!.]*.png"))[:120]:
        yield labels[read_mask(path).long()]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path, help="a folder with camvid/ and pets/oxford-iiit-pet/")
    root = parser.parse_args().root
    print("| masks | side, pixels | " + " | ".join(RULES) + " |")
    print("|---|---:|" + "---:|" * len(RULES))
    for name, masks, num_classes in (("CamVid", [*camvid(root)], 11), ("pets, border=class", [*trimaps(root)], 3)):
        for side in SIDES:
            scores = [f"{miou(masks, num_classes, side, rule):.3f}" for rule in RULES.values()]
            print(f"| {name} | {side} | " + " | ".join(scores) + " |", flush=True)


if __name__ == "__main__":
    main()
