"""Photos for a benchmark that need no download: smooth noise in three "breeds", laid out as Oxford-IIIT Pet.

Real photos compress about as well as noise that is blurred to their spectrum; a decoder's time depends on little else.
"""

from pathlib import Path

import numpy as np
from PIL import Image

SIZE = (500, 375)
"""Width and height: what most photos of Oxford-IIIT Pet and of ImageNet have."""
BREEDS = ("Amber", "Birch", "Cedar")
QUALITY = 92


def draw_photos(root: Path, train: int, test: int, seed: int = 0, size: tuple[int, int] = SIZE) -> None:
    """Write at least ``train`` training photos, their validation photos and ``test`` test photos, with trimaps.

    Args:
        root: the folder that shall hold ``oxford-iiit-pet``.
        train: photos that ``data=pets`` shall find in its split "train".
    """
    folder, generator = root / "oxford-iiit-pet", np.random.default_rng(seed)
    for name in ("images", "annotations/trimaps", "annotations/xmls"):
        (folder / name).mkdir(parents=True)
    breed_train = -(-train // len(BREEDS))
    number = 0
    for split, count in (("trainval", trainval(breed_train)), ("test", -(-test // len(BREEDS)))):
        lines = []
        for label, breed in enumerate(BREEDS, 1):
            for _ in range(count):
                number += 1
                name = f"{breed}_{number}"
                lines.append(f"{name} {label} 1 1")
                photo(generator, size).save(folder / "images" / f"{name}.jpg", quality=QUALITY)
                trimap(generator, size).save(folder / "annotations" / "trimaps" / f"{name}.png")
        (folder / "annotations" / f"{split}.txt").write_text("\n".join(lines) + "\n")


def trainval(train: int) -> int:
    """The fewest photos of a breed of which ``train`` are left once a fifth, rounded down, is held out.

    >>> [trainval(count) for count in (1, 4, 5, 8)]
    [1, 4, 6, 9]
    """
    count = train
    while count - count // 5 < train:
        count += 1
    return count


def photo(generator: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    """Noise at four scales, the coarse ones stronger, as in nature: amplitude falls with frequency."""
    width, height = size
    pixels = np.full((height, width, 3), 128.0)
    for scale, strength in ((64, 60), (16, 30), (4, 14), (1, 5)):
        shape = (-(-height // scale) + 1, -(-width // scale) + 1, 3)
        coarse = (generator.standard_normal(shape) * strength + 128).clip(0, 255).astype(np.uint8)
        fine = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
        pixels += np.asarray(fine, dtype=np.float64) - 128
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def trimap(generator: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    """A pet (1) with a border (3) on a background (2): a box."""
    width, height = size
    labels = np.full((height, width), 2, np.uint8)
    left, top = int(generator.integers(0, width // 2)), int(generator.integers(0, height // 2))
    labels[top : top + height // 2, left : left + width // 2] = 3
    labels[top + 2 : top + height // 2 - 2, left + 2 : left + width // 2 - 2] = 1
    return Image.fromarray(labels)
