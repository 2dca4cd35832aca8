"""What a training tells of its photos: what is wrong with their files, and which split each is in."""

import sys
from typing import Any

from vggexp.run_folder import RunFolder, write_whole
from vggexp.sample.record.problem import findings
from vggexp.sample.record.split_file import splits_text, table_text

MOST = 8
"""Kinds of problems that are printed."""


def write_splits(folder: RunFolder, data: Any) -> None:
    """Write ``splits.csv`` if the data divides photos."""
    if divided := getattr(data, "splits", None):
        write_whole(folder.splits, splits_text(divided))


def write_skipped(folder: RunFolder, data: Any) -> None:
    """Write ``skipped.csv`` if photos were left out because they cannot be read, and say how many."""
    if skipped := getattr(data, "skipped", None):
        write_whole(folder.skipped, table_text(("photo", "reason"), sorted(skipped.items())))
        print(
            f"vggexp: data: photos that cannot be read and are left out: {len(skipped)}, see {folder.skipped}",
            file=sys.stderr,
        )


def print_problems(data: Any, untested: bool) -> None:
    """Print the warnings.

    Args:
        untested: whether the config asks for a test, and the data has no test split.
    """
    found = [finding for finding in findings(getattr(data, "problems", ())) if finding.kind == "warning"]
    for finding in found[:MOST]:
        print(f"vggexp: data: {finding}", file=sys.stderr)
    if len(found) > MOST:
        print(f"vggexp: data: {len(found) - MOST} more; python -m vggexp inspect shows all", file=sys.stderr)
    if untested:
        print(
            "vggexp: data: no test split, so the best checkpoint is not tested; data.split.test=0.15 draws one",
            file=sys.stderr,
        )
