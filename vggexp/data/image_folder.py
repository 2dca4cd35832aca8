"""Class folders, as torchvision's ImageFolder and ImageNet lay them: ``[train|val|test/]<class>/**/<photo>``."""

from pathlib import Path
from typing import Unpack

from vggexp.sample.layout.folders import folders_in, name_of, photos_below, split_folders
from vggexp.sample.layout.mask_pairs import is_masks_layout
from vggexp.sample.record.kept_listing import kept_listing
from vggexp.sample.record.photos import Photos, PhotoWords, folder
from vggexp.sample.record.problem import Problem
from vggexp.sample.record.record import Listing, Record, names_in_order


def image_folder(root: str, **words: Unpack[PhotoWords]) -> Photos:
    """Photos whose folder is their class.

    Args:
        root: a folder of class folders; or of train, val and test (or valid, validation ...) above class folders.
        words: see ``Photos``.
    """
    return Photos(kept_listing(read, folder(root), index=words.pop("index_dir", None)), **words)


def recognize(root: Path) -> str | None:
    """What shows that a folder has this layout; None if nothing does."""
    kinds = list((split_folders(root) or {None: root}).values())
    classes = [each for kind in kinds for each in folders_in(kind)]
    with_photos = [each for each in classes if next(photos_below(each, root, []), None)]
    loose = next((path for kind in kinds for path in photos_below(kind, root, []) if path.parent == kind), None)
    names = {each.name for each in with_photos}
    if len(names) < 2 or loose or is_masks_layout(names):
        return None
    return f"photos in {len(names)} class folders"


def read(root: Path) -> Listing:
    """List the photos; a class folder without photos is a warning."""
    records, problems, classes = [], list[Problem](), set[str]()
    for split, parent in (split_folders(root) or {None: root}).items():
        for place in folders_in(parent):
            photos = list(photos_below(place, root, problems))
            if photos:
                classes.add(place.name)
            else:
                problems.append(Problem("warning", "class folder without photos: no class", name_of(place, root)))
            records += [Record(photo, name_of(photo, root), labels=(place.name,), split=split) for photo in photos]
    return Listing(tuple(records), names_in_order(classes), problems=tuple(problems))
