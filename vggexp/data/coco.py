"""COCO's layout: photos, and JSON files with boxes, outlines (polygons or run lengths) and crowds of all of them.

Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014; https://cocodataset.org/#format-data.
"""

from pathlib import Path
from typing import Unpack

from vggexp.errors import DataError
from vggexp.sample.layout.coco_folder import Named, PhotoFinder, annotation_files, leads_out
from vggexp.sample.layout.coco_json import CocoJson, read_json
from vggexp.sample.layout.coco_objects import id_problems, objects_by_image, size_of
from vggexp.sample.layout.folders import name_of, photos_below
from vggexp.sample.record.kept_listing import kept_listing
from vggexp.sample.record.photos import Photos, PhotoWords, folder
from vggexp.sample.record.problem import Problem
from vggexp.sample.record.record import Listing, Record

WRITTEN = "[left, top, width, height] in pixels"
"""How COCO writes boxes."""


def coco(
    root: str, annotations: Named | None = None, images: str | None = None, **words: Unpack[PhotoWords]
) -> Photos:  # fmt: skip
    """Photos with COCO's annotations. Masks are painted from the outlines.

    Args:
        root: the folder that holds both.
        annotations: a JSON file below the root, several, or one by split: {train: FILE, val: FILE}. None: those that
            are found; their names or folders say the splits, as instances_train2017.json and valid/x.json do.
        images: the photos' folder, if it is not below the root, or if photos of one name are in several folders.
        words: see ``Photos``.
    """
    place, index = folder(root), words.pop("index_dir", None)
    beside = [*annotation_files(place, annotations), *([place / Path(images).expanduser()] if images else [])]
    return Photos(kept_listing(read, place, annotations, images, index=index, beside=beside), **words)


def recognize(root: Path) -> str | None:
    """What shows that a folder has this layout; None if nothing does."""
    try:
        files = annotation_files(root, None)
    except DataError as error:
        return "several files of COCO's kind" if "several" in str(error) else None
    return f"COCO's annotations in {', '.join(name_of(path, root) for path in files)}"


def read(root: Path, annotations: Named | None = None, images: str | None = None) -> Listing:
    """List the photos and their objects; classes come in the order of their ids.

    Raises:
        ConfigError, DataError: as ``annotation_files`` and ``read_json``; or ``images`` is no folder.
    """
    files = annotation_files(root, annotations)
    place = root / Path(images).expanduser() if images is not None else root
    if not place.is_dir():
        raise DataError(f"data.images={images} is no folder below data.root={root}; give the photos' folder")
    problems = list[Problem]()
    top = root if place.is_relative_to(root) else place
    photos = {name_of(path, top): path for path in photos_below(place, top, problems)}
    finder, records, classes = PhotoFinder(photos), dict[str, Record](), dict[str, None]()
    for path in files:
        found, where = read_json(path), _called(path, root)
        classes |= dict.fromkeys(name for _, name in found.categories)
        for record in _records(found, finder, photos, files[path], where, _called(path.parent, top), problems):
            if record.name in records:
                at = f"{record.name} ({records[record.name].annotation}; {record.annotation})"
                problems.append(Problem("error", "photo that two images of the annotations name", at, "keep one"))
            records[record.name] = record
    problems += _left_over(records, photos, classes)
    facts = {"layout": "COCO", "files": tuple(_called(path, root) for path in files)}
    in_order = tuple(records[name] for name in sorted(records))
    return Listing(in_order, tuple(classes), problems=tuple(problems), boxes=WRITTEN, facts=facts)


def _records(
    found: CocoJson,
    finder: PhotoFinder,
    photos: dict[str, Path],
    split: str | None,
    where: str,
    beside: str,
    problems: list[Problem],
) -> list[Record]:
    """The photos of one annotation file."""
    wrong = id_problems(found, where)
    problems += wrong
    if wrong:
        return []
    objects = objects_by_image(found, where, problems)
    base = finder.base([image.file_name for image in found.images], split, beside)
    records = []
    for image in found.images:
        at = f"{where}, image {image.id}"
        if leads_out(image.file_name):
            advice = "make its file_name a path below the photos' folder"
            problems.append(
                Problem("error", "image that leads outside the folder", f"{at} ({image.file_name})", advice)
            )
        elif (name := finder.find(base, image.file_name)) is None:
            advice = "if they lie elsewhere, give data.images=FOLDER"
            problems.append(Problem("warning", "photo that is missing: left out", f"{image.file_name} ({at})", advice))
        else:
            own = tuple(objects.get(image.id, ()))
            problems += [] if own else [Problem("warning", "photo without an object", f"{name} ({at})")]
            records.append(Record(photos[name], name, (), own, size=size_of(image), split=split, annotation=at))
    return records


def _left_over(records: dict[str, Record], photos: dict[str, Path], classes: dict[str, None]) -> list[Problem]:
    """Photos without an annotation, and classes without an object."""
    shown = {found.label for record in records.values() for found in record.objects or ()}
    return [
        *(Problem("warning", "photo that no annotation file names: left out", name)
          for name in sorted(photos.keys() - records.keys())),
        *(Problem("warning", "class without an object", name) for name in classes if name not in shown),
    ]  # fmt: skip


def _called(path: Path, root: Path) -> str:
    """A path in messages: below the root if it is there."""
    return name_of(path, root) if path.is_relative_to(root) else str(path)
