"""Your own photos in whatever layout they have: the one reader that recognises the folder reads it."""

import json
import time
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Unpack

import vggexp.data
from vggexp.errors import DataError
from vggexp.sample.announce import announced
from vggexp.sample.layout.folders import folders_in
from vggexp.sample.record.kept_listing import SLOW, kept_at
from vggexp.sample.record.photos import Photos, PhotoWords, folder


def auto(root: str, index_dir: str | None = None, **words: Unpack[PhotoWords]) -> Photos:
    """The photos, by the reader of their layout.

    Args:
        root: the folder.
        index_dir: where the index of a large folder is kept, see ``kept_listing``.
        words: see ``Photos``.

    Raises:
        DataError: no layout is recognised, or several are.
    """
    found = recognized(folder(root), index_dir)
    if len(found) == 1:
        return open_layout(next(iter(found)), root, index_dir, **words)
    if not found:
        raise DataError(
            f"data.root={root} has no layout that data=auto knows: {_content(folder(root))}; see docs/data.md"
        )
    kinds = " and of ".join(f"{name} ({why})" for name, why in found.items())
    choices = " or ".join(f"data={name}" for name in found)
    raise DataError(f"data.root={root} has the layouts of {kinds}; choose {choices}")


def open_layout(
    name: str, root: str, index_dir: str | None = None, **words: Unpack[PhotoWords]
) -> Photos:  # fmt: skip
    """The photos, by the reader of this name."""
    photos: Photos = getattr(import_module(f"vggexp.data.{name}"), name)(root, index_dir=index_dir, **words)
    return photos


def recognized(root: Path, index: str | None = None) -> dict[str, str]:
    """By the name of each layout that a folder has, what shows it.

    Args:
        index: the folder where that is kept for the next time.
    """
    kept = kept_at(index, __name__, root, ()) if index is not None else None
    if kept and (content := kept.get()) is not None:
        return dict(json.loads(bytes(content)))
    began = time.perf_counter()
    with announced(f"recognising the layout of {root}"):
        told = {name: module.recognize(root) for name, module in _readers().items()}
    found = {name: why for name, why in told.items() if why is not None}
    if kept and time.perf_counter() - began > SLOW:
        kept.put([json.dumps(found).encode()])
    return found


def _readers() -> dict[str, ModuleType]:
    """The modules of ``vggexp.data`` that recognise a layout."""
    modules = {each.name: import_module(f"vggexp.data.{each.name}") for each in iter_modules(vggexp.data.__path__)}
    return {name: module for name, module in modules.items() if hasattr(module, "recognize")}


def _content(root: Path) -> str:
    """What stands at the top of a folder, in a few words."""
    folders = [each.name for each in folders_in(root)]
    files = sorted({each.suffix.lower() or each.name for each in root.iterdir() if each.is_file()})
    parts = [f"{what} {', '.join(names[:6])}" for what, names in (("folders", folders), ("files", files)) if names]
    return f"it holds {' and '.join(parts)}" if parts else "it is empty"
