"""``benchmark``: time vggexp against the alternatives on each workload, as a table, JSON and a page."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from vggexp.benchmark.measure import Round, rounds
from vggexp.benchmark.page import table, write_page
from vggexp.benchmark.plan import REQUIRED, Sizes, Work, about, alternatives, plan, works
from vggexp.benchmark.result import Row, document, rows, write
from vggexp.config.check.words import PRECISIONS
from vggexp.errors import ConfigError, DataError, did_you_mean, require_at_least, require_known
from vggexp.report.console import console

PHOTO_SIZE = (375, 500)
"""Height and width of a generated photo, those of most photos of Oxford-IIIT Pet and ImageNet."""


def run(config: Mapping[str, Any]) -> int:
    """Measure each workload, print its rows as they come, then write JSON and the page if asked."""
    names = chosen("work", config["work"], works())
    against = chosen("against", config["against"], [*alternatives(), "freeze=none", "cache=off", "cache.share=false"])
    output = _checked(config)
    found: dict[str, list[Round]] = {}
    kept: list[Row] = []
    notes = {name: about(name) for name in names}
    for name in names:
        with tempfile.TemporaryDirectory(prefix="vggexp-") as folder:
            sizes = _sizes(config, config["root"] or folder)
            work = _limited(plan(name, sizes), against)
            if not work.against:
                console().print(f"{name}: none of {', '.join(against)} does it: skipped", style="dim")
                continue
            if not config["root"]:
                from vggexp.benchmark.photos import draw_photos

                height, width = config["photo_size"] or PHOTO_SIZE
                draw_photos(Path(folder), work.train, work.test, size=(width, height))
            found[name] = rounds(work, config["repeats"])
        new = list(rows(name, work, found[name]))
        kept += new
        notes[name] = f"{notes[name]} {work.note}".strip()
        console().print(table(new))
        if output:  # after each work: what is measured is not lost
            content = document(kept, found, config)
            _write(output, kept, content, notes, config["page"])
    if output and kept:
        console().print(f"{output}", style="bold", soft_wrap=True)
    return 0


def chosen(key: str, value: Any, known: Sequence[str]) -> list[str]:
    """The names that a key selects: all, one or a list.

    Raises:
        ConfigError: for a name that is not known.
    """
    if value == "all":
        return list(known)
    names = [str(name) for name in (value if isinstance(value, list) else [value])]
    if not names:
        raise ConfigError(f"{key}=[] names none{did_you_mean('', ['all', *known])}")
    for name in names:
        if name not in known:
            raise ConfigError(f"{key} has no '{name}'{did_you_mean(name, ['all', *known])}")
    return names


def _checked(config: Mapping[str, Any]) -> Path | None:
    """The output's path; ConfigError for a value that cannot work."""
    least = {"repeats": 1, "steps": 1, "images": 1, "epochs": 1, "sample": 1, "hidden": 1, "batch_size": 2}
    for key, smallest in least.items():
        if config[key] is not None or key != "batch_size":
            require_at_least(key, config[key], smallest)
    require_known("precision", config["precision"], PRECISIONS)
    for key in ("image_size", "photo_size"):
        if config[key] is not None or key != "photo_size":
            _check_size(key, config[key])
    root = config["root"]
    if root and config["photo_size"]:
        raise ConfigError(f"photo_size={config['photo_size']} is the size of generated photos; root={root} has its own")
    if root and not (Path(root) / "oxford-iiit-pet").is_dir():
        raise DataError(f"{root} holds no oxford-iiit-pet; leave root out to have photos drawn")
    output = config["output"]
    if output and Path(output).suffix != ".json":
        raise ConfigError(f"output={output}: give a file that ends in .json")
    return Path(output) if output else None


def _check_size(key: str, size: Any) -> None:
    if not (isinstance(size, list) and len(size) == 2 and all(isinstance(side, int) and side >= 32 for side in size)):
        raise ConfigError(f"{key}={size}: give [height, width] of 32 or more")


def _sizes(config: Mapping[str, Any], root: str) -> Sizes:
    own = {field.name: config[field.name] for field in fields(Sizes) if field.name != "root"}
    return Sizes(root=str(Path(root).resolve()), **{**own, "image_size": tuple(config["image_size"])})


def _limited(work: Work, names: Sequence[str]) -> Work:
    """A workload with the alternatives that were asked for and are installed."""
    return replace(work, against=dict(_present(work, names)))


def _present(work: Work, names: Sequence[str]) -> Iterator[tuple[str, Any]]:
    for name, entry in work.against.items():
        needed = REQUIRED.get(name)
        if needed and not find_spec(needed):
            console().print(f"{name}: is not installed, skipped; pip install 'vggexp[smp]'", style="dim")
        elif name in names:
            yield name, entry


def _write(output: Path, kept: Sequence[Row], content: Mapping[str, Any], notes: Mapping[str, str], page: bool) -> None:
    command = f"python -m vggexp benchmark output={output.name}"
    try:
        write(output, content)
        if page:
            write_page(output.with_suffix(".html"), kept, content, notes, command)
    except OSError as error:
        raise DataError(f"{output} cannot be written: {error.strerror}") from error
