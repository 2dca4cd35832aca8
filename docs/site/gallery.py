"""The gallery: each picture of the pages once, with its description and a link to the page that explains it."""

import os
import re
from pathlib import Path

from links import without_code

_IMAGE = re.compile(r"!\[([^\]]+)\]\(([^)\s]+)\)")


def write(target: Path, pages: list[Path]) -> int:
    """Write the page, and return how many pictures it shows.

    Args:
        pages: the Markdown files to take pictures from, in the order in which to show them.
    """
    parts, seen = ["# Gallery", "", "Pictures that vggexp made, each with the page that tells how.", ""], set()
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for described, name in _IMAGE.findall(without_code(text)):
            picture = (page.parent / name).resolve()
            if ":" in name or picture in seen or not picture.exists():
                continue
            seen.add(picture)
            description = " ".join(described.split())
            parts += [f"![{description}]({_relative(picture, target)})", "",
                      f"*{description}.* [{_title(text, page)}]({_relative(page.resolve(), target)})", ""]  # fmt: skip
    target.write_text("\n".join(parts), encoding="utf-8")
    return len(seen)


def _relative(path: Path, page: Path) -> str:
    return os.path.relpath(path, page.parent.resolve())


def _title(text: str, page: Path) -> str:
    found = re.search(r"^# (.+)$", text, re.MULTILINE)
    return found[1].replace("`", "") if found else page.stem
