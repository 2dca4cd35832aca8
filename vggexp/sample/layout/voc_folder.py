"""The files of VOC's layout: where they lie, and which photo, XML file and mask belong together."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from vggexp.errors import DataError
from vggexp.sample.image_files import is_hidden
from vggexp.sample.layout.folders import folders_in, name_of
from vggexp.sample.record.problem import Problem

PHOTOS = ("jpegimages", "images")
"""Names of the photos' folder, in lower case; exporters that are not VOC's own often say "images"."""


@dataclass(frozen=True)
class VocFolder:
    """Where the files of a kind lie; photos and XML files may share one folder."""

    photos: Path
    annotations: Path
    masks: Path | None
    """SegmentationClass."""
    instances: Path | None
    """SegmentationObject."""
    sets: Path | None
    """ImageSets."""

    @property
    def is_flat(self) -> bool:
        """Whether photos and XML files lie side by side."""
        return self.photos == self.annotations


def voc_folder(root: Path) -> VocFolder:
    """The folders of VOC's layout in a folder, whatever the case of their names; itself where it has none of them."""
    found = {path.name.lower(): path for path in reversed(folders_in(root))}
    photos = next((found[name] for name in PHOTOS if name in found), root)
    annotations = found.get("annotations", photos) if photos != root else root
    return VocFolder(
        photos, annotations, found.get("segmentationclass"), found.get("segmentationobject"), found.get("imagesets")
    )


def require_no_folder_between(root: Path) -> None:
    """DataError if the layout's folders lie further down, as VOCdevkit/VOC2012/JPEGImages does."""
    for below in ("*/JPEGImages", "*/*/JPEGImages"):
        if (inner := sorted(root.glob(below))) and not voc_folder(root).is_flat:
            break
        if inner:
            more = f" (or {', '.join(str(path.parent) for path in inner[1:4])})" if len(inner) > 1 else ""
            raise DataError(f"data.root={root} has VOC's folders further down; give data.root={inner[0].parent}{more}")


def xml_below(folder: Path) -> Iterator[Path]:
    """The XML files in a folder and below it, without hidden ones; the ending may have any case."""
    for path in folder.rglob("*"):
        if path.suffix.lower() == ".xml" and not any(map(is_hidden, path.relative_to(folder).parts)):
            yield path


def by_stem(files: Iterable[Path], folder: Path, root: Path, problems: list[Problem]) -> dict[str, Path]:
    """Files by their paths below their folder, with "/" and without the ending: what belongs together has one stem.

    Of two files of one stem the first by name is taken, and the other is added to the problems.
    """
    found: dict[str, Path] = {}
    for path in sorted(files):
        first = found.setdefault(path.relative_to(folder).with_suffix("").as_posix(), path)
        if first != path:
            what = "file of the same name as another, but for the ending: left out"
            problems.append(Problem("warning", what, f"{name_of(path, root)} (beside {first.name})", "rename one"))
    return found
