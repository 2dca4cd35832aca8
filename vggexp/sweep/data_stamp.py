"""Have the files that a run was trained on changed since? A sweep that skips the run then says so. Needs no torch."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from vggexp.run_folder import RunFolder, write_whole
from vggexp.sample.record.folder_stamp import stamp

PLACES = ("root", "images", "masks", "annotations", "table", "yaml", "lists", "split")
"""The keys of data that may name a folder or a file."""


def write_stamp(folder: RunFolder, config: Mapping[str, Any]) -> None:
    """Record in a new run's folder what its data's files look like from outside, if it reads any."""
    if places := _places(folder, config):
        write_whole(folder.data, json.dumps({"places": places, "stamp": _stamp(places)}, indent=2) + "\n")


def changed_data(folder: RunFolder, config: Mapping[str, Any]) -> str | None:
    """The folder of which some file was added, removed, changed or touched since the run began; None if none was.

    None, too, if the run recorded no stamp, as those of earlier versions.
    """
    try:
        then = json.loads(folder.data.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    places = _places(folder, config)
    is_known = isinstance(then, dict) and then.get("places") == list(places)
    return places[0] if is_known and places and then.get("stamp") != _stamp(places) else None


def _places(folder: RunFolder, config: Mapping[str, Any]) -> tuple[str, ...]:
    """The folders and files, the root first; none where the run writes into that folder itself."""
    data = config.get("data", {})
    named = [Path(data[key]).expanduser().absolute() for key in PLACES if isinstance(data.get(key), str)]
    if not named or folder.path.absolute().is_relative_to(named[0]):
        return ()
    return tuple(str(path) for path in named if path.exists())


@cache
def _stamp(places: tuple[str, ...]) -> str:
    """Taken once a command: a sweep skips many runs on the same photos."""
    return stamp([Path(place) for place in places]).digest
