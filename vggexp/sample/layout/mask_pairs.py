"""Which photo belongs to which mask: two folders of equal names, or names side by side that differ by a suffix."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vggexp.errors import DataError, did_you_mean
from vggexp.sample.layout.folders import NAMES, folders_in, name_of, photos_below, split_folders
from vggexp.sample.layout.photo_index import without_ending
from vggexp.sample.record.problem import Problem
from vggexp.sample.record.record import Record

IMAGES = (
    "images",
    "imgs",
    "image",
    "img",
    "photos",
    "jpegimages",
    "pngimages",
    "rgb",
    "leftimg8bit",
    "input",
    "inputs",
)
MASKS = (
    "masks", "mask", "labels", "label", "annotations", "annotation", "annots", "annot", "segmentationclass",
    "segmentation", "groundtruth", "ground_truth", "gt", "targets", "pedmasks", "gtfine",
)  # fmt: skip
"""Names of folders, in lower case."""
SUFFIXES = ("_mask", "_gt", "_label", "_labels", "_seg", "_segmentation", "_l", "_annotation", "_labelids", "-mask")
"""What a mask's name adds to its photo's, in lower case."""


@dataclass(frozen=True)
class Places:
    """Where photos and masks lie: two folders, or twice the same."""

    images: Path
    masks: Path
    split: str | None = None


def is_masks_layout(folders: Iterable[str]) -> bool:
    """Whether folders of these names are of photos and masks, not of classes.

    >>> is_masks_layout(["Images", "masks"]), is_masks_layout(["mask", "no_mask"])
    (True, False)
    """
    names = {name.lower() for name in folders}
    return not names.isdisjoint(IMAGES) and not names.isdisjoint(MASKS)


def mask_places(root: Path, images: str | None, masks: str | None) -> list[Places]:
    """The folders of photos and masks of a layout; one place if they lie side by side.

    Args:
        images, masks: folders below the root, or below its folders train, val and test; None: by the usual names.

    Raises:
        DataError: a folder that was named is not there.
    """
    within: dict[str | None, Path] = {None: root, **split_folders(root)}
    pairs = [
        Places(photos, labels, split)
        for split, place in within.items()
        if (labels := _folder(place, masks, MASKS)) and (photos := _folder(place, images, IMAGES) or place)
    ]
    if masks is not None and not pairs:
        raise DataError(f"data.masks={masks} is no folder of {root}{_nearest(masks, root)}")
    if images is not None and not pairs:
        folders = {split: _folder(place, images, ()) for split, place in within.items()}
        pairs = [Places(place, place, split) for split, place in folders.items() if place]
        if not pairs:
            raise DataError(f"data.images={images} is no folder of {root}{_nearest(images, root)}")
    beside = [
        Places(place, labels, split)
        for split, place in split_folders(root).items()
        for labels in folders_in(root)
        if _is_mask_folder_of(place, labels)
    ]
    side_by_side = [Places(place, place, split) for split, place in (split_folders(root) or {None: root}).items()]
    return pairs or beside or side_by_side


def _folder(place: Path, named: str | None, usual: Sequence[str]) -> Path | None:
    if named is not None:
        return found if (found := place / named).is_dir() and ".." not in Path(named).parts else None
    by_name = {path.name.lower(): path for path in folders_in(place)}
    return next((by_name[name] for name in usual if name in by_name), None)


def _is_mask_folder_of(photos: Path, labels: Path) -> bool:
    """Whether a folder is named after another, as CamVid's "trainannot" and "train_labels" after "train"."""
    start, name = photos.name.lower(), labels.name.lower()
    return name.startswith(start) and name.removeprefix(start).lstrip("_-. ") in MASKS


def _nearest(word: str, root: Path) -> str:
    return did_you_mean(word, [name_of(path, root) for path in folders_in(root)])


def paired(places: Places, root: Path, suffix: str | None, problems: list[Problem]) -> Iterator[Record]:
    """A record for each photo with its mask, by name; what lacks its other half is added to the problems.

    Args:
        suffix: what a mask's name adds to its photo's; None: what fits most photos.
    """
    found = list(photos_below(places.images, root, problems))
    if places.images == places.masks:
        suffix = suffix or _best_suffix(_keyed(found, places.images), _keyed(found, places.images), SUFFIXES)
        labels = [path for path in found if suffix and _stem(path).lower().endswith(suffix.lower())]
        photos = sorted(set(found) - set(labels))
    else:
        labels = list(photos_below(places.masks, root, problems))
        photos = [path for path in found if not path.is_relative_to(places.masks)]
    photo_of, mask_of = _keyed(photos, places.images), _keyed(labels, places.masks)
    if suffix is None:
        suffix = _best_suffix(photo_of, mask_of, ("", *SUFFIXES))
    by_photo = _without_suffix(mask_of, suffix or "")
    for key, photo in photo_of.items():
        if mask := by_photo.pop(key, None):
            split = places.split or _split_in(key)
            yield Record(photo, name_of(photo, root), mask=mask, split=split, annotation=name_of(mask, root))
        else:
            problems.append(Problem("warning", "photo without a mask: left out", name_of(photo, root)))
    alone = "mask without a photo: left out"
    problems += [Problem("warning", alone, name_of(mask, root)) for mask in by_photo.values()]


def _keyed(files: Sequence[Path], folder: Path) -> dict[str, Path]:
    """Files by their path below the folder without the ending."""
    return {without_ending(name_of(path, folder)): path for path in files}


def _best_suffix(photos: Mapping[str, Path], masks: Mapping[str, Path], options: Sequence[str]) -> str:
    """The suffix under which most photos have a mask; the first of equals."""
    return max(options, key=lambda suffix: len(photos.keys() & _without_suffix(masks, suffix).keys()))


def _without_suffix(masks: Mapping[str, Path], suffix: str) -> dict[str, Path]:
    """The masks whose name ends with the suffix, by their photo's key."""
    return {
        key[: len(key) - len(suffix)]: path
        for key, path in masks.items()
        if key.lower().endswith(suffix.lower())
    }  # fmt: skip


def _stem(path: Path) -> str:
    return without_ending(path.name)


def _split_in(key: str) -> str | None:
    """The split that a photo's outermost folder is named after."""
    return NAMES.get(key.partition("/")[0].lower()) if "/" in key else None
