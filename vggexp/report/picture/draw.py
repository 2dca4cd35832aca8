"""A network's blocks as shapes: slabs to scale, skips above them, and what each block holds below it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vggexp.report.ledger import Ledger
from vggexp.report.ledger_table import human_flops
from vggexp.report.picture.blocks import Block, Slab, blocks
from vggexp.report.picture.layout import CARD, Box, Layout, Place, layout
from vggexp.report.picture.shapes import FROZEN, NAMES, Group, Line, Picture, Point, Polygon, Shape, Text

MARGIN = 24.0
HEAD = 84.0
"""Height of title and notes."""
LABELS = 92.0
"""Width of the labels left of the first block."""
ARC = 11.0
"""Height of a skip above what it passes over, and from one skip to the next."""
LINE = 15.0


@dataclass(frozen=True)
class Caption:
    """What is said above and below the picture."""

    title: str
    freezing: str
    """The freeze policy and the epoch that is shown; "" if nothing is frozen."""
    skips: str
    """What the head reads beside the last stage: "skip" or "switches"."""


def draw(ledger: Ledger, caption: Caption) -> Picture:
    """The picture of a network."""
    found = blocks(ledger)
    image = Slab("image", "image", (3, *ledger.image_size), 0.0)
    arcs = _num_arcs(found)
    plan = layout(found, image, MARGIN + HEAD + ARC * arcs, MARGIN + LABELS)
    skips = list(_skips(plan, found))
    shapes: list[Shape] = [*_head(ledger, caption), *_trunks(plan, found)]
    for place in plan.places:
        shapes += [_slab(box, place) for box in place.boxes]
    shapes += skips
    shapes += _labels(plan)
    for place in plan.places:
        shapes += _card(place, plan.cards[place.line], ledger)
    width = max(plan.width + MARGIN, 760.0)
    shapes += _legend(found, caption, bool(skips), plan.height + 18)
    return Picture(width, plan.height + 60, shapes, caption.title, _description(ledger, found, caption))


def _head(ledger: Ledger, caption: Caption) -> Iterator[Shape]:
    yield Text("title", (MARGIN, MARGIN + 16), caption.title)
    total, trainable = ledger.total("num_parameters"), ledger.total("num_trainable")
    counts = f"{total:,} parameters, {human_flops(ledger.flops)}FLOP for an image (a multiply-add counts 2)"
    yield Text("note", (MARGIN, MARGIN + 40), counts)
    if caption.freezing:
        says = f"{caption.freezing}: {total - trainable:,} parameters frozen, {trainable:,} train"
        yield Text("note", (MARGIN, MARGIN + 60), says)


def _slab(box: Box, place: Place) -> Group:
    """Three faces, and hatching over them if the layer is frozen."""
    slab = box.slab
    (dx, dy), left, right = box.depth, box.left, box.left + box.thickness
    low, high = box.middle + box.height / 2, box.middle - box.height / 2
    faces = {
        "side": [(right, low), (right + dx, low + dy), (right + dx, high + dy), (right, high)],
        "top": [(left, high), (right, high), (right + dx, high + dy), (left + dx, high + dy)],
        "front": [(left, low), (right, low), (right, high), (left, high)],
    }
    shapes = [Polygon(f"{slab.kind}-{face}", points) for face, points in faces.items()]
    if slab.frozen == 1 or (place.block.is_frozen and slab.kind in ("pool", "unpool")):
        outline = [(left, low), (right, low), (right + dx, low + dy), (right + dx, high + dy), (left + dx, high + dy)]
        shapes.append(Polygon(FROZEN, [*outline, (left, high)]))
    elif slab.frozen:
        shapes.append(Polygon(FROZEN, faces["front"]))
    times = f"{slab.count} x " if slab.count > 1 else ""
    return Group(f"{place.block.name}: {times}{slab.title}, {_size(slab)}", shapes)


def _size(slab: Slab) -> str:
    channels, height, width = slab.shape
    return (
        f"{channels:,}"
        if height == width == 1
        else f"{height}\N{MULTIPLICATION SIGN}{width}\N{MULTIPLICATION SIGN}{channels}"
    )


def _labels(plan: Layout) -> Iterator[Shape]:
    """What the lines below the blocks are."""
    for line, name in enumerate(("output", "parameters", "FLOPs", "receptive field")):
        yield Text("dim", (MARGIN, plan.cards[0] + 30 + (0, 18, 42, 64)[line]), name)


def _card(place: Place, top: float, ledger: Ledger) -> Iterator[Shape]:
    """A block's name, output, shares and receptive field."""
    block, x = place.block, place.centre
    yield Text("name", (x, top + 14), block.name, "middle")
    if block.slabs:
        yield Text("text", (x, top + 30), _size(block.slabs[-1]), "middle")
    if place.block.rows:
        totals = (ledger.total("num_parameters"), ledger.flops)
        counts = (block.num_parameters, block.flops)
        for style, count, total, y in zip(("parameters", "flops"), counts, totals, (48.0, 72.0), strict=True):
            yield from _bar(style, count, count / max(1, total), (x - CARD / 2, top + y))
        yield Text("dim", (x, top + 94), _field(block), "middle")


