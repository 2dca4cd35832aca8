"""``format=markdown``: a table for each group, and the methods paragraph."""

from collections.abc import Sequence

from vggexp.report.compare import Group
from vggexp.report.paper.methods import methods
from vggexp.report.paper.results import Entry, costs, results, says

SUFFIX = ".md"


def text(groups: Sequence[Group]) -> str:
    """The whole file."""
    parts = [f"{_table(group)}\n\n{_escape(says(group))}" for group in groups]
    return "\n\n".join([*parts, "## Methods", *map(_escape, methods(groups))]) + "\n"


def _table(group: Group) -> str:
    columns = results(group)
    titles = ["setting", "n", *(column.score.title for column in columns), "trained", "seconds"]
    lines = [f"## {_escape(f'{group.task.capitalize()} on {group.data}')}", "", _line(titles)]
    lines.append("|" + "|".join(["---", *["---:"] * (len(titles) - 1)]) + "|")
    for row, setting in enumerate(group.settings):
        entries = [column.entries[row] for column in columns]
        count = str(max(entry.n for entry in entries))
        lines.append(_line([_escape(setting.label), count, *map(_cell, entries), *costs(setting)]))
    baseline = ["-" if column.score.baseline is None else f"{column.score.baseline:.3f}" for column in columns]
    return "\n".join([*lines, _line(["constant prediction", "", *baseline, "", ""])])


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _cell(entry: Entry) -> str:
    if entry.mean is None:
        return "-"
    mean = f"{entry.mean:.3f}"
    mean = f"**{mean}**" if entry.rank == 0 else f"<u>{mean}</u>" if entry.rank == 1 else mean
    deviation = "" if entry.deviation is None else f" ± {entry.deviation:.3f}"
    return mean + deviation + (" †" if entry.differs else "")


def _escape(words: str) -> str:
    """Text without the characters that Markdown or HTML would read."""
    return "".join(f"\\{char}" if char in "\\`*_{}[]<>|#" else char for char in words)
