"""Says that a walk through folders goes on, where one has mistaken a word and waits for a whole disk to be read."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE, THEN = 5.0, 30.0
"""Seconds until the first line, and from one line to the next."""
KERNELS = ("/proc", "/sys")
"""Where Linux shows its own state as files: no photo lies there, and links lead from there to the whole disk."""


@contextmanager
def announced(what: str) -> Iterator[None]:
    """Print a line to standard error now and then, as long as the context takes.

    Args:
        what: what goes on, such as "looking for images in photos/".
    """
    is_over = threading.Event()

    def tell() -> None:
        seconds = PATIENCE
        while not is_over.wait(PATIENCE if seconds == PATIENCE else THEN):
            print(f"vggexp: {what}, for {seconds:.0f} seconds so far; Ctrl-C stops it", file=sys.stderr, flush=True)
            seconds += THEN

    thread = threading.Thread(target=tell, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def is_kernels(place: str | Path) -> bool:
    """Whether a path, links resolved, lies in one of the kernel's own folders.

    >>> is_kernels("/proc/self"), is_kernels("/process")
    (True, False)
    """
    parts = Path(place).parts[:2]
    return len(parts) == 2 and f"/{parts[1]}" in KERNELS and parts[0] == "/"
