"""PASCAL VOC's layout: JPEGImages, Annotations (XML), ImageSets, SegmentationClass; or photos and XML side by side.

Everingham, Van Gool, Williams, Winn & Zisserman, "The PASCAL Visual Object Classes (VOC) Challenge", IJCV 2010.
"""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Unpack

from vggexp.errors import require_known
from vggexp.sample.layout.folders import NAMES, name_of, photos_below
from vggexp.sample.layout.voc_file import VocFile, read_voc_file
from vggexp.sample.layout.voc_folder import VocFolder, by_stem, require_no_folder_between, voc_folder, xml_below
from vggexp.sample.layout.voc_lists import listed_splits
from vggexp.sample.layout.voc_masks import mask_values
from vggexp.sample.record.kept_listing import kept_listing
from vggexp.sample.record.photos import Photos, PhotoWords, folder
from vggexp.sample.record.problem import Problem
from vggexp.sample.record.record import Listing, Record

LISTS = ("Segmentation", "Main")
"""Segmentation comes first: it has few photos, and so no network that was trained by Main has seen those of its val."""
COUNTING = (
    "boxes are read as edges that count from 0, as nearly every exporter writes them",
    "boxes are read as pixels that count from 1, the last one included, as VOC's own kit writes them",
)
"""By ``first_pixel``."""
OTHER = "data=voc reads other data in this layout"


def voc(
    root: str,
    first_pixel: int = 0,
    lists: str | Sequence[str] = LISTS,
    mask_classes: Sequence[str] | None = None,
    **words: Unpack[PhotoWords],
) -> Photos:
    """Photos with VOC's annotations.

    Args:
        root: the folder that holds JPEGImages and Annotations; or photos and XML files side by side, as labelImg
            writes them, with or without train, val and test above.
        first_pixel: what the XML files call the first pixel of a row: 0, as nearly every exporter writes; 1, as
            VOC's own kit does, which then names the last pixel of a box, not the edge behind it.
        lists: the folders in ImageSets whose lists are the splits; where two differ, the first one holds. Empty: none.
        mask_classes: the classes of the values 0, 1, 2 ... in SegmentationClass. None: as ``labelmap.txt`` says, or
            background and then the classes of the boxes by alphabet, as in VOC itself.
        words: see ``Photos``.
    """
    index = words.pop("index_dir", None)
    return Photos(kept_listing(read, folder(root), first_pixel, lists, mask_classes, index=index), **words)


def recognize(root: Path) -> str | None:
    """What shows that a folder has this layout; None if nothing does."""
    place = voc_folder(root)
    xml = next(xml_below(place.annotations), None)
    if xml is not None and (found := read_voc_file(xml, xml.name, 0)).problems and not found.objects:
        return None
    if xml is not None and place.is_flat:
        beside = (path.stem == xml.stem for path in photos_below(xml.parent, root, []))
        return "photos and VOC's XML files side by side" if any(beside) else None
    if xml is not None:
        return f"photos in {place.photos.name} and VOC's XML files in {place.annotations.name}"
    return f"VOC's masks in {place.masks.name}" if place.masks else None


def read(
    root: Path,
    first_pixel: int = 0,
    lists: str | Sequence[str] = LISTS,
    mask_classes: Sequence[str] | None = None,
    classes: Sequence[str] = (),
) -> Listing:
    """List the photos, their objects and their masks.

    Args:
        root, first_pixel, lists, mask_classes: see ``voc``.
        classes: all classes in their order; empty: those that occur, by alphabet.

    Raises:
        ConfigError: an argument that cannot be.
        DataError: the layout's folders lie further down.
    """
    require_known("data.first_pixel", first_pixel, ("0", "1"))
    require_no_folder_between(root)
    place, problems = voc_folder(root), list[Problem]()
    photos = by_stem(photos_below(place.photos, root, problems), place.photos, root, problems)
    xmls = by_stem(xml_below(place.annotations), place.annotations, root, problems)
    masks = by_stem(photos_below(place.masks, root, problems), place.masks, root, problems) if place.masks else {}
    instances = by_stem(photos_below(place.instances, root, []), place.instances, root, []) if place.instances else {}
    problems += [Problem("warning", "annotation without its photo: left out", name_of(xmls[stem], root))
                 for stem in sorted(xmls.keys() - photos.keys())]  # fmt: skip
    splits, records = _splits(place, lists, photos, problems), []
    for stem, photo in photos.items():
        name, xml, mask = name_of(photo, root), xmls.get(stem), masks.get(stem)
        if splits and stem not in splits:
            problems.append(Problem("warning", "photo that no list names: left out", name))
            continue
        where = name_of(xml, root) if xml else ""
        found = read_voc_file(xml, where, first_pixel) if xml else None
        problems += _odd(found, where or name, has_mask=mask is not None)
        objects, size = (found.objects, found.size) if found else (None, None)
        records.append(Record(photo, name, (), objects, mask, instances.get(stem), size, split=splits.get(stem),
                              annotation=where))  # fmt: skip
    found_names = sorted({each.label for record in records for each in record.objects or ()})
    names = tuple(classes or found_names)
    for record in records:
        if unknown := {each.label for each in record.objects or ()} - set(names):
            where = f"{record.annotation} ({', '.join(sorted(unknown))})"
            problems.append(Problem("error", "object of a class that this data set does not have", where, OTHER))
    if found_names:
        remedy = f"if that is wrong, give data.first_pixel={1 - first_pixel}"
        problems.append(Problem("note", COUNTING[first_pixel], f"data.first_pixel={first_pixel}", remedy))
    any_mask = any(record.mask for record in records)
    values = mask_values(root, names, mask_classes, problems) if any_mask else None
    written = f"xmin, ymin, xmax, ymax in pixels from {first_pixel}"
    return Listing(
        tuple(records), names, values, tuple(problems), written, {"layout": "VOC", "first_pixel": first_pixel}
    )


def _splits(
    place: VocFolder, lists: str | Sequence[str], photos: Collection[str], problems: list[Problem]
) -> dict[str, str]:
    """By photo: the split of a list, or of the folder that it lies in; {} if neither says any."""
    kinds = [lists] if isinstance(lists, str) else lists
    splits = listed_splits(place.sets, kinds, photos, problems) if place.sets else {}
    parts = {stem: stem.partition("/")[0].lower() for stem in photos if "/" in stem}
    return splits or {stem: NAMES[part] for stem, part in parts.items() if part in NAMES}


def _odd(found: VocFile | None, where: str, has_mask: bool) -> tuple[Problem, ...]:
    """What is odd about a photo's annotation."""
    if found is None:
        return () if has_mask else (Problem("warning", "photo without an annotation", where),)
    if not found.objects and not found.problems:
        return (Problem("warning", "annotation without an object: the photo shows nothing", where),)
    return found.problems
