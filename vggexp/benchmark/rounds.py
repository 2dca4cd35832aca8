"""A contestant's side of taking turns: it says when it is ready, waits to be asked, and says how long it took."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import torch

from vggexp.callback.stopwatch import peak_memory_mib

Message = dict[str, Any]


class Over(BaseException):
    """No more turns are wanted. It passes every ``except Exception`` on its way out of a training."""


class Rounds:
    """The turns of one contestant.

    Args:
        say: tells the other side something.
        hear: waits for the other side to ask for a turn; false if it wants no more.
    """

    def __init__(self, say: Callable[[Message], None], hear: Callable[[], bool]) -> None:
        self._say, self._hear = say, hear
        self._since = 0.0
        self._is_ready = False

    def begin(self) -> None:
        """Wait for a turn, and start its clock. The warm-up lies before the first one.

        Raises:
            Over: no more turns are wanted.
        """
        if not self._is_ready:
            _finish_device()
            self._is_ready = True
            self._say({"ready": True, "memory_mib": peak_memory_mib()})
        if not self._hear():
            raise Over
        self._since = time.perf_counter()

    def end(self, amount: int, seconds: Mapping[str, float] | None = None, **facts: float) -> None:
        """Tell what the turn took.

        Args:
            amount: of images (or of whole runs) that it dealt with.
            seconds: by part, if it had several, or if it was scaled; None: the time since it began.
            facts: what else there is to say of it.
        """
        _finish_device()
        taken = {"": time.perf_counter() - self._since} if seconds is None else dict(seconds)
        self._say({"seconds": taken, "amount": amount, "memory_mib": peak_memory_mib(), **facts})


def _finish_device() -> None:
    if torch.accelerator.is_available():
        torch.accelerator.synchronize()
