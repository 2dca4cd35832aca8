"""A contestant's side of the rounds: it reports that it is ready, waits for each round, and reports its time."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import torch

from vggexp.distributed.memory import peak_memory_mib

Message = dict[str, Any]


class Over(BaseException):
    """The parent wants no more rounds. Not an ``Exception``: no ``except Exception`` in a training catches it."""


class Rounds:
    """The rounds of one contestant.

    Args:
        say: sends a message to the parent.
        hear: waits until the parent starts a round; false if it wants no more.
    """

    def __init__(self, say: Callable[[Message], None], hear: Callable[[], bool]) -> None:
        self._say, self._hear = say, hear
        self._since = 0.0
        self._is_ready = False

    def begin(self) -> None:
        """Wait for a round and start its clock. The warm-up comes before the first call.

        Raises:
            Over: the parent wants no more rounds.
        """
        if not self._is_ready:
            _finish_device()
            self._is_ready = True
            self._say({"ready": True, "memory_mib": peak_memory_mib()})
        if not self._hear():
            raise Over
        self._since = time.perf_counter()

    def end(self, amount: int, seconds: Mapping[str, float] | None = None, **facts: float) -> None:
        """Report the time of the round.

        Args:
            amount: number of images (or of whole runs) that it processed.
            seconds: by part, if there are several, or scaled seconds; None: the time since ``begin``.
            facts: further numbers to report.
        """
        _finish_device()
        taken = {"": time.perf_counter() - self._since} if seconds is None else dict(seconds)
        self._say({"seconds": taken, "amount": amount, "memory_mib": peak_memory_mib(), **facts})


def _finish_device() -> None:
    if torch.accelerator.is_available():
        torch.accelerator.synchronize()
