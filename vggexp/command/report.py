"""``report``: compare the runs below a folder in a table and on a page, or write what a paper needs."""

import time
from collections.abc import Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from vggexp.errors import ConfigError, DataError
from vggexp.report.compare import groups
from vggexp.report.console import console
from vggexp.report.damaged import say_damaged, show_undamaged
from vggexp.report.run_table import print_runs
from vggexp.report.runs import Run, read_runs
from vggexp.sample.announce import announced

_TABLES = ("latex", "markdown", "csv")


def run(config: Mapping[str, Any]) -> int:
    """Print one row for each run, sorted by name, and write the page or the files for a paper."""
    root, form, watch = Path(config["input"]), config["format"], config["watch"]
    if watch is not None and (isinstance(watch, bool) or not isinstance(watch, int) or watch < 1):
        raise ConfigError(f"watch={watch}: give a whole number of seconds, of 1 or more")
    if form != "html" and (watch or not config["page"]):
        word = f"watch={watch}" if watch else "page=false"
        raise ConfigError(f"{word} is about the page, and format={form} writes none; leave one of them out")
    if not config["page"] and (watch or config["output"]):
        word = f"watch={watch}" if watch else f"output={config['output']}"
        raise ConfigError(f"{word} is about the page, and page=false writes none; leave one of them out")
    runs = show_undamaged(require_runs(root), partial(print_runs, root))
    if not config["page"]:
        return 0
    if form != "html":
        for path in _write_for_paper(root, runs, form, config["output"]):
            console().print(f"{path}", style="bold", soft_wrap=True)
        return 0
    output = Path(config["output"] or root / "report.html")
    _write(root, runs, output, watch)
    console().print(f"{output}", style="bold", soft_wrap=True)
    while watch:
        time.sleep(watch)
        _write(root, require_runs(root), output, watch)
    return 0


def require_runs(root: Path) -> list[Run]:
    """The runs below a folder.

    Raises:
        DataError: there is no folder, or no run in it.
    """
    if not root.is_dir():
        raise DataError(f"{root} is no folder; give the folder that holds the runs")
    damaged: dict[str, str] = {}
    with announced(f"looking for runs in {root}"):
        runs = read_runs(root, damaged)
    for name, why in damaged.items():
        say_damaged(name, why)
    if not runs:
        raise DataError(f"{root} holds no run: there is no config.yaml with a summary.json or metrics.jsonl beside it")
    return runs


def _write_for_paper(root: Path, runs: list[Run], form: str, output: str | None) -> list[Path]:
    found = [group for group in groups(runs) if any(setting.by_seed() for setting in group.settings)]
    if not found:
        raise DataError(f"{root} holds no finished run; a paper's tables and figures need one")
    try:
        if form not in _TABLES:
            from vggexp.report.paper.figure import write_figures

            return write_figures(found, Path(output or root / "figures"), f".{form}")
        module = import_module(f"vggexp.report.paper.{form}")
        path = Path(output or root / f"report{module.SUFFIX}")
        _require_file(path, f"report{module.SUFFIX}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(module.text(found), encoding="utf-8")
    except OSError as error:
        raise DataError(f"{error.filename or output} cannot be written: {error.strerror}") from error
    return [path]


def _require_file(output: Path, name: str) -> None:
    if output.is_dir():
        raise ConfigError(f"output={output} is a folder; name a file in it, such as {output / name}")


def _write(root: Path, runs: list[Run], output: Path, refresh: int | None) -> None:
    from vggexp.report.page import write_page

    _require_file(output, "report.html")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory() as elsewhere:
            show_undamaged(
                runs,
                lambda some: write_page(root, some, output, refresh),
                lambda some: write_page(root, some, Path(elsewhere, "page.html")),
            )
    except OSError as error:
        raise DataError(f"{output} cannot be written: {error.strerror}") from error
