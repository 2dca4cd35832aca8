"""VOC's lists, ``ImageSets/<kind>/<split>.txt``: which photo is in which split.

``Main/cat_train.txt`` and its like tell which photos show a cat, not which are for training; they are not read.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from vggexp.sample.image_files import SUFFIXES
from vggexp.sample.layout.folders import NAMES
from vggexp.sample.record.problem import Problem

ENDINGS = SUFFIXES | {".xml"}


def listed_splits(
    sets: Path, kinds: Sequence[str], photos: Collection[str], problems: list[Problem]
) -> dict[str, str]:  # fmt: skip
    """The split of each photo that a list names.

    Args:
        sets: the folder ``ImageSets``.
        kinds: the folders in it that are read, such as Main. Where two differ, the first one holds.
        photos: the photos that there are, by their paths in the photos' folder, without the ending.
        problems: what is wrong is added to it.
    """
    splits: dict[str, str] = {}
    for kind in kinds:
        own = _splits_of_kind(sets / kind, photos, problems)
        for photo in own.keys() & splits.keys():
            if splits[photo] != own[photo]:
                what = f"photo that {sets.name}/{kind} puts into another split than an earlier one of data.lists: left"
                problems.append(Problem("warning", what, f"{photo} (in {splits[photo]}, not {own[photo]})"))
        splits = own | splits
    return splits


def _splits_of_kind(folder: Path, photos: Collection[str], problems: list[Problem]) -> dict[str, str]:
    """By the lists in one folder."""
    splits: dict[str, str] = {}
    for split, path in _lists(folder).items():
        where = f"{folder.parent.name}/{folder.name}/{path.name}"
        for photo in _photos_in(path, where, photos, problems):
            if (other := splits.setdefault(photo, split)) != split:
                what = f"photo in the lists of {other} and of {split}"
                problems.append(Problem("error", what, f"{where} ({photo})", "take it out of one of them"))
    return splits


def _lists(folder: Path) -> Mapping[str, Path]:
    """By split, the file that lists it: train, val, test; trainval is train where neither train nor val is there."""
    texts = sorted(folder.glob("*")) if folder.is_dir() else []
    found = {path.stem.lower(): path for path in texts if path.suffix.lower() == ".txt" and path.is_file()}
    lists = {NAMES[stem]: path for stem, path in found.items() if stem in NAMES}
    if "trainval" in found and not lists.keys() & {"train", "val"}:
        lists["train"] = found["trainval"]
    return {split: lists[split] for split in ("train", "val", "test") if split in lists}


def _photos_in(path: Path, where: str, photos: Collection[str], problems: list[Problem]) -> Iterator[str]:
    """The photos that a list names and that there are."""
    try:
        content = path.read_bytes()
    except OSError as error:
        problems.append(Problem("error", "list that cannot be read", f"{where} ({error.strerror})", "check the file"))
        return
    for number, line in enumerate(_text(content).splitlines(), 1):
        if not (word := line.strip()):
            continue
        names = list(_meant(word))
        if not names:
            advice = "name photos by their paths in the photos' folder, without the ending"
            problems.append(Problem("error", "list that names a file outside the folder", f"{where}:{number}", advice))
        elif photo := next((name for name in names if name in photos), None):
            yield photo
        else:
            problems.append(
                Problem("warning", "photo that a list names, but that is missing", f"{where}:{number} ({word})")
            )


def _text(content: bytes) -> str:
    """UTF-8 with or without a BOM, UTF-16 with one, else Latin-1, which every byte string is."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _meant(word: str) -> Iterator[str]:
    r"""What a line may mean, the likeliest first; nothing if it leads out of the folder.

    >>> list(_meant("a b")), list(_meant("JPEGImages\\3.jpg")), list(_meant("7  -1")), list(_meant("../7"))
    (['a b'], ['JPEGImages/3.jpg', 'JPEGImages/3', '3.jpg', '3'], ['7  -1', '7'], [])
    """
    path = PurePosixPath(word.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or path.parts[0].endswith(":"):
        return
    below = PurePosixPath(*path.parts[1:])
    for each in (path, below) if path.parts[0].lower() in ("jpegimages", "images", "annotations") else (path,):
        yield str(each)
        if each.suffix.lower() in ENDINGS:
            yield str(each.with_suffix(""))
    name, _, number = word.rpartition(" ")
    if number in ("-1", "0", "1") and name:  # as the lists of one class say whether it is there
        yield name.rstrip()
