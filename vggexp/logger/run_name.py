"""The name that a run has in the loggers of other programs."""

from pathlib import Path


def run_name(folder: Path) -> str:
    """A folder's path below runs/; the folder's name if it is elsewhere.

    >>> run_name(Path("runs/freeze/pets/none-1")), run_name(Path("/tmp/x"))
    ('freeze/pets/none-1', 'x')
    """
    below = folder.parts[1:] if folder.parts[:1] == ("runs",) else ()
    return "/".join(below) or folder.name
