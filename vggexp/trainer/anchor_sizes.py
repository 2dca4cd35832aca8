"""Fits a detection head's anchors to the training split's objects, before the network is built.

Anchors made for photos miss objects of other sizes, and a detector learns little of what no anchor fits. The sizes that
were found stand in the run's config as if they had been typed, so nothing that uses the run needs its data; the head's
``fitted`` names them.
"""

import sys
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from vggexp.config.check import needs
from vggexp.config.check.parts import heads
from vggexp.distributed.launcher import share
from vggexp.distributed.processes import place_in_run
from vggexp.sample.contract import Contract
from vggexp.sample.data_contract import check_ends, open_split
from vggexp.sample.reading import Reading
from vggexp.trainer.network import build_network
from vggexp.types import Anchors, Data

Config = Mapping[str, Any]
Sizes = dict[str, dict[str, Any]]
"""By the key of a head, the values of its keys."""

IMAGES = 400
"""The most images whose objects are looked at, evenly over the split: enough for sizes to two digits."""
MATCH = 0.5
"""The IoU from which on an anchor learns an object, in the papers of all these heads."""
FEW = 0.5
"""The share of objects with such an anchor below which a run is told."""


def with_anchors(config: Config, data: Data) -> Config:
    """The config with numbers in place of the anchors' sizes that it leaves open, the same in all processes of a run.

    Where the config gives the sizes, a line tells if few objects have an anchor that fits.
    """
    if "objects" not in needs(config):
        return config
    found: Sizes = share("anchors", None if place_in_run()[0] else _found(config, data))
    for key, values in found.items():
        config = _with(config, key, values)
    return config


def _found(config: Config, data: Data) -> Sizes:
    """The sizes that the heads leave open. Prints a line on each head."""
    found: Sizes = {}
    anchored = _anchored(config, data)
    boxes = _boxes(config, data) if anchored else torch.empty(0, 4)
    if not len(boxes):  # a split without objects ends the run later, with its own line
        return found
    for key, anchors in anchored.items():
        now = _share(anchors, boxes, config)
        if not anchors.unset and now >= FEW:
            continue
        values = anchors.fitted(boxes, _size(config))
        fits = _share(_anchored(_with(config, key, values), data)[key], boxes, config)
        words = " ".join(f"{key}.{name}={_word(value)}" for name, value in values.items())
        if anchors.unset:
            found[key] = values
            print(f"{words}: fitted to {len(boxes):,} training objects, {fits:.0%} of which have {_ANCHOR}", flush=True)
        elif fits > now:
            print(f"vggexp: {now:.0%} of the training objects have {_ANCHOR}; {words}: {fits:.0%}", file=sys.stderr)
        if fits < FEW:
            print(f"vggexp: {_SMALL}", file=sys.stderr)
    return found


_ANCHOR = f"an anchor of IoU {MATCH} or more"
_SMALL = (
    "most training objects fall between the anchors' places; head=faster_rcnn_fpn has finer maps, and a larger "
    "data.image_size makes the objects larger"
)


def _anchored(config: Config, data: Data) -> dict[str, Anchors]:
    """The anchors of each head that has some, by the head's key."""
    with torch.device("meta"):
        _, head, _ = build_network(config, data.info)
    assert isinstance(head, nn.Module)
    own = {key: getattr(head.get_submodule(key.partition(".")[2]), "anchors", None) for key in heads(config)}
    return {key: anchors for key, anchors in own.items() if isinstance(anchors, Anchors)}


def _boxes(config: Config, data: Data) -> Tensor:
    """(N, 4): edges of the objects that are to be found, in pixels of the network's input."""
    dataset, needed = open_split(data, "train", frozenset({"objects"})), frozenset({"objects"})
    check_ends(Contract("train", data.info, needed), dataset)
    chosen = torch.linspace(0, len(dataset) - 1, min(IMAGES, len(dataset))).long().tolist()
    samples = Reading(dataset, "train")
    objects: list[Any] = [samples[place]["objects"] for place in chosen]  # a sample has its own, a batch a list
    boxes = torch.cat([one.boxes[one.counted()] for one in objects]).float()
    return boxes[(boxes[:, 2:] > boxes[:, :2]).all(1)]


def _share(anchors: Anchors, boxes: Tensor, config: Config) -> float:
    """The share of the boxes that an anchor fits."""
    return float((anchors.overlaps(boxes, _size(config)) >= MATCH).float().mean())


def _size(config: Config) -> tuple[int, int]:
    height, width = config["data"]["image_size"]
    return height, width


def _with(config: Config, key: str, values: Mapping[str, Any]) -> Config:
    """The config with these values, and the names of them as ``fitted``, under a dotted key."""
    first, _, rest = key.partition(".")
    own = config[first]
    return {**config, first: _with(own, rest, values) if rest else {**own, **values, "fitted": sorted(values)}}


def _word(value: Any) -> str:
    return f"[{','.join(map(str, value))}]" if isinstance(value, list) else str(value)
