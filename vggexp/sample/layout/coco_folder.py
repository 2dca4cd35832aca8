"""The files of COCO's layout: which JSON files are read, for which split, and where their photos lie."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from posixpath import basename, normpath

from vggexp.errors import ConfigError, DataError, did_you_mean
from vggexp.sample.image_files import is_hidden
from vggexp.sample.layout.folders import NAMES, folders_in, split_folders

Files = Mapping[Path, str | None]
"""Annotation files, each with its split."""
Named = str | Sequence[str] | Mapping[str, str]
OTHER_KINDS = ("captions", "person_keypoints", "stuff", "panoptic", "image_info")
"""Prefixes of COCO's files for other tasks."""
PROBE, ENOUGH = 2**20, 200
"""Number of bytes of a file, and of its photos, that are enough to recognise it."""


def annotation_files(root: Path, named: Named | None) -> Files:
    """The files that the user names; otherwise those in the root, in annotations, and in train, val and test.

    Raises:
        ConfigError: a split that is none.
        DataError: no file, or several of one split or of none.
    """
    if named is not None:
        return _named(root, named)
    found = {path: _split_of(path) for path in _found(root)}
    if not found:
        raise DataError(f"data.root={root} has no annotation file of COCO's kind; name it: data.annotations=FILE.json")
    if len(found) > 1 and (None in found.values() or len(set(found.values())) < len(found)):
        names = ", ".join(path.relative_to(root).as_posix() for path in found)
        raise DataError(
            f"data.root={root} has several annotation files, and their names do not say one split each ({names}); "
            "name those to read: data.annotations={train: FILE.json, val: FILE.json}"
        )
    return found


def _named(root: Path, named: Named) -> Files:
    if isinstance(named, Mapping):
        if unknown := [key for key in named if key.lower() not in NAMES]:
            raise ConfigError(f"data.annotations has no split {unknown[0]!r}{did_you_mean(unknown[0], NAMES)}")
        return {root / Path(path).expanduser(): NAMES[split.lower()] for split, path in named.items()}
    listed = [named] if isinstance(named, str) else named
    return {path: _split_of(path) for path in (root / Path(each).expanduser() for each in listed)}


def _found(root: Path) -> list[Path]:
    places = [root, *(each for each in folders_in(root) if each.name.lower() == "annotations")]
    files = [path for place in (*places, *split_folders(root).values()) for path in sorted(place.iterdir())
             if path.suffix.lower() == ".json" and not is_hidden(path.name) and path.is_file()]  # fmt: skip
    instances = [path for path in files if path.stem.lower().startswith("instances")]
    others = [path for path in files if not path.stem.lower().startswith(OTHER_KINDS)]
    return instances or [path for path in others if _is_coco(path)]


def _is_coco(path: Path) -> bool:
    """Whether a JSON file names COCO's lists near its beginning or its end."""
    with path.open("rb") as file:
        text = file.read(PROBE)
        file.seek(max(0, path.stat().st_size - PROBE))
        text += file.read(PROBE)
    return sum(key in text for key in (b'"images"', b'"annotations"', b'"categories"')) >= 2


def _split_of(path: Path) -> str | None:
    """The split, from the words in the file's name or its folder's; None if they name none or several.

    >>> [_split_of(Path(each)) for each in ("a/instances_val2017.json", "valid/_annotations.coco.json", "x.json")]
    ['val', 'val', None]
    """
    words = re.findall("[a-z]+", path.stem.lower())
    splits = {NAMES[word] for word in words if word in NAMES} | ({"train"} if "trainval" in words else set())
    return splits.pop() if len(splits) == 1 else None if splits else NAMES.get(path.parent.name.lower())


class PhotoFinder:
    """Finds the photos of annotation files.

    Args:
        photos: all photos, by their paths below the photos' folder, with "/".
    """

    def __init__(self, photos: Mapping[str, Path]) -> None:
        self._photos = photos
        self._lower = {name.lower(): name for name in photos}
        self._by_name = defaultdict(list)
        for name in self._lower:
            self._by_name[basename(name)].append(name)

    def base(self, file_names: Sequence[str], split: str | None, beside: str) -> str:
        """The folder, "" or with "/" at its end, that these names are below: the one with most of them.

        Where several have as many, the file's own folder is taken, else one named after the split, else the highest.

        Args:
            beside: the annotation file's folder, as photos are named.
        """
        counts: Counter[str] = Counter()
        for file_name in map(str.lower, map(slashes, file_names[:ENOUGH])):
            ends = (name for name in self._by_name.get(basename(file_name), ()) if f"/{name}".endswith(f"/{file_name}"))
            counts.update(name[: len(name) - len(file_name)] for name in ends)

        def rank(base: str) -> tuple[int, bool, bool, int]:
            of_split = split is not None and split in {_split_of(Path(part)) for part in base.split("/")}
            return counts[base], base == f"{beside.lower()}/", of_split, -len(base)

        return max(sorted(counts), key=rank, default="")

    def find(self, base: str, file_name: str) -> str | None:
        """The photo of a name below a base, whatever the case of the letters; None if it is missing."""
        whole = base + slashes(file_name)
        return whole if whole in self._photos else self._lower.get(whole.lower())


def slashes(file_name: str) -> str:
    r"""A path with "/".

    >>> slashes("images\\1.jpg"), slashes("./1.jpg")
    ('images/1.jpg', '1.jpg')
    """
    return normpath(file_name.replace("\\", "/"))


def leads_out(file_name: str) -> bool:
    """Whether a path begins outside the photos' folder."""
    path = slashes(file_name)
    return path.startswith(("/", "..")) or path[1:2] == ":"
