"""What ``inspect`` prints."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from vggexp.sample.record.problem import Finding
from vggexp.sample.record.splits import SPLITS

ROWS = 30
"""Classes that are printed."""
SIZES = 4


def print_counts(found: Mapping[str, Any], layout: str, out: Console) -> None:
    """Print the layout, the splits, the classes and the sizes; then each kind of problem."""
    out.print(f"{layout}: {found['photos']} photos", style="bold", soft_wrap=True)
    out.print(_splits(found))
    if found["classes"]:
        out.print(_class_table(found["classes"]))
    for line in _lines(found):
        out.print(line, soft_wrap=True)
    _print_problems(found["problems"], out)


def _splits(found: Mapping[str, Any]) -> str:
    parts = [f"{split} {count}" for split, count in found["splits"].items()]
    left = f"; {found['without_split']} in no split" if found["without_split"] else ""
    return f"splits: {', '.join(parts)}{left}"


def _class_table(classes: Mapping[str, Mapping[str, int]]) -> Table:
    table = Table("class", box=None, pad_edge=False)
    for split in SPLITS:
        table.add_column(split, justify="right")
    rows = sorted(classes.items(), key=lambda row: -sum(row[1].values())) if len(classes) > ROWS else classes.items()
    for name, count in list(rows)[:ROWS]:
        table.add_row(name, *(str(count[split]) for split in SPLITS))
    if len(classes) > ROWS:
        table.add_row(f"and {len(classes) - ROWS} more")
    return table


def _lines(found: Mapping[str, Any]) -> list[str]:
    """Sizes, boxes and masks, a line each."""
    sizes = [f"{size} ({count})" for size, count in list(found["sizes"].items())[:SIZES]]
    more = f" and {len(found['sizes']) - SIZES} other sizes" if len(found["sizes"]) > SIZES else ""
    kinds = ", ".join(f"{kind} {count}" for kind, count in found["kinds"].items())
    lines = [f"sizes: {', '.join(sizes)}{more}; {kinds}"]
    if found["turned_by_exif"]:
        lines.append(f"turned by EXIF: {found['turned_by_exif']} photos; every verb reads them upright")
    if boxes := found["boxes"]:
        low, middle, high = (boxes["area_deciles"][place] for place in (1, 5, 9))
        small = f"; {boxes['under_a_cell']} smaller than a cell of the last stage" if boxes["under_a_cell"] else ""
        small += f"; {boxes['cut_away']} cut away by data.resize=crop" if boxes["cut_away"] else ""
        lines.append(
            f"boxes: {boxes['count']}; area {middle:.1%} of the photo (8 in 10: {low:.1%} to {high:.1%}){small}"
        )
    if found["pixel_classes"]:
        shares = ", ".join(f"{name} {one['pixels']:.1%}" for name, one in list(found["pixel_classes"].items())[:ROWS])
        lines.append(f"pixels: {shares}")
    if found["alike"]:
        lines.append(f"photos of different splits that look alike: {len(found['alike'])} pairs")
    return lines


def _print_problems(problems: list[Mapping[str, Any]], out: Console) -> None:
    styles = {"error": "bold red", "warning": "yellow", "note": "dim"}
    for each in problems:
        line = str(Finding(each["kind"], each["what"], each["remedy"], tuple(each["places"])))
        out.print(f"{each['kind']}: {line}", style=styles[each["kind"]], soft_wrap=True, markup=False)
