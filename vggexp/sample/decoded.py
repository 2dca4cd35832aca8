"""A cache of decoded images, in memory or on disk: later epochs decode nothing, and samples stay bit-identical.

It stores the input of the transform or, if the recipe begins with a resize to a fixed size, the output of that step. In
memory, the loading processes share one copy, because they are forked from the process that holds it. On disk, each
split is one folder, which all runs of the machine map into memory.
"""

import hashlib
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from torch import Tensor

from vggexp.distributed.processes import num_cores
from vggexp.errors import ConfigError
from vggexp.sample.column_store import Layout, is_kept, new_columns, read_columns
from vggexp.sample.files import Files, Source, Stored
from vggexp.sample.image import Shrink, shrunk_size
from vggexp.sample.moving import Parts
from vggexp.sample.object_code import decode, encode
from vggexp.sample.picture import Size
from vggexp.sample.transform import Transform

PARTS = ("image", "box", "mask", "objects", "planes")
RAGGED = ("image", "mask")
"""Parts whose size differs between samples: stored end to end."""


class Decoded:
    """A source that gives samples from the cache.

    Args:
        source: what they were read from.
        columns: ``image`` and ``mask`` end to end, uint8; ``sides`` (N, 2), height and width; ``objects`` end to end,
            as ``object_code`` writes them, with ``object_ends`` (N,); other keys (N, ...).
    """

    def __init__(self, source: Source, columns: Mapping[str, Tensor]) -> None:
        self.facts, self.has_masks, self.files = source.facts, source.has_masks, source.files
        self._columns = columns
        self._ends = columns["sides"].prod(1).cumsum(0)

    def __len__(self) -> int:
        return len(self._ends)

    def read(self, index: int, _shrink: Shrink) -> Stored:
        """One sample, as the transform takes it."""
        stored: dict[str, object] = {}
        for name, column in self._columns.items():
            if name in RAGGED:
                stored[name] = self.part(name, index)
            elif name == "size":
                stored[name] = tuple(column[index].tolist())
            elif name == "objects":
                start = int(self._columns["object_ends"][index - 1]) if index else 0
                stored["objects"], planes = decode(column[start : int(self._columns["object_ends"][index])])
                stored |= {} if planes is None else {"planes": planes}
            elif name not in ("sides", "object_ends"):
                stored[name] = column[index]
        return stored  # type: ignore[return-value]

    def part(self, name: str, index: int) -> Tensor:
        """A view of a sample's image or mask in its column, to read or to fill."""
        height, width = self._columns["sides"][index].tolist()
        planes = 3 if name == "image" else 1
        end = int(self._ends[index]) * planes
        flat = self._columns[name][end - height * width * planes : end]
        return flat.view(height, width, 3).permute(2, 0, 1) if name == "image" else flat.view(height, width)


def keep_decoded(files: Files, name: str, mode: str, folder: str, max_gb: float) -> Files:
    """The data set with its samples decoded once; unchanged if ``mode`` is "none" or the memory does not suffice.

    Args:
        files: the split; ``name`` is what to call it.
        mode: "none", "memory" or "disk".
        folder: where mode "disk" keeps its folders.
        max_gb: limit for a split: beyond it, nothing is kept in memory; on disk, it is an error.

    Raises:
        ConfigError: more than ``max_gb`` on disk, or a folder that cannot be written.
    """
    if mode == "none":
        return files
    where = Path(folder).expanduser() / _key(files) if mode == "disk" else None
    rest = _divided(files)[1]
    if where is not None and is_kept(where):
        print(f"data.cache: {name} is read from {where}")
        return Files(Decoded(files.reader, read_columns(where)), rest, decode_scale=False)
    layout, sides = _layout(files)
    gb = _bytes(layout) / 2**30
    text = f"{len(files):,} decoded images, {gb * 1024:,.0f} MiB"
    if gb > max_gb:
        if where is not None:
            raise ConfigError(f"data.cache=disk: {name} is {text}; give data.cache_max_gb={gb:.1f} or more")
        print(f"data.cache: {name} is {text}, more than data.cache_max_gb: not cached")
        return files
    print(f"data.cache: {name}: {text} in {where or 'memory'}", flush=True)
    if where is None:
        columns = {key: torch.empty(shape, dtype=dtype) for key, (shape, dtype) in layout.items()}
        _fill(columns, files, sides)
    else:
        with new_columns(where, layout) as columns:
            _fill(columns, files, sides)
        columns = read_columns(where)
    return Files(Decoded(files.reader, columns), rest, decode_scale=False)


