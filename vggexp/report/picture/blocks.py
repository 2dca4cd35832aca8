"""A network's ledger as blocks of slabs: a block is a stage or a part of the head, a slab a layer that shapes the map.

Every row of the ledger counts in exactly one block, so the blocks' parameters and FLOPs add up to the ledger's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

from vggexp.report.ledger import Ledger, Row

Kind = Literal["image", "conv", "pool", "dense", "deconv", "unpool"]
_KINDS: dict[str, Kind] = {
    "conv": "conv", "deconv": "deconv", "dense": "dense", "max-pool": "pool", "avg-pool": "pool",
    "unpool": "unpool", "upsample": "unpool",
}  # fmt: skip
MOST_SLABS = 7
"""Slabs of a block that are drawn; with more layers, equal neighbours become one, then all of one shape."""
_JOINED = 3
"""Parts of one layer each that make up a block together."""
_SILENT = ("part", "head")
"""Names in a head's path that say nothing."""


@dataclass(frozen=True)
class Slab:
    """A layer with the map that it gives, or several layers of one kind and shape."""

    title: str
    """As in the ledger: "conv 3x3"."""
    kind: Kind
    shape: tuple[int, int, int]
    """Channels, height, width; height and width are 1 for a vector."""
    frozen: float
    """Share of its parameters that are frozen, 0 to 1."""
    count: int = 1
    """Number of layers."""


@dataclass(frozen=True)
class Block:
    """A stage of the backbone, or a part of the head."""

    name: str
    rows: tuple[Row, ...]
    slabs: tuple[Slab, ...]
    reads: tuple[int, ...]
    """The places of the blocks whose outputs it reads; empty: it reads the image."""

    @property
    def num_parameters(self) -> int:
        """Parameters, biases included."""
        return sum(row.num_parameters for row in self.rows)

    @property
    def num_frozen(self) -> int:
        """Those of ``num_parameters`` that are frozen."""
        return self.num_parameters - sum(row.num_trainable for row in self.rows)

    @property
    def flops(self) -> int:
        """FLOPs for one image."""
        return sum(row.flops for row in self.rows)

    @property
    def field(self) -> int | str | None:
        """The receptive field of its last layer that has one."""
        return next((row.field for row in reversed(self.rows) if row.field is not None), None)

    @property
    def is_frozen(self) -> bool:
        """Whether it has parameters and all of them are frozen."""
        return 0 < self.num_parameters == self.num_frozen


def blocks(ledger: Ledger) -> list[Block]:
    """The blocks in the order of execution."""
    found = [(name, list(rows)) for name, rows in groupby(ledger.rows, key=_block_of)]
    found = _without_laterals(_joined(_regrouped(found)))
    place = {row.name: place for place, (_, rows) in enumerate(found) for row in rows}
    shapes = {row.name: row.shape for row in ledger.rows}
    return [
        Block(name, tuple(rows), _fewer(_slabs(rows, shapes)), _read(rows, place, own))
        for own, (name, rows) in enumerate(found)
    ]


_Named = list[tuple[str, list[Row]]]


def _block_of(row: Row) -> str:
    """The name of a row's block: its stage; in a head the first name that says something, with its number.

    >>> from types import SimpleNamespace as row
    >>> names = ["part.localization.regressor.2", "levels.0.up", "classifier.3", "score", "head.scores.0"]
    >>> [_block_of(row(part="head", name=f"head.{name}")) for name in names]
    ['localization', 'levels.0', 'classifier', 'score', 'scores']
    """
    if row.part != "head":
        return row.part.replace("stage", "stage ")
    path = row.name.split(".")[1:]
    while len(path) > 1 and path[0] in _SILENT:
        path = path[1:]
    numbered = len(path) > 2 and path[1].isdigit()
    return ".".join(path[: 2 if numbered else 1]) or "head"


def _regrouped(found: _Named) -> _Named:
    """One block for each name, where it first ran: a layer that runs between those of another part splits none."""
    rows: dict[str, list[Row]] = {}
    for name, some in found:
        rows.setdefault(name, []).extend(some)
    return list(rows.items())


