"""The pictures of a group's runs, small enough to be carried in the page."""

import base64
import io
from pathlib import Path

from PIL import Image

from vggexp.report.compare import Group

PICTURES = 12
"""Runs a group that show their pictures, at most: the first seed of each setting."""
_WIDTH = 800


def gallery(group: Group) -> tuple[list[dict[str, str]], str]:
    """One picture a setting, and a note where some are left out."""
    found = []
    for setting in group.settings:
        run = next((run for run in setting.runs if (run.folder.predictions / "test.png").exists()), None)
        if run is not None:
            found.append((setting, run))
    pictures = [
        {
            "label": setting.label,
            "name": run.name,
            "link": anchor(run.name),
            "data": embedded(run.folder.predictions / "test.png"),
        }
        for setting, run in found[:PICTURES]
    ]
    note = f" {PICTURES} of {len(found)} settings are shown." if len(found) > PICTURES else ""
    return pictures, note


def anchor(name: str) -> str:
    """A run's place on the page, as an id: letters, digits and dashes.

    >>> anchor("a/<b> 1")
    'run-a-2f-3cb-3e-201'
    """
    return "run-" + "".join(char if char.isalnum() and char.isascii() else f"-{ord(char):x}" for char in name)


def embedded(path: Path) -> str:
    """A picture as a data URI: WebP, at most 800 pixels wide; "" if it cannot be read."""
    try:
        with Image.open(path) as opened:
            image = opened.convert("RGB")
    except OSError:
        return ""
    if image.width > _WIDTH:
        image = image.resize((_WIDTH, round(image.height * _WIDTH / image.width)), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=80, method=1)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
