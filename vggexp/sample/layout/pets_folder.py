"""The files of Oxford-IIIT Pet: where they lie, how they are fetched, and what each kind of them says.

They lie as torchvision.datasets.OxfordIIITPet lays and downloads them; the head boxes, which it does not read, are VOC
XML in ``annotations/xmls``.
"""

from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path

from torch import Tensor
from torchvision.datasets import OxfordIIITPet

from vggexp.errors import DataError
from vggexp.sample.mask_file import check_mask, read_mask, upright_mask
from vggexp.sample.picture import Header
from vggexp.sample.voc_xml import Annotation, read_annotation

PET, BACKGROUND, BORDER = 1, 2, 3
"""The trimap's labels."""

FETCH = "fetch the data with data.download=true, or point data.root at the folder that holds oxford-iiit-pet"


class PetsFolder:
    """The folder ``oxford-iiit-pet`` below a root; every image goes by its name, such as "Bengal_12"."""

    def __init__(self, root: str) -> None:
        self.path = Path(root) / "oxford-iiit-pet"
        self._annotations = self.path / "annotations"

    def image(self, name: str) -> Path:
        """The photo. Its ending, as that of all files here, may be in capitals."""
        return self._images.get(name, self.path / "images" / f"{name}.jpg")

    def trimap(self, name: str) -> Path:
        """Which of its pixels are pet, background, border."""
        return self._trimaps.get(name, self._annotations / "trimaps" / f"{name}.png")

    def xml(self, name: str) -> Path:
        """The boxes of its heads; not every image has one."""
        return self._xmls.get(name, self._annotations / "xmls" / f"{name}.xml")

    @cached_property
    def _images(self) -> dict[str, Path]:
        return _files_in(self.path / "images", ".jpeg", ".jpg")

    @cached_property
    def _trimaps(self) -> dict[str, Path]:
        return _files_in(self._annotations / "trimaps", ".png")

    @cached_property
    def _xmls(self) -> dict[str, Path]:
        return _files_in(self._annotations / "xmls", ".xml")

    def listed(self, name: str) -> dict[str, int]:
        """One of the official lists, "trainval" or "test": its images' names, and the number of each one's class.

        Raises:
            DataError: the list is missing or unreadable.
        """
        path = self._annotations / f"{name}.txt"
        try:
            lines = path.read_text(encoding="utf-8-sig").splitlines()  # some editors begin a file with a BOM
            rows = [line.split() for line in lines if line.strip() and not line.startswith("#")]
            numbers = {row[0]: int(row[1]) for row in rows}
        except FileNotFoundError:
            raise DataError(f"{path} is missing; {FETCH}") from None
        except OSError as error:
            raise DataError(f"{path} cannot be read ({error.strerror}); check its permissions") from error
        except (IndexError, ValueError) as error:
            raise DataError(f"{path} has a line that is not 'name class ...' ({error}); restore the file") from error
        _check_numbers(path, numbers)
        return numbers

    def heads(self, names: Iterable[str]) -> dict[str, Annotation]:
        """The largest head of each of these images that has one."""
        found = {name: read_annotation(self._xmls[name]) for name in names if name in self._xmls}
        return {name: head for name, head in found.items() if head}

    def require(self, paths: list[Path]) -> None:
        """DataError unless all of these files are there; opens none."""
        present = {folder: _names_in(folder) for folder in {path.parent for path in paths}}
        if lost := [path for path in paths if path.name not in present[path.parent]]:
            more = f" (and {len(lost) - 1} more)" if len(lost) > 1 else ""
            raise DataError(
                f"{lost[0]} is missing{more}; restore it, or take its name out of the lists in annotations/"
            )

    def check_trimap(self, name: str, photo: Header) -> None:
        """DataError unless the trimap's file is whole and has its photo's size; decodes no pixels."""
        check_mask(self.trimap(name), photo)

    def read_trimap(self, name: str, photo: Header) -> Tensor:
        """uint8, (H, W): PET, BACKGROUND or BORDER of each pixel of the upright photo.

        Raises:
            DataError: it is of another size, has other labels, or shows no pet.
        """
        trimap = upright_mask(read_mask(path := self.trimap(name)), photo, path)
        if trimap.min() < PET or trimap.max() > BORDER:
            labels = f"{PET} pet, {BACKGROUND} background, {BORDER} border"
            raise DataError(f"{path} has labels other than {labels}; restore it")
        if (trimap == BACKGROUND).all():
            raise DataError(f"{path} shows no pet; restore it, or take its name out of the lists in annotations/")
        return trimap


def fetch(root: str) -> None:
    """Fetch what is missing, 0.8 GB; DataError if that fails."""
    try:
        OxfordIIITPet(root, download=True)
    except (OSError, RuntimeError, ValueError) as error:
        raise DataError(
            f"{root}: the download of Oxford-IIIT Pet failed ({error}); check the network and the folder"
        ) from error


def breed_of(name: str) -> str:
    """An image's class, which its name begins with.

    >>> breed_of("american_bulldog_6")
    'american_bulldog'
    """
    return name.rpartition("_")[0]


def _check_numbers(path: Path, numbers: Mapping[str, int]) -> None:
    """DataError unless each class, as the images' names begin, has one number, and each number is of one class."""
    number_of: dict[str, int] = {}
    class_of: dict[int, str] = {}
    for name, number in numbers.items():
        breed = breed_of(name)
        same = number_of.setdefault(breed, number) == number and class_of.setdefault(number, breed) == breed
        if not same or not breed:
            by_name = f"of class '{breed}' by its name, the part before the last underscore"
            raise DataError(
                f"{path}: {name} is of class {number} by its number and {by_name}, and other lines say otherwise; "
                "name each image CLASS_NUMBER, with one number a class"
            )


def _files_in(folder: Path, *endings: str) -> dict[str, Path]:
    """By name without the ending: the files with these endings, in any case; of two, the one in small letters."""
    found = map(folder.joinpath, sorted(_names_in(folder)))
    return {path.stem: path for path in found if path.suffix.lower() in endings}


def _names_in(folder: Path) -> set[str]:
    try:
        return {path.name for path in folder.iterdir()}
    except FileNotFoundError:
        raise DataError(f"{folder} is missing; {FETCH}") from None
    except OSError as error:
        raise DataError(f"{folder} cannot be read ({error.strerror}); check its permissions") from error
