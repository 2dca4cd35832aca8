"""Oxford-IIIT Pet: photos of cats and dogs with breed, head box and trimap.

Parkhi, Vedaldi, Zisserman & Jawahar, "Cats and Dogs", CVPR 2012; https://www.robots.ox.ac.uk/~vgg/data/pets/.
The files lie as torchvision.datasets.OxfordIIITPet lays and downloads them; the head boxes, which it does not read,
are VOC XML in ``annotations/xmls``.
"""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from torch import Tensor
from torchvision.datasets import OxfordIIITPet

from vggexp.data.files import Files, Stored, scaled
from vggexp.data.image import Shrink, read_mask, read_shrunk
from vggexp.data.transform import Recipe, Transform
from vggexp.data.voc_xml import Edges, clipped, largest_box
from vggexp.errors import ConfigError, DataError, did_you_mean
from vggexp.types import VOID, DataInfo

PET, BACKGROUND, BORDER = 1, 2, 3
"""The trimap's labels."""
BORDERS = {"void": VOID, "pet": 1, "class": 2}
"""The mask label of the trimap's border, by the argument ``border``; the background is 0, the pet 1."""

FETCH = "fetch the data with data.download=true, or point data.root at the folder that holds oxford-iiit-pet"


class Pets:
    """Fixed, disjoint splits, stratified by breed, the same on every machine.

    The official trainval list is divided once, by a hash of the file names, into train (80%) and held (20%), whatever
    the task. Most tasks take held as val and the official test list as test. Head boxes exist for trainval images
    only, so a task that needs them takes one half of held as val, the other as test: no network that was pretrained
    on train, by whatever task, has seen them; but that test half lies in the val split of the tasks without head boxes.

    Labels are contiguous, in the order of the official class numbers, or of ``classes`` if given.

    Args:
        root: the folder that holds, or shall hold, ``oxford-iiit-pet/{images,annotations}``.
        download: fetch what is missing, 0.8 GB.
        box: "head", the annotated head (of several the largest); or "body", the extent of the trimap's pet and border.
        border: what the trimap's border is in masks: "void", "pet", or "class", a third class of its own.
        classes: the breeds to use, as the file names spell them; None for all.
        decode_scale: see ``Files``.
        train_transform, eval_transform: recipes, see ``transform.py``.

    Raises:
        DataError: the lists are missing or unreadable, or the download failed.
        ConfigError: an argument outside its choices, or a recipe that cannot work.
    """

    def __init__(
        self,
        root: str,
        download: bool = False,
        box: str = "head",
        border: str = "void",
        classes: Sequence[str] | None = None,
        decode_scale: bool = True,
        train_transform: Recipe = (),
        eval_transform: Recipe = (),
    ) -> None:
        _choose("box", box, ("head", "body"))
        _choose("border", border, BORDERS)
        self._folder = Path(root) / "oxford-iiit-pet"
        if download:
            _download(root)
        trainval, test = (_listed(self._folder / "annotations" / f"{name}.txt") for name in ("trainval", "test"))
        self._trainval, self._test = list(trainval), [name for name in test if name not in trainval]
        numbers = {_breed(name): number for name, number in (trainval | test).items()}
        breeds = sorted(numbers, key=lambda breed: numbers[breed])
        classes = [classes] if isinstance(classes, str) else classes  # data.classes=Bengal
        for breed in classes or ():
            _choose("classes", breed, breeds)
        masks = ("background", "pet", "border") if border == "class" else ("background", "pet")
        self.info = DataInfo(classes=tuple(dict.fromkeys(classes or breeds)), mask_classes=masks)
        self._box, self._border, self._decode_scale = box, BORDERS[border], decode_scale
        self._train = Transform(train_transform, eval_transform)
        self._eval = Transform(eval_transform)
        self._heads: dict[str, Edges] | None = None

    def split(self, name: str, needs: frozenset[str], *, augment: bool = False) -> Files:
        """Split "train", "val" or "test", of the listed images that have every target in ``needs``.

        Raises:
            DataError: no such image, or none of a class to train on; a listed file is missing; a bad annotation.
        """
        headed = "box" in needs and self._box == "head"
        heads = self._parsed_heads() if headed else None
        names = [each for each in self._names(name, headed) if heads is None or each in heads]
        self._check(names, name, needs)
        transform = self._train if augment else self._eval
        photos = _Photos(self._folder, names, self.info.classes, heads, needs, self._border)
        return Files(photos, transform, self._decode_scale)

    def _names(self, split: str, headed: bool) -> list[str]:
        """A split's images in the order of their digests: breeds mixed, so that the first few already show several."""
        if split == "test" and not headed:
            chosen = [name for name in self._test if _breed(name) in self.info.classes]
        else:
            chosen = [name for breed in self.info.classes for name in self._divided(breed, headed)[split]]
        return sorted(chosen, key=_digest)

    def _divided(self, breed: str, halved: bool) -> dict[str, list[str]]:
        """The breed's trainval images, a fifth of them held."""
        ranked = sorted((name for name in self._trainval if _breed(name) == breed), key=_digest)
        held = len(ranked) // 5
        val = held // 2 if halved else held
        return {"val": ranked[:val], "test": ranked[val:held], "train": ranked[held:]}

    def _parsed_heads(self) -> dict[str, Edges]:
        if self._heads is None:
            folder = self._folder / "annotations" / "xmls"
            present = _files(folder)
            named = [name for name in self._trainval if f"{name}.xml" in present]
            found = {name: largest_box(folder / f"{name}.xml") for name in named}
            self._heads = {name: head for name, head in found.items() if head}
        return self._heads

    def _check(self, names: list[str], split: str, needs: frozenset[str]) -> None:
        """What a run would otherwise meet only once it has come to that image; opens none."""
        if not names:
            raise DataError(
                f"{self._folder}: no image in split {split!r} has {sorted(needs)}; see data.classes and data.box"
            )
        untrained = set(self.info.classes) - {_breed(name) for name in names}
        if untrained and split == "train" and "label" in needs:
            raise DataError(f"{self._folder}: no image of {min(untrained)!r} to train on; leave it out of data.classes")
        expected = [_image(self._folder, name) for name in names]
        if "mask" in needs or ("box" in needs and self._box == "body"):
            expected += [_trimap(self._folder, name) for name in names]
        present = {folder: _files(folder) for folder in {path.parent for path in expected}}
        if lost := [path for path in expected if path.name not in present[path.parent]]:
            more = f" (and {len(lost) - 1} more)" if len(lost) > 1 else ""
            raise DataError(
                f"{lost[0]} is missing{more}; restore it, or take its name out of the lists in annotations/"
            )


