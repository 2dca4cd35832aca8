"""A data set of one's own whose photos show several classes: squares of three colours, in objects."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from vggexp.sample.record.photos import Photos
from vggexp.sample.record.record import Listing, Object, Record

COLOURS = {"red": (230, 40, 40), "green": (40, 200, 40), "blue": (40, 60, 230)}
SIDE = 20
YAML = """
_target_: tests.e2e.labelled.labelled
provides: [label, labels, box]
root: photos
image_size: [32, 32]
batch_size: 8
workers: 0
classes: null
split: {val: null, test: null, seed: 0}
train_transform: []
eval_transform:
  - Resize: {size: [32, 32]}
"""


def write_labelled(count: int = 48) -> None:
    """Photos named after what they show, such as photos/7-red+blue.png, some of nothing; and the YAML beside them."""
    Path("photos").mkdir()
    random = np.random.default_rng(0)
    for number in range(count):
        pixels = random.integers(90, 130, (SIDE + 20, 3 * SIDE, 3), np.uint8)
        shown = [name for place, name in enumerate(COLOURS) if number % 8 >> place & 1]
        for name in shown:
            left, top, right, bottom = _box(name)
            pixels[top:bottom, left:right] = COLOURS[name]
        Image.fromarray(pixels).save(f"photos/{number}-{'+'.join(shown)}.png")
    Path("conf_of_mine/data").mkdir(parents=True)
    Path("conf_of_mine/data/labelled.yaml").write_text(YAML)


def labelled(root: str, **words: Any) -> Photos:
    """The photos; the blue square is a crowd, so it is no target of its own."""
    records = tuple(_record(path) for path in sorted(Path(root).glob("*.png")))
    return Photos(Listing(records, classes=tuple(COLOURS)), **words)


def _record(path: Path) -> Record:
    shown = [name for name in path.stem.partition("-")[2].split("+") if name]
    return Record(path, path.name, objects=tuple(Object(name, _box(name), crowd=name == "blue") for name in shown))


def _box(name: str) -> tuple[int, int, int, int]:
    left = list(COLOURS).index(name) * SIDE
    return left + 2, 10, left + SIDE - 2, 10 + SIDE
