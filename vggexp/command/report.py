"""``report``: the finished runs below a folder, as a table."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vggexp.errors import DataError
from vggexp.report.console import print_runs
from vggexp.run import PREVIOUS, RunFolder


def run(config: Mapping[str, Any]) -> int:
    """Print one row a finished run, in the order of their names."""
    root = Path(config["input"])
    if not root.is_dir():
        raise DataError(f"{root} is no folder; give the folder that holds the runs")
    found = sorted(path.parent for path in root.rglob("summary.json") if PREVIOUS not in path.parts)
    if not found:
        raise DataError(f"{root} holds no finished run: there is no summary.json in it")
    print_runs(root, (RunFolder(path) for path in found))
    return 0
