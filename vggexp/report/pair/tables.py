"""What ``compare`` found, as tables and sentences for a terminal."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

Found = Mapping[str, Any]


def print_pair(found: Found, out: Console) -> None:
    """Print what was compared, and a line for each thing that could not be."""
    first, second = found["runs"]
    out.print(f"\nfirst: {first}\nsecond: {second}\n", markup=False, soft_wrap=True)
    if found["drift"]:
        out.print(parts_table(found["drift"], found.get("cka")))
    for line in sentences(found):
        out.print(line, markup=False, soft_wrap=True)
    if points := found.get("line"):
        out.print(line_table(points))
    for what, why in found["left_out"].items():
        out.print(f"not compared: {what}: {why}", markup=False, soft_wrap=True)


def parts_table(drift: Found, cka: Found | None) -> Table:
    """A row for each part that both have: the distance of its weights, and CKA of its features."""
    table = Table("part", box=None, pad_edge=False)
    for header in ("weights moved", "most in", "CKA"):
        table.add_column(header, justify="left" if header == "most in" else "right")
    for place, (part, one) in enumerate(drift.items()):
        known = {layer: value for layer, value in one["layers"].items() if value == value}
        most = max(known, key=lambda layer: known[layer], default="")
        table.add_row(part, _short(one["distance"]), f"{most} {_short(known.get(most))}", _own(cka, place, part))
    return table


def _own(cka: Found | None, place: int, part: str) -> str:
    """CKA between a stage and the other run's stage of the same number."""
    values: Sequence[Sequence[float]] = cka["values"] if cka else ()
    is_stage = part != "head" and place < len(values) and place < len(values[place])
    return f"{values[place][place]:.3f}" if is_stage else ""


def _short(value: float | None) -> str:
    return "-" if value is None or value != value else f"{value:.3g}"


def sentences(found: Found) -> Iterator[str]:
    """One sentence for each measure."""
    if cka := found.get("cka"):
        values = [row[place] for place, row in enumerate(cka["values"]) if place < len(row)]
        least = min(range(len(values)), key=lambda place: values[place])
        yield (f"Features: CKA of stages of the same number is from {values[least]:.3f} (stage {least + 1}) "
               f"to {max(values):.3f}, on {cka['images']} images.")  # fmt: skip
    if line := found.get("line"):
        for name, height in line.get("barrier", {}).items():
            ends = f"{line['scores'][0][name]:.3f} and {line['scores'][-1][name]:.3f}"
            yield f"Between the weights: {name} is up to {height:.3f} worse than a straight line between {ends}."
        if line["estimated"]:
            yield (f"The statistics of {line['estimated']} batch-normalization layers were estimated anew at each "
                   "point, at the ends too, so the ends may differ a little from the runs' own scores.")  # fmt: skip
    if one := found.get("agreement"):
        yield from _photos(one)


def _photos(one: Found) -> Iterator[str]:
    interval = "" if one["interval"] is None else f" ± {one['interval']:.4f}"
    scores = " and ".join(f"{value:.4f}" for value in one["score"])
    yield f"Test images ({one['count']}): mean scores {scores}, difference {one['difference']:+.4f}{interval}."
    gained, lost = len(one["gained"]), len(one["lost"])
    if right := one.get("right"):
        yield (f"Right in both: {right['both']}; in the first alone: {right['first']}; in the second alone: "
               f"{right['second']}; in neither: {right['neither']}; McNemar's p = {right['p']:.3g}.")  # fmt: skip
    else:
        yield f"The second run gains more than {one['margin']:g} on {gained} images and loses more on {lost}."


def line_table(line: Found) -> Table:
    """A row for each point between the weights."""
    names = list(line.get("barrier", {}))
    table = Table("share of the second", box=None, pad_edge=False)
    for name in names:
        table.add_column(name, justify="right")
    for share, scores in zip(line["share"], line["scores"], strict=True):
        table.add_row(f"{share:.2f}", *(f"{scores[name]:.4f}" for name in names))
    return table
