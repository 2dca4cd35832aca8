"""A study as one zip file: what a reader needs to repeat it and to check its numbers, without photos and weights."""

import platform
from collections.abc import Iterator, Sequence
from importlib.metadata import distributions
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from vggexp.report.compare import groups
from vggexp.report.paper import csv, markdown
from vggexp.report.runs import Run

FILES = ("config.yaml", "summary.json", "metrics.jsonl", "freeze.csv", "splits.csv", "skipped.csv",
         "prediction/test.json", "prediction/val.json")  # fmt: skip
"""Of each run: its config, splits, scores, schedule, and each image's score."""

_README = """\
# {title}

{count} runs of vggexp. `results.csv` and `results.md` have each setting's mean and deviation, and the methods;
`environment.txt` has the packages of the machine that wrote this archive; each run's own versions are in its
`summary.json`.

To repeat a run, install vggexp and its data, then:

    python -m vggexp rerun runs/NAME run.dir=runs/again

Photos and weights are not included. The user's home folder is written as `~`.
"""


def write_archive(root: Path, runs: Sequence[Run], output: Path) -> int:
    """Write the zip file and return its size in bytes. The same runs give the same bytes."""
    temporary = output.with_name(f".{output.name}.part")
    with ZipFile(temporary, "w", ZIP_DEFLATED) as archive:
        for name, content in _content(root, runs):
            entry = ZipInfo(name)  # its date is fixed: 1980
            entry.compress_type, entry.external_attr = ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, content.replace(str(Path.home()), "~"))
    temporary.replace(output)
    return output.stat().st_size


def _content(root: Path, runs: Sequence[Run]) -> Iterator[tuple[str, str]]:
    """Names and contents, in order."""
    found = groups(runs)
    yield "README.md", _README.format(title=root.resolve().name, count=len(runs))
    yield "results.csv", csv.text(found)
    yield "results.md", markdown.text(found)
    yield "environment.txt", _environment()
    for run in runs:
        for name in FILES:
            if (path := run.folder.path / name).is_file():
                yield f"runs/{run.name}/{name}", path.read_text(encoding="utf-8")


def _environment() -> str:
    packages = sorted({f"{one.metadata['Name']}=={one.version}" for one in distributions()}, key=str.lower)
    return "\n".join([f"# Python {platform.python_version()}, {platform.system()}", *packages]) + "\n"
