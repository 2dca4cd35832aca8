"""The pages of the documentation, and the commands in them."""

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs" / "tutorial"


def chapters(folder: Path = TUTORIAL) -> list[Path]:
    """The chapters, in their order."""
    return sorted(folder.glob("[0-9]*.md"))


def commands(text: str) -> list[list[str]]:
    """The words after ``python -m vggexp`` of each indented command of a page, in order; comments are left out."""
    found = re.findall(r"^ {4}(?:\$ )?python -m vggexp\b *(.*)$", text, re.MULTILINE)
    return [shlex.split(line, comments=True) for line in found]


def course() -> list[tuple[str, list[str]]]:
    """Every command of the course with its chapter's name, in the order in which a reader gives them."""
    return [(page.stem, words) for page in chapters() for words in commands(page.read_text(encoding="utf-8"))]


def trains(words: list[str]) -> bool:
    """Whether a command trains: it names no other verb."""
    return not words or "=" in words[0] or words[0] in ("-m", "train")