def _joined(found: _Named) -> _Named:
    """Neighbours of a head with one layer each, each reading the one before, as one block: "fc6, fc7, score"."""
    joined: _Named = []
    for name, rows in found:
        before, last = joined[-1] if joined else ("", [])
        is_head = bool(last) and last[0].part == rows[0].part == "head"
        follows = {one for row in rows for one in row.reads} <= {row.name for row in (*last, *rows)}
        if is_head and not any(map(_kind, rows)):
            joined[-1] = (before, [*last, *rows])
        elif is_head and not any(row.num_parameters for row in last):
            joined[-1] = (name, [*last, *rows])
        elif (
            is_head and follows and before.count(",") < _JOINED - 1 and _is_small(before, last) and _is_small("", rows)
        ):
            joined[-1] = (f"{before}, {name}", [*last, *rows])
        else:
            joined.append((name, rows))
    return joined


def _is_small(name: str, rows: Sequence[Row]) -> bool:
    """Whether each of the parts that make up a block has one layer."""
    return sum(_kind(row) is not None for row in rows) <= name.count(",") + 1


def _without_laterals(found: _Named) -> _Named:
    """Layers that only bring a stage into a part of the head, as an FCN's scorers of skips do, belong to that part."""
    heads = [(name, rows) for name, rows in found if rows[0].part == "head"]
    in_head = {row.name for _, rows in heads for row in rows}
    kept = {name: list(rows) for name, rows in found}
    for name, rows in heads[1:]:
        is_each = all(not in_head & {*row.reads} for row in rows)
        for piece in [[row] for row in rows] if is_each else [rows]:
            own = {row.name for row in piece}
            reads = {one for row in piece for one in row.reads} - own
            readers = [other for other, some in kept.items() if any(own & {*row.reads} for row in some)]
            if reads and not reads & in_head and (reader := next((one for one in readers if one != name), None)):
                kept[reader] = [*piece, *kept[reader]]
                kept[name] = [row for row in kept[name] if row.name not in own]
    return [(name, rows) for name, rows in kept.items() if rows]


def _slabs(rows: Iterable[Row], shapes: dict[str, tuple[int, ...] | None]) -> list[Slab]:
    """A slab for each layer that shapes the map, with the parameters of the layers after it that do not."""
    grouped: list[list[Row]] = []
    for row in rows:
        same = _kind(row) == "pool" and len(row.reads) == 1 and shapes.get(row.reads[0]) == row.shape
        if _kind(row) is not None and not same:
            grouped.append([row])
        elif grouped:
            grouped[-1].append(row)
    return [_slab(group) for group in grouped]


def _slab(group: Sequence[Row]) -> Slab:
    first, kind = group[0], _kind(group[0])
    assert first.shape is not None
    assert kind is not None
    parameters = sum(row.num_parameters for row in group)
    trainable = sum(row.num_trainable for row in group)
    channels, height, width = (*first.shape, 1, 1)[:3]
    return Slab(first.kind, kind, (channels, height, width), 1 - trainable / parameters if parameters else 0.0)


def _kind(row: Row) -> Kind | None:
    """What a row is drawn as; None: it has no slab of its own."""
    shape = row.shape or ()
    return _KINDS.get(row.kind.split(" ")[0]) if len(shape) in (1, 3) else None


def _fewer(slabs: list[Slab]) -> tuple[Slab, ...]:
    """At most ``MOST_SLABS`` slabs."""
    if len(slabs) <= MOST_SLABS:
        return tuple(slabs)
    runs = [_one_of(list(run)) for _, run in groupby(slabs, key=lambda slab: (slab.kind, slab.shape))]
    if len(runs) > MOST_SLABS:
        by_shape: dict[tuple[int, ...], list[Slab]] = {}
        for slab in slabs:
            by_shape.setdefault(slab.shape, []).append(slab)
        runs = [_one_of(some) for some in by_shape.values()]
    if len(runs) > MOST_SLABS:
        runs = [*runs[: MOST_SLABS - 1], runs[-1]]
    return tuple(runs)


def _one_of(slabs: Sequence[Slab]) -> Slab:
    frozen = sum(slab.frozen for slab in slabs) / len(slabs)
    return replace(slabs[0], count=sum(slab.count for slab in slabs), frozen=frozen)


def _read(rows: Sequence[Row], place: dict[str, int], own: int) -> tuple[int, ...]:
    """The blocks before this one that its layers read; a module around other layers reads nothing of its own."""
    names = [row.name for row in rows]
    inner = [row for row in rows if not any(name.startswith(f"{row.name}.") for name in names)]
    return tuple(sorted({place[name] for row in inner for name in row.reads if place.get(name, own) < own}))
