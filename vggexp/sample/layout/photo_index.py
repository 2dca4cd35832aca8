"""Finds photos by the names in lists, tables and label files; no name can lead out of ``data.root``."""

from collections import defaultdict
from collections.abc import Iterable
from posixpath import normpath

from vggexp.sample.image_files import AVIF, SUFFIXES

_ENDINGS = SUFFIXES | {AVIF}


class PhotoIndex:
    """Looks photos up.

    Args:
        names: the photos' paths below the root, with "/".
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._whole: dict[str, list[str]] = defaultdict(list)
        self._ends: dict[str, list[str]] = defaultdict(list)
        for name in names:
            without = without_ending(name)
            for key in (name, without):
                self._whole[key].append(name)
                parts = key.split("/")
                for start in range(1, len(parts)):
                    self._ends["/".join(parts[start:])].append(name)

    def find(self, text: str, base: str = "") -> list[str]:
        r"""The photos that a text may mean: none, one, or several.

        The text is a path below ``base`` or below the root, or how one ends, with or without the photo's ending. Of
        a path that begins elsewhere (absolute, or with "..") as much counts as the root has, at least a folder and a
        name: lists are written on one machine and read on another.

        >>> index = PhotoIndex(["train/1.jpg", "val/1.jpg", "val/2.jpg"])
        >>> index.find("2"), index.find("train/1.jpg"), index.find("1"), index.find("/home/me/pets/val/1.png")
        (['val/2.jpg'], ['train/1.jpg'], ['train/1.jpg', 'val/1.jpg'], ['val/1.jpg'])
        >>> index.find("2.jpg", base="train"), index.find("../2.jpg"), index.find("test/2.jpg")
        (['val/2.jpg'], [], [])
        """
        path = text.strip().replace("\\", "/")
        if is_elsewhere(path):
            return self._from_elsewhere(path)
        for whole in (normpath(f"{base}/{path}") if base else "", normpath(path)):
            if found := self._either(self._whole, whole):
                return found
        return self._either(self._ends, normpath(path))

    def _from_elsewhere(self, path: str) -> list[str]:
        parts = [part for part in path.split("/") if part not in ("", ".", "..")]
        for start in range(len(parts)):
            rest = "/".join(parts[start:])
            found = self._either(self._whole, rest) if not path.startswith("..") or "/" in rest else []
            if found or ("/" in rest and (found := self._either(self._ends, rest))):
                return found
        return []

    def _either(self, table: dict[str, list[str]], path: str) -> list[str]:
        """The photos of a path as it is; else, if it ends as images do, of the same path whatever the ending."""
        return table.get(path) or table.get(without_ending(path)) or []


def is_elsewhere(path: str) -> bool:
    """Whether a path with "/" begins outside the folder that it is read in."""
    return path.startswith("/") or path[1:3] == ":/" or normpath(path).startswith("..")


def without_ending(name: str) -> str:
    """A name without an image's ending; other dots stay.

    >>> without_ending("a/v1.2.JPG"), without_ending("a/v1.2")
    ('a/v1.2', 'a/v1.2')
    """
    stem, dot, ending = name.rpartition(".")  # pathlib takes seconds for 100,000 names
    return stem if dot and f".{ending.lower()}" in _ENDINGS else name
