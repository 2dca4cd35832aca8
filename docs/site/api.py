"""The API reference: a page for each room of ``vggexp/``, filled from the docstrings by mkdocstrings.

griffe reads the source without importing it, so no page needs torch.
"""

from pathlib import Path

HIDDEN = ("conf", "__pycache__")


def write(folder: Path, package: Path) -> list[str]:
    """Write the pages, and return their names in the order in which to show them."""
    folder.mkdir(parents=True, exist_ok=True)
    rooms = sorted(path.stem for path in package.iterdir() if _is_room(path))
    (folder / "README.md").write_text(_overview(rooms, package), encoding="utf-8")
    for room in rooms:
        (folder / f"{room}.md").write_text(_page(room, package), encoding="utf-8")
    return ["README.md", *(f"{room}.md" for room in rooms)]


def _is_room(path: Path) -> bool:
    if path.name.startswith("__") or path.name in HIDDEN:
        return False
    return path.suffix == ".py" or (path / "__init__.py").exists()


def _overview(rooms: list[str], package: Path) -> str:
    rows = [f"| [`vggexp.{room}`]({room}.md) | {_first_line(package, room)} |" for room in rooms]
    return "\n".join([
        "# API", "", "Every public class and function, from its docstring. What belongs where, and what may import",
        "what: [architecture](../../architecture.md).", "", "| room | contents |", "|---|---|", *rows, "",
    ])  # fmt: skip


def _page(room: str, package: Path) -> str:
    """The room's docstring, then its modules with their members."""
    names = [".".join(("vggexp", *path.relative_to(package).with_suffix("").parts)) for path in _modules(package, room)]
    return "\n".join([f"# vggexp.{room}", "", *(f"::: {name.removesuffix('.__init__')}\n" for name in names)])


def _modules(package: Path, room: str) -> list[Path]:
    folder = package / room
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]


def _first_line(package: Path, room: str) -> str:
    path = package / room / "__init__.py" if (package / room).is_dir() else package / f"{room}.py"
    lines = path.read_text(encoding="utf-8").splitlines() or [""]
    return lines[0].strip('"').replace("|", "\\|")
