"""``format=latex``: a booktabs table for each group, and the methods paragraph."""

from collections.abc import Sequence

from vggexp.report.compare import Group
from vggexp.report.paper.methods import methods
from vggexp.report.paper.results import Entry, costs, results, says

SUFFIX = ".tex"
_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "±": r"$\pm$",
}  # fmt: skip


def text(groups: Sequence[Group]) -> str:
    """The whole file: to be included in a document that loads booktabs."""
    tables = "\n\n".join(_table(group, place) for place, group in enumerate(groups))
    words = "\n\n".join(escape(paragraph) for paragraph in methods(groups))
    return f"% Needs \\usepackage{{booktabs}}.\n{tables}\n\n% Methods\n{words}\n"


def escape(words: str) -> str:
    r"""Text with LaTeX's special characters escaped.

    >>> print(escape("lr_decay=0.5 & 3 %"))
    lr\_decay=0.5 \& 3 \%
    """
    return "".join(_SPECIAL.get(char, char) for char in words)


def _table(group: Group, place: int) -> str:
    columns = results(group)
    head = ["Setting", "$n$", *(escape(column.score.title) for column in columns), "trained", "seconds"]
    rows = []
    for row, setting in enumerate(group.settings):
        entries = [column.entries[row] for column in columns]
        cells = [escape(setting.label), str(max(entry.n for entry in entries)), *map(_cell, entries), *costs(setting)]
        rows.append(" & ".join(cells) + r" \\")
    baseline = ["-" if column.score.baseline is None else f"{column.score.baseline:.3f}" for column in columns]
    rows += [r"\midrule", " & ".join(["constant prediction", "", *baseline, "", ""]) + r" \\"]
    lines = [
        r"\begin{table}", r"\centering", rf"\caption{{{escape(says(group))}}}", rf"\label{{tab:{group.task}-{place}}}",
        rf"\begin{{tabular}}{{l{'r' * (len(head) - 1)}}}", r"\toprule", " & ".join(head) + r" \\", r"\midrule", *rows,
        r"\bottomrule", r"\end{tabular}", r"\end{table}",
    ]  # fmt: skip
    return "\n".join(lines)


def _cell(entry: Entry) -> str:
    if entry.mean is None:
        return "-"
    mean = f"{entry.mean:.3f}"
    mean = rf"\textbf{{{mean}}}" if entry.rank == 0 else rf"\underline{{{mean}}}" if entry.rank == 1 else mean
    deviation = "" if entry.deviation is None else rf" $\pm$ {entry.deviation:.3f}"
    return mean + deviation + (r"$^{\dagger}$" if entry.differs else "")