def decoded_bytes(files: Files, max_gb: float) -> int:
    """Bytes of memory that ``keep_decoded`` takes in mode "memory", but for objects; 0 where that is too much."""
    size = _bytes(_layout(files)[0])
    return 0 if size > max_gb * 2**30 else size


def _bytes(layout: Layout) -> int:
    return sum(torch.Size(shape).numel() * dtype.itemsize for shape, dtype in layout.values())


def _layout(files: Files) -> tuple[Layout, Tensor]:
    """Shapes of the columns, which the first sample and every image's header show, and the images' sides (N, 2)."""
    first, count = _sample(files, 0), len(files)
    if _divided(files)[0] is not None:
        sides = torch.tensor([first["image"].shape[1:]]).repeat(count, 1)
    else:
        with ThreadPoolExecutor(min(num_cores(), 16)) as pool:
            sides = torch.tensor(list(pool.map(lambda index: _sides(files, index), range(count))))
    pixels = int(sides.prod(1).sum())
    shapes = {"image": 3 * pixels, "mask": pixels}
    layout = {"sides": ((count, 2), torch.int64)}
    for key, value in first.items():
        if key == "objects":  # their number is known only at the end
            continue
        layout[key] = (shapes[key],) if key in RAGGED else (count, *value.shape), value.dtype
    return layout, sides


def _sides(files: Files, index: int) -> Size:
    return shrunk_size(files.reader.files(index)[0], files.shrink)


def _sample(files: Files, index: int) -> dict[str, Tensor]:
    """The part of a sample that the cache stores."""
    stored = dict(files.reader.read(index, files.shrink))
    opening = _divided(files)[0]
    if opening is not None:
        parts = Parts(**{key: stored.get(key) for key in PARTS})  # type: ignore[arg-type]
        moved = opening.move(parts, stored.get("size"))  # type: ignore[arg-type]
        stored |= {key: getattr(moved, key) for key in PARTS if key in stored}
        stored["size"] = tuple(moved.image.shape[1:])  # the rest of the recipe gets it at full size
    if "objects" in stored:
        stored["objects"] = encode(stored["objects"], stored.pop("planes", None))  # type: ignore[arg-type]
    return {key: torch.as_tensor(value) for key, value in stored.items()}


def _fill(columns: dict[str, Tensor], files: Files, sides: Tensor) -> None:
    """Decode every sample into its place, in threads, because decoders release Python's global lock."""
    columns["sides"].copy_(sides)
    places = Decoded(files.reader, columns)

    def fill(index: int) -> Tensor | None:
        sample = _sample(files, index)
        objects = sample.pop("objects", None)
        for key, value in sample.items():
            (places.part(key, index) if key in RAGGED else columns[key][index]).copy_(value)
        return objects

    with ThreadPoolExecutor(min(num_cores(), 16)) as pool:
        objects = [code for code in pool.map(fill, range(len(files))) if code is not None]
    if objects:
        columns["objects"] = torch.cat(objects)
        columns["object_ends"] = torch.tensor([len(code) for code in objects]).cumsum(0)


def _divided(files: Files) -> tuple[Transform | None, Transform]:
    """See ``Transform.divided``."""
    return files.transform.divided(objects="objects" in getattr(files.reader, "needs", ()))


def _key(files: Files) -> str:
    """A hash of everything that decoded samples depend on: files with sizes and times, the targets read, the scale."""
    opening, _ = _divided(files)
    stats = [
        (str(path.resolve()), (stat := path.stat()).st_size, stat.st_mtime_ns)
        for index in range(len(files))
        for path in files.reader.files(index)
    ]
    scale = files.transform.recipes if files.scales else None
    depends = [
        "decoded 3",  # 1: masks half a pixel off; 2: photos as stored, not upright
        type(files.reader).__qualname__,
        files.reader.facts,
        scale,
        opening and opening.recipes,
        stats,
    ]
    return hashlib.blake2b(json.dumps(depends, sort_keys=True, default=str).encode(), digest_size=16).hexdigest()
