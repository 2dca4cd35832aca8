"""Oxford-IIIT Pet: photos of cats and dogs with breed, head box and trimap.

Parkhi, Vedaldi, Zisserman & Jawahar, "Cats and Dogs", CVPR 2012; https://www.robots.ox.ac.uk/~vgg/data/pets/.
"""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from vggexp.errors import ConfigError, DataError, did_you_mean
from vggexp.sample.files import Files, Stored, scaled
from vggexp.sample.header import read_header
from vggexp.sample.image import Shrink, read_shrunk
from vggexp.sample.layout.pets_folder import BACKGROUND, PetsFolder, breed_of, fetch
from vggexp.sample.picture import Size
from vggexp.sample.resize import Recipe
from vggexp.sample.transform import Transform
from vggexp.sample.voc_xml import Annotation, place
from vggexp.types import VOID, DataInfo

BORDERS = {"void": VOID, "pet": 1, "class": 2}
"""The mask label of the trimap's border, by the argument ``border``; the background is 0, the pet 1."""


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
        if download:
            fetch(root)
        self._folder = PetsFolder(root)
        trainval, test = self._folder.listed("trainval"), self._folder.listed("test")
        self._trainval, self._test = list(trainval), [name for name in test if name not in trainval]
        masks = ("background", "pet", "border") if border == "class" else ("background", "pet")
        self.info = DataInfo(classes=_breeds(trainval | test, classes), mask_classes=masks)
        self._box, self._border, self._decode_scale = box, BORDERS[border], decode_scale
        self._train = Transform(train_transform, eval_transform)
        self._eval = Transform(eval_transform)
        self._heads: dict[str, Annotation] | None = None

    def split(self, name: str, needs: frozenset[str], *, augment: bool = False) -> Files:
        """Split "train", "val" or "test", of the listed images that have every target in ``needs``.

        Raises:
            DataError: no such image, or none of a class to train on; a listed file is missing; a bad annotation.
        """
        headed = "box" in needs and self._box == "head"
        heads = self._parsed_heads() if headed else None
        names = [each for each in self._names(name, headed) if heads is None or each in heads]
        self._check(names, name, needs)
        photos = _Photos(self._folder, names, self.info.classes, needs=needs, heads=heads, border=self._border)
        self._folder.require(photos.expected())
        return Files(photos, self._train if augment else self._eval, self._decode_scale)

    def _names(self, split: str, headed: bool) -> list[str]:
        """A split's images in the order of their digests: breeds mixed, so that the first few already show several."""
        if split == "test" and not headed:
            chosen = [name for name in self._test if breed_of(name) in self.info.classes]
        else:
            chosen = [name for breed in self.info.classes for name in self._divided(breed, headed)[split]]
        return sorted(chosen, key=_digest)

    def _divided(self, breed: str, halved: bool) -> dict[str, list[str]]:
        """The breed's trainval images, a fifth of them held."""
        ranked = sorted((name for name in self._trainval if breed_of(name) == breed), key=_digest)
        held = len(ranked) // 5
        val = held // 2 if halved else held
        return {"val": ranked[:val], "test": ranked[val:held], "train": ranked[held:]}

    def _parsed_heads(self) -> dict[str, Annotation]:
        if self._heads is None:
            self._heads = self._folder.heads(name for name in self._trainval if breed_of(name) in self.info.classes)
        return self._heads

    def _check(self, names: list[str], split: str, needs: frozenset[str]) -> None:
        """There are images, and of each class some to train on."""
        folder = self._folder.path
        if not names:
            least = "; a class needs 5 images in trainval.txt, with data.box=head 10 that have a head; see data.classes"
            raise DataError(f"{folder}: no image in split {split!r} has {sorted(needs)}{least}")
        untrained = set(self.info.classes) - {breed_of(name) for name in names}
        if untrained and split == "train" and "label" in needs:
            raise DataError(f"{folder}: no image of {min(untrained)!r} to train on; leave it out of data.classes")


class _Photos:
    """The images of one split, each read when asked for."""

    def __init__(
        self,
        folder: PetsFolder,
        names: list[str],
        classes: tuple[str, ...],
        *,
        needs: frozenset[str],
        heads: dict[str, Annotation] | None,
        border: int,
    ) -> None:
        self.names, self._folder, self._needs = names, folder, needs
        self.labels = [classes.index(breed_of(name)) for name in names]
        self._heads = None if heads is None else [heads[name] for name in names]
        self._body = "box" in needs and heads is None
        self.has_masks = "mask" in needs
        self._reads_trimaps = self._body or self.has_masks
        self.facts: object = [sorted(needs), classes, "head" if heads else "body", border]
        # by the trimap's PET, BACKGROUND, BORDER
        self._mask_labels = torch.tensor([VOID, 1, 0, border], dtype=torch.uint8)

    def __len__(self) -> int:
        return len(self.names)

    def expected(self) -> list[Path]:
        """The files that a run would otherwise miss only once it has come to that image."""
        trimaps = [self._folder.trimap(name) for name in self.names] if self._reads_trimaps else []
        return [*map(self._folder.image, self.names), *trimaps]

    def files(self, index: int) -> tuple[Path, ...]:
        name = self.names[index]
        trimap = [self._folder.trimap(name)] if self._reads_trimaps else []
        return (self._folder.image(name), *trimap, *([] if self._heads is None else [self._folder.xml(name)]))

    def check(self, index: int) -> None:
        name = self.names[index]
        photo = read_header(self._folder.image(name))
        if self._heads is not None:
            place(self._heads[index], photo)
        if self._reads_trimaps:
            self._folder.check_trimap(name, photo)

    def placed(self, index: int) -> tuple[Size, Tensor]:
        photo = read_header(self._folder.image(self.names[index]))
        found = [] if self._heads is None else [place(self._heads[index], photo)]
        return photo.size, torch.stack(found) if found else torch.zeros(0, 4)

    def read(self, index: int, shrink: Shrink) -> Stored:
        name = self.names[index]
        photo = read_shrunk(self._folder.image(name), shrink)
        stored: Stored = {"image": photo.image, "size": photo.size}
        if "label" in self._needs:
            stored["label"] = self.labels[index]
        if self._heads is not None:
            stored["box"] = scaled(place(self._heads[index], photo), photo.size, photo.image)
        if self._reads_trimaps:
            trimap = self._folder.read_trimap(name, photo)
            if "mask" in self._needs:
                stored["mask"] = self._mask_labels[trimap.long()]
            if self._body:
                stored["box"] = scaled(_extent(trimap), photo.size, photo.image)
        return stored


def _breeds(numbers: dict[str, int], chosen: Sequence[str] | None) -> tuple[str, ...]:
    """The breeds to use, without repetition: those chosen, or all in the order of the official class numbers."""
    number_of = {breed_of(name): number for name, number in numbers.items()}
    breeds = sorted(number_of, key=lambda breed: number_of[breed])
    chosen = [chosen] if isinstance(chosen, str) else chosen  # data.classes=Bengal
    for breed in chosen or ():
        _choose("classes", breed, breeds)
    return tuple(dict.fromkeys(chosen or breeds))


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def _choose(argument: str, value: str, options: Iterable[str]) -> None:
    if value not in options:
        raise ConfigError(f"data.{argument} has no {value!r}{did_you_mean(value, options)}")


def _extent(trimap: Tensor) -> Tensor:
    """Edges of the pet and its border."""
    rows, columns = (trimap != BACKGROUND).nonzero(as_tuple=True)
    return torch.stack((columns.min(), rows.min(), columns.max() + 1, rows.max() + 1))
