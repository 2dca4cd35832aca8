"""Photos with a mask each: in two folders of equal names, or side by side, such as ``x.jpg`` and ``x_mask.png``."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Unpack

from vggexp.errors import DataError
from vggexp.sample.layout.folders import folders_in, name_of
from vggexp.sample.layout.mask_meaning import meaning
from vggexp.sample.layout.mask_pairs import mask_places, paired
from vggexp.sample.layout.mask_proposal import strays
from vggexp.sample.layout.mask_scan import scanned
from vggexp.sample.layout.mask_words import Values, mask_words
from vggexp.sample.layout.split_lists import split_lists, with_listed_splits
from vggexp.sample.record.kept_listing import kept_listing
from vggexp.sample.record.photos import Photos, PhotoWords, folder
from vggexp.sample.record.problem import Problem
from vggexp.sample.record.record import Listing, Record


def mask_folder(
    root: str,
    images: str | None = None,
    masks: str | None = None,
    suffix: str | None = None,
    colors: Mapping[str, Sequence[int]] | None = None,
    mask_values: Values | None = None,
    mask_classes: Sequence[str] | None = None,
    ignore: Any = None,
    **words: Unpack[PhotoWords],
) -> Photos:
    """Photos and their masks.

    Args:
        root: a folder with images/ and masks/, or train/ and trainannot/, or photos and masks side by side; with
            folders train, val and test above or below those, or lists train.txt, val.txt and test.txt, or neither.
        images, masks: the folders of photos and masks, if their names are unusual.
        suffix: what a mask's name adds to its photo's.
        colors, mask_values, mask_classes, ignore: see ``MaskWords``.
        words: see ``Photos``.
    """
    own = images, masks, suffix, colors, mask_values, mask_classes, ignore
    return Photos(kept_listing(read, folder(root), *own, index=words.pop("index_dir", None)), **words)


def recognize(root: Path) -> str | None:
    """What shows that a folder has this layout; None if nothing does."""
    if (root / "ImageSets").is_dir() and (root / "Annotations").is_dir():
        return None  # VOC, which has more to say of its photos
    found = _pairs(root, None, None, None, [])
    if not found:
        return None
    first = found[0]
    return f"{len(found)} photos with masks, such as {first.name} with {first.annotation}"


def read(
    root: Path,
    images: str | None = None,
    masks: str | None = None,
    suffix: str | None = None,
    colors: Mapping[str, Sequence[int]] | None = None,
    mask_values: Values | None = None,
    mask_classes: Sequence[str] | None = None,
    ignore: Any = None,
) -> Listing:
    """List the photos, and look at every mask for what its values mean.

    Raises:
        ConfigError: words that contradict.
        DataError: no photo has a mask.
    """
    words, problems = mask_words(colors, mask_values, mask_classes, ignore), list[Problem]()
    records = _pairs(root, images, masks, suffix, problems)
    if not records:
        raise DataError(_nothing(root, suffix))
    records = with_listed_splits(records, split_lists(root), root, problems)
    scan = scanned(records, bool(words.colors), problems)
    values = meaning(scan, records, words, problems) if scan else None
    problems += strays(scan, records, values) if values else []
    return Listing(tuple(sorted(records, key=lambda record: record.name)), masks=values, problems=tuple(problems))


def _pairs(
    root: Path, images: str | None, masks: str | None, suffix: str | None, problems: list[Problem]
) -> Sequence[Record]:
    places = mask_places(root, images, masks)
    return [record for place in places for record in paired(place, root, suffix, problems)]


def _nothing(root: Path, suffix: str | None) -> str:
    """Why no photo has a mask."""
    has = ", ".join(name_of(path, root) for path in folders_in(root)[:8]) or "no folder"
    looked = f"no mask's name is its photo's with {suffix!r}" if suffix else "no photo has a mask of its name"
    return (
        f"{root} has {has}, and {looked}; name the folders with data.images= and data.masks=, and what masks' names "
        "add with data.suffix=, such as _mask"
    )
