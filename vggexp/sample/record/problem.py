"""What is wrong with a data set's files, told once for each kind, with a count and the first places."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from vggexp.errors import DataError

SHOWN = 5
"""Places that are named of a kind."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in one place."""

    kind: Literal["error", "warning", "note"]
    """An error stops a training; a warning says what is left out or changed; a note says what was understood."""
    what: str
    """What is wrong, and what becomes of it, such as "box without area: skipped"."""
    where: str
    """The file, with its line where it has lines."""
    remedy: str = ""
    """What would be right."""


@dataclass(frozen=True)
class Finding:
    """All problems of one kind."""

    kind: str
    what: str
    remedy: str
    places: tuple[str, ...]

    def __str__(self) -> str:
        """One line.

        >>> str(Finding("warning", "box without area: skipped", "", ("a.xml", "b.xml")))
        'box without area: skipped (2): a.xml, b.xml'
        """
        shown = ", ".join(self.places[:SHOWN])
        more = ", ..." if len(self.places) > SHOWN else ""
        count = f" ({len(self.places)})" if len(self.places) > 1 else ""
        return f"{self.what}{count}: {shown}{more}" + (f"; {self.remedy}" if self.remedy else "")


def findings(problems: Iterable[Problem]) -> list[Finding]:
    """The problems by kind, errors first, in the order in which they were met."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for problem in problems:
        groups.setdefault((problem.kind, problem.what, problem.remedy), []).append(problem.where)
    order = ("error", "warning", "note")
    found = [Finding(kind, what, remedy, tuple(places)) for (kind, what, remedy), places in groups.items()]
    return sorted(found, key=lambda finding: order.index(finding.kind))


def stop_at_errors(problems: Iterable[Problem]) -> None:
    """DataError with the first kind of error, if there is one."""
    errors = [finding for finding in findings(problems) if finding.kind == "error"]
    if errors:
        more = f" ({len(errors) - 1} more kinds of error: python -m vggexp inspect shows them)" * (len(errors) > 1)
        raise DataError(f"{errors[0]}{more}")
