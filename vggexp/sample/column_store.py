"""Columns of numbers in a folder that is either complete or absent: the caches' format on disk, shared by runs."""

import json
import math
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import torch
from torch import Tensor

from vggexp.distributed.lock import lock, open_folder
from vggexp.errors import ConfigError

Layout = Mapping[str, tuple[tuple[int, ...], torch.dtype]]
"""Shape and kind of each column."""
INDEX = "columns.json"
_JUST_BEGUN = 60
"""Seconds for which a folder without a lock counts as being written: its writer creates it first and then locks it."""


def is_kept(folder: Path) -> bool:
    """Whether a folder holds columns."""
    return (folder / INDEX).exists()


def read_columns(folder: Path) -> dict[str, Tensor]:
    """Columns mapped from disk: pages are read when they are accessed, and shared by all processes that read them."""
    shapes = json.loads((folder / INDEX).read_text())
    return {
        name: _mapped(folder / name, shape, getattr(torch, kind.removeprefix("torch.")), shared=False)
        for name, (shape, kind) in shapes.items()
    }


def write_columns(folder: Path, columns: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Write columns into a folder and return the folder's columns, which another process may have written first."""
    layout = {name: (tuple(column.shape), column.dtype) for name, column in columns.items()}
    with new_columns(folder, layout) as kept:
        for name, column in columns.items():
            kept[name].copy_(column)
    return read_columns(folder)


@contextmanager
def new_columns(folder: Path, layout: Layout) -> Iterator[dict[str, Tensor]]:
    """Columns on disk to fill; they become the folder if the block ends without an error, and are deleted otherwise.

    The block adds columns whose size is known only at the end as tensors.

    If another process has written the folder meanwhile, its columns are kept.

    Raises:
        ConfigError: the disk is full, or the folder cannot be written.
    """
    remove_left(folder.parent)
    partial = folder.with_name(f".{folder.name}.{uuid4().hex[:8]}")
    handle = None
    try:
        kept = _allocated(partial, layout)
        handle = open_folder(partial)
        lock(handle)
        yield kept
        late = {name: (tuple(each.shape), each.dtype) for name, each in kept.items() if name not in layout}
        for name, column in _allocated(partial, late).items():
            column.copy_(kept[name])
        kept.clear()
        layout = {**layout, **late}
        shapes = {name: [list(shape), str(dtype)] for name, (shape, dtype) in layout.items()}
        (partial / INDEX).write_text(json.dumps(shapes))
        if not is_kept(folder):
            _rename(partial, folder)
    finally:
        if handle is not None:
            os.close(handle)
        shutil.rmtree(partial, ignore_errors=True)


def remove_left(parent: Path) -> None:
    """Delete the unfinished columns of killed writers; a living writer holds its folder's lock."""
    for partial in parent.glob(".*.????????") if parent.is_dir() else ():
        with suppress(OSError):
            if not partial.is_dir() or time.time() - partial.stat().st_mtime < _JUST_BEGUN:
                continue
            handle = open_folder(partial)
            is_free = lock(handle)
            os.close(handle)
            if is_free:
                shutil.rmtree(partial, ignore_errors=True)


def _allocated(partial: Path, layout: Layout) -> dict[str, Tensor]:
    try:
        partial.mkdir(parents=True, exist_ok=True)
        for name, (shape, dtype) in layout.items():
            with (partial / name).open("wb") as file:  # or a later write on a full disk would kill the process
                os.posix_fallocate(file.fileno(), 0, math.prod(shape) * dtype.itemsize)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise ConfigError(f"the cache in {partial.parent} cannot be written: {error.strerror}") from error
    return {name: _mapped(partial / name, shape, dtype, shared=True) for name, (shape, dtype) in layout.items()}


def _rename(partial: Path, folder: Path) -> None:
    try:
        partial.rename(folder)
    except OSError as error:
        if not is_kept(folder):
            raise ConfigError(f"the cache in {folder.parent} cannot be written: {error.strerror}") from error


def _mapped(path: Path, shape: "list[int] | tuple[int, ...]", dtype: torch.dtype, shared: bool) -> Tensor:
    return torch.from_file(str(path), shared=shared, size=math.prod(shape), dtype=dtype).view(*shape)