def _bar(style: str, count: int, share: float, at: Point) -> Iterator[Shape]:
    """A count, its share of the network, and the share as a bar."""
    (x, y), half = at, 2.5
    yield Text("text", (x, y), human_flops(count).strip())
    yield Text("text", (x + CARD, y), percent(share), "end")
    for name, width in (("track", CARD), (style, CARD * share)):
        if width >= 0.5:
            yield Polygon(name, [(x, y + 4), (x + width, y + 4), (x + width, y + 4 + 2 * half), (x, y + 4 + 2 * half)])


def percent(share: float) -> str:
    """A share in percent.

    >>> percent(0.8936), percent(0.0002), percent(0.0), percent(1.0)
    ('89.4 %', '< 0.1 %', '0 %', '100 %')
    """
    if share in (0, 1):
        return f"{100 * share:.0f} %"
    return f"{100 * share:.1f} %" if share >= 0.0005 else "< 0.1 %"


def _field(block: Block) -> str:
    if block.field is None:
        return ""
    return "image" if block.field == "image" else f"{block.field} px"


def _trunks(plan: Layout, found: Sequence[Block]) -> Iterator[Shape]:
    """The axis of each line of blocks, from the block that the line begins at."""
    for line, middle in enumerate(plan.middles):
        own = [place for place in plan.places if place.line == line]
        start: list[Point] = [(own[0].centre, middle)]
        if line:
            source = plan.places[max(own[0].block.reads, default=-1) + 1]
            x = source.right + 10
            start = [(source.centre, plan.middles[source.line]), (x, plan.middles[source.line]), (x, middle)]
        yield Line("trunk", [*start, (own[-1].right + 12, middle)], has_arrow=True)


def _num_arcs(found: Sequence[Block]) -> int:
    return sum(len(block.reads) - 1 for block in found if len(block.reads) > 1)


def _skips(plan: Layout, found: Sequence[Block]) -> Iterator[Shape]:
    """From each block to those that read it beside the one before them: over all between, the shortest lowest."""
    pairs = [
        (plan.places[source + 1], plan.places[place + 1])
        for place, block in enumerate(found)
        for source in block.reads[:-1]
    ]
    taken: list[tuple[float, float, float]] = []
    for source, target in sorted(pairs, key=lambda pair: pair[1].left - pair[0].left):
        if not source.boxes or not target.boxes:
            continue
        start, end = _leaving(source, target.block).crown, target.boxes[0].crown
        between = [p for p in plan.places if p.line == source.line and source.left <= p.left <= target.left]
        y = min(box.top for place in between for box in place.boxes) - ARC
        while any(abs(y - other) < ARC - 1 and left < end[0] and start[0] < right for left, right, other in taken):
            y -= ARC
        taken.append((start[0], end[0], y))
        yield Line("skip", [start, (start[0], y), (end[0], y), end], has_arrow=True)


def _leaving(place: Place, reader: Block) -> Box:
    """The slab that a skip leaves: the last one, or the last one before a pooling that the reader does not read."""
    read = {name for row in reader.rows for name in row.reads}
    reads_pool = any(row.name in read for row in place.block.rows if "pool" in row.kind)
    kept = [box for box in place.boxes if reads_pool or box.slab.kind != "pool"]
    return (kept or place.boxes)[-1]


def _legend(found: Sequence[Block], caption: Caption, has_skips: bool, y: float) -> Iterator[Shape]:
    """The kinds of layers, what hatching and arcs mean, and the scale."""
    kinds = dict.fromkeys(slab.kind for block in found for slab in block.slabs)
    x = MARGIN
    for kind in kinds:
        yield Polygon(f"{kind}-front", [(x, y), (x + 14, y), (x + 14, y - 11), (x, y - 11)])
        yield Text("dim", (x + 20, y - 1), NAMES[kind])
        x += 34 + 6.3 * len(NAMES[kind])
    if any(block.num_frozen for block in found):
        square = [(x, y), (x + 14, y), (x + 14, y - 11), (x, y - 11)]
        yield Polygon("conv-top", square)
        yield Polygon(FROZEN, square)
        yield Text("dim", (x + 20, y - 1), "frozen")
        x += 34 + 6.3 * 6
    if has_skips:
        yield Line("skip", [(x, y - 5), (x + 22, y - 5)], has_arrow=True)
        yield Text("dim", (x + 28, y - 1), caption.skips)
    scale = "Sides grow with the square root of the map's height and width, thickness with that of its channels."
    yield Text("dim", (MARGIN, y + 20), scale)


def _description(ledger: Ledger, found: Sequence[Block], caption: Caption) -> str:
    total = max(1, ledger.total("num_parameters"))
    parts = [
        f"{block.name}: {_size(block.slabs[-1]) if block.slabs else 'no map'}, "
        f"{percent(block.num_parameters / total)} of the parameters, {percent(block.flops / max(1, ledger.flops))} of "
        f"the FLOPs{', frozen' if block.is_frozen else ''}"
        for block in found
    ]
    return f"{caption.title}. {'; '.join(parts)}."
