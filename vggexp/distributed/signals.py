"""What signals do: SIGTERM ends the program, in a training after its next checkpoint; SIGUSR1 has one written.

SLURM sends SIGTERM before it kills a job, and with ``--signal=USR1@120`` a warning before that.
Ctrl-C (SIGINT) stays Python's: it ends the program at once.
"""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any


class Terminated(KeyboardInterrupt):
    """SIGTERM ended the program: what Ctrl-C does, with another exit code."""


class _State:
    """What was asked for by signals."""

    ends = saves = defers = False


_state = _State()


@contextmanager
def watched() -> Iterator[None]:
    """Handle SIGTERM and SIGUSR1 while the context is open, unless a launcher of jobs handles them already."""
    before: dict[int, Any] = {}
    _state.ends = _state.saves = _state.defers = False
    try:
        if threading.current_thread() is threading.main_thread():
            for name, handler in (("SIGTERM", _end), ("SIGUSR1", _save)):
                number = getattr(signal, name, None)  # Windows has no SIGUSR1
                if number is not None and signal.getsignal(number) is signal.SIG_DFL:
                    before[number] = signal.signal(number, handler)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(_number: int, _frame: FrameType | None) -> None:
    """Raise Terminated; while a training runs, the first time only note it."""
    is_first, _state.ends = not _state.ends, True
    if not (_state.defers and is_first):
        raise Terminated


def _save(number: int, _frame: FrameType | None) -> None:
    """Ask for a checkpoint, also the processes that this one has started."""
    _state.saves = True
    for child in _children():
        with suppress(OSError):
            os.kill(child, number)


def _children() -> list[int]:
    """The workers of a run that this process has started (Linux)."""
    found = []
    with suppress(OSError):
        for child in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
            with suppress(OSError):
                if b"vggexp.trainer.worker" in Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0"):
                    found.append(int(child))
    return found


def defer(whether: bool) -> None:
    """Let SIGTERM wait until a training has written its checkpoint, or no longer."""
    _state.defers = whether


def is_ending() -> bool:
    """Whether SIGTERM has come."""
    return _state.ends


def take_saving() -> bool:
    """Whether SIGUSR1 has come since this was asked last."""
    asked, _state.saves = _state.saves, False
    return asked


def interruption() -> KeyboardInterrupt:
    """What to raise for an interruption that a library has turned into another exception."""
    return Terminated() if _state.ends else KeyboardInterrupt()


@contextmanager
def undisguised() -> Iterator[None]:
    """Lightning leaves with SystemExit on Ctrl-C, after its teardown: raise what it was."""
    try:
        yield
    except SystemExit as leaving:
        raise interruption() from leaving


def die_with_parent(parent: int) -> None:
    """Have the system kill this process when its parent dies (Linux): a parent that was killed stops nobody."""
    import ctypes

    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:  # it died before
            os._exit(1)