class _Photos:
    """The images of one split, each read when asked for."""

    def __init__(
        self,
        folder: Path,
        names: list[str],
        classes: tuple[str, ...],
        heads: dict[str, Edges] | None,
        needs: frozenset[str],
        border: int,
    ) -> None:
        self.names, self._folder, self._needs = names, folder, needs
        self.labels = [classes.index(_breed(name)) for name in names]
        self._heads = None if heads is None else [heads[name] for name in names]
        self._body = "box" in needs and heads is None
        self.has_masks = self._body or "mask" in needs
        self.facts: object = [sorted(needs), classes, "head" if heads else "body", border]
        self._mask_labels = torch.tensor(
            [VOID, 1, 0, border], dtype=torch.uint8
        )  # by the trimap's PET, BACKGROUND, BORDER

    def __len__(self) -> int:
        return len(self.names)

    def files(self, index: int) -> tuple[Path, ...]:
        name = self.names[index]
        trimap = [_trimap(self._folder, name)] if self.has_masks else []
        return (_image(self._folder, name), *trimap, *([] if self._heads is None else [_xml(self._folder, name)]))

    def read(self, index: int, shrink: Shrink) -> Stored:
        name = self.names[index]
        image, size = read_shrunk(_image(self._folder, name), shrink)
        stored: Stored = {"image": image, "size": size}
        if "label" in self._needs:
            stored["label"] = self.labels[index]
        if self._heads is not None:
            box = clipped(self._heads[index], size, _xml(self._folder, name))
            stored["box"] = scaled(box, size, image)
        if self.has_masks:
            trimap = _read_trimap(_trimap(self._folder, name), image)
            if "mask" in self._needs:
                stored["mask"] = self._mask_labels[trimap.long()]
            if self._body:
                stored["box"] = _extent(trimap)
        return stored


def _breed(name: str) -> str:
    return name.rpartition("_")[0]


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def _image(folder: Path, name: str) -> Path:
    return folder / "images" / f"{name}.jpg"


def _trimap(folder: Path, name: str) -> Path:
    return folder / "annotations" / "trimaps" / f"{name}.png"


def _xml(folder: Path, name: str) -> Path:
    return folder / "annotations" / "xmls" / f"{name}.xml"


def _choose(argument: str, value: str, options: Iterable[str]) -> None:
    if value not in options:
        raise ConfigError(f"data.{argument} has no {value!r}{did_you_mean(value, options)}")


def _download(root: str) -> None:
    try:
        OxfordIIITPet(root, download=True)
    except (OSError, RuntimeError, ValueError) as error:
        raise DataError(
            f"{root}: the download of Oxford-IIIT Pet failed ({error}); check the network and the folder"
        ) from error


def _files(folder: Path) -> set[str]:
    try:
        return {path.name for path in folder.iterdir()}
    except FileNotFoundError:
        raise DataError(f"{folder} is missing; {FETCH}") from None
    except OSError as error:
        raise DataError(f"{folder} cannot be read ({error.strerror}); check its permissions") from error


def _listed(path: Path) -> dict[str, int]:
    """One of the official lists: its images' names, and the number of each one's class."""
    try:
        rows = [line.split() for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")]
        return {row[0]: int(row[1]) for row in rows}
    except FileNotFoundError:
        raise DataError(f"{path} is missing; {FETCH}") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); check its permissions") from error
    except (IndexError, ValueError) as error:
        raise DataError(f"{path} has a line that is not 'name class ...' ({error}); restore the file") from error


def _read_trimap(path: Path, image: Tensor) -> Tensor:
    trimap = read_mask(path)
    if trimap.shape != image.shape[-2:]:
        raise DataError(f"{path} is not of its image's size; resize both alike, the trimap by nearest neighbour")
    if trimap.min() < PET or trimap.max() > BORDER:
        raise DataError(f"{path} has labels other than {PET} pet, {BACKGROUND} background, {BORDER} border; restore it")
    if (trimap == BACKGROUND).all():
        raise DataError(f"{path} shows no pet; restore it, or take its name out of the lists in annotations/")
    return trimap


def _extent(trimap: Tensor) -> Tensor:
    """Edges of the pet and its border."""
    rows, columns = (trimap != BACKGROUND).nonzero(as_tuple=True)
    return torch.stack((columns.min(), rows.min(), columns.max() + 1, rows.max() + 1))
