"""``report``: compare the runs below a folder in a table and on a page."""

import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from vggexp.errors import ConfigError, DataError
from vggexp.report.console import console, print_runs
from vggexp.report.runs import Run, read_runs
from vggexp.report.sound import say_damaged, show_sound


def run(config: Mapping[str, Any]) -> int:
    """Print one row for each run, sorted by name, and write the page."""
    root = Path(config["input"])
    watch = config["watch"]
    if watch is not None and (isinstance(watch, bool) or not isinstance(watch, int) or watch < 1):
        raise ConfigError(f"watch={watch}: give a whole number of seconds, of 1 or more")
    runs = show_sound(_read(root), partial(print_runs, root))
    if not config["page"]:
        return 0
    output = Path(config["output"] or root / "report.html")
    _write(root, runs, output, watch)
    console().print(f"{output}", style="bold", soft_wrap=True)
    while watch:
        time.sleep(watch)
        _write(root, _read(root), output, watch)
    return 0


def _read(root: Path) -> list[Run]:
    if not root.is_dir():
        raise DataError(f"{root} is no folder; give the folder that holds the runs")
    damaged: dict[str, str] = {}
    runs = read_runs(root, damaged)
    for name, why in damaged.items():
        say_damaged(name, why)
    if not runs:
        raise DataError(f"{root} holds no run: there is no config.yaml with a summary.json or metrics.jsonl beside it")
    return runs


def _write(root: Path, runs: list[Run], output: Path, refresh: int | None) -> None:
    from vggexp.report.page import write_page

    if output.is_dir():
        raise ConfigError(f"output={output} is a folder; name a file in it, such as {output / 'report.html'}")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory() as elsewhere:
            show_sound(
                runs,
                lambda some: write_page(root, some, output, refresh),
                lambda some: write_page(root, some, Path(elsewhere, "page.html")),
            )
    except OSError as error:
        raise DataError(f"{output} cannot be written: {error.strerror}") from error
