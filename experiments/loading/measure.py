"""Images a second that one core loads: this project's pipeline beside Pillow and torchvision.transforms.

python experiments/loading/measure.py FOLDER_OF_PHOTOS

The photos are written as JPEGs of 500 x 375 and 1000 x 750 pixels, quality 90. Every way loads all of them in batches
of 32 normalised floats, in one process with one thread, in turn with the others, several times; the ratio is taken
within a turn. In a training ours leaves the normalisation to the device; here the core does it, as in the other way.
"""

import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
import yaml
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from vggexp.backbone.vgg import VGG
from vggexp.data import image as images
from vggexp.sample.files import Files, Stored
from vggexp.sample.image import Shrink, read_shrunk
from vggexp.sample.loader import collate
from vggexp.sample.transform import Transform

ROUNDS, COPIES = 7, 4
RECIPES = yaml.safe_load((Path(__file__).parents[2] / "conf/data/pets.yaml").read_text())
CROP, FLIP, JITTER = RECIPES["train_transform"]
AREA = CROP["RandomResizedCrop"]["scale"]
SIZE = {"size": [224, 224]}
OURS = [{"RandomResizedCrop": {**SIZE, "scale": AREA}}, FLIP]
BACKBONE = VGG("A", width=0.01)
NORMALIZE = transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])


class Photos:
    """A source of nothing but images."""

    facts, has_masks = "", False

    def __init__(self, paths: list[Path]) -> None:
        self.paths = paths

    def __len__(self) -> int:
        return len(self.paths)

    def files(self, index: int) -> tuple[Path, ...]:
        """The one file."""
        return (self.paths[index],)

    def read(self, index: int, shrink: Shrink) -> Stored:
        """The image."""
        photo = read_shrunk(self.paths[index], shrink)
        return {"image": photo.image, "size": photo.size}


class Tutorial(Dataset[torch.Tensor]):
    """What torchvision.datasets.ImageFolder does: Pillow, RGB, transforms."""

    def __init__(self, paths: list[Path], area: list[float], *more: Callable[..., object]) -> None:
        self.paths = paths
        self.transform = transforms.Compose(
            [
                transforms.RandomResizedCrop(224, scale=area),
                transforms.RandomHorizontalFlip(),
                *more,
                transforms.ToTensor(),
                NORMALIZE,
            ]
        )

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> torch.Tensor:
        with self.paths[index].open("rb") as file:
            return self.transform(Image.open(file).convert("RGB"))


def ours(paths: list[Path], recipe: list[object] = OURS, simplejpeg: bool = True, scale: bool = True) -> "Timed":
    """This project's pipeline, with or without its decoder and its decoding at scale."""
    return Timed(Files(Photos(paths), Transform(recipe, [{"Resize": SIZE}]), scale), simplejpeg)


class Timed:
    """A way to load."""

    def __init__(self, dataset: Dataset, simplejpeg: bool = True) -> None:
        is_ours = isinstance(dataset, Files)
        self.loader = DataLoader(dataset, 32, collate_fn=collate if is_ours else None)
        self.normalized = (lambda batch: BACKBONE.normalize(batch["image"])) if is_ours else lambda batch: batch
        self.simplejpeg = simplejpeg

    def rate(self) -> float:
        """Images a second, over one pass."""
        images.HAS_SIMPLEJPEG = self.simplejpeg
        start = time.perf_counter()
        count = sum(len(self.normalized(batch)) for batch in self.loader)
        return count / (time.perf_counter() - start)


def write(source: Path, folder: Path, sides: tuple[int, int]) -> list[Path]:
    """The photos as JPEGs of these sides, the longer one first."""
    folder.mkdir()
    for path in sorted(source.glob("*.jpg")):
        photo = Image.open(path).convert("RGB")
        size = sides if photo.width >= photo.height else sides[::-1]
        photo.resize(size, Image.Resampling.LANCZOS).save(folder / path.name, quality=90)
    return sorted(folder.iterdir()) * COPIES


def compare(title: str, ways: dict[str, Timed]) -> None:
    """Rates, and ratios to the first way."""
    rates = {name: [] for name in ways}
    for _ in range(ROUNDS + 1):
        for name, way in ways.items():
            rates[name].append(way.rate())
    (first, base), *_ = rates.items()
    print(f"\n{title}")
    for name, found in rates.items():
        ratios = sorted(one / other for one, other in zip(found[1:], base[1:], strict=True))
        spread = "" if name == first else f"{statistics.median(ratios):5.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        print(f"  {name:44s} {statistics.median(found[1:]):6.0f} images/s  {spread}", flush=True)


def main() -> None:
    """Measure and print."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    jitter = transforms.ColorJitter(**JITTER["ColorJitter"])
    with tempfile.TemporaryDirectory() as folder:
        for sides in ((500, 375), (1000, 750)):
            paths = write(Path(sys.argv[1]), Path(folder, str(sides[0])), sides)
            size = sum(path.stat().st_size for path in paths) / len(paths) / 1000
            name = f"{sides[0]} x {sides[1]}, {size:.0f} KB"
            tutorial = Timed(Tutorial(paths, AREA))
            compare(
                f"{name}: crop of {AREA[0]:.0%} or more, flip",
                {
                    "Pillow, torchvision.transforms": tutorial,
                    "ours without simplejpeg": ours(paths, simplejpeg=False),
                    "ours, decoded whole": ours(paths, scale=False),
                    "ours": ours(paths),
                },
            )
            wide = [{"RandomResizedCrop": {**SIZE}}, FLIP]
            compare(
                f"{name}: crop of 8% or more, the tutorial's own, flip",
                {"Pillow, torchvision.transforms": Timed(Tutorial(paths, [0.08, 1.0])), "ours": ours(paths, wide)},
            )
            compare(
                f"{name}: crop of {AREA[0]:.0%} or more, flip, colour jitter",
                {
                    "Pillow, torchvision.transforms": Timed(Tutorial(paths, AREA, jitter)),
                    "ours": ours(paths, [*OURS, JITTER]),
                },
            )


if __name__ == "__main__":
    main()
