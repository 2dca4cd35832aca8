"""Runs contestants in separate processes, one turn each per round, so that other load affects all of them alike."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from vggexp.benchmark.plan import Job, Work
from vggexp.errors import DataError

LIMIT = "limit"
"""The contestant that measures the limit of the machine."""


@dataclass(frozen=True)
class Turn:
    """The result of one contestant in one round."""

    seconds: Mapping[str, float]
    """By part; "" if there is only one."""
    amount: int
    """Number of images, or of whole runs."""
    memory_mib: float
    """Peak memory of its process so far."""
    facts: Mapping[str, float] = field(default_factory=dict)

    def each(self, part: str = "") -> float:
        """Seconds per image (or run) of a part; of everything, if there is no such part."""
        return (self.seconds[part] if part in self.seconds else self.seconds[""]) / self.amount


Round = dict[str, Turn]
"""One turn of each contestant, by name."""


class Contestant:
    """A process that waits for its turns.

    Args:
        module: the name of the module under ``vggexp.benchmark``.
        job: its job.
    """

    def __init__(self, module: str, job: Job) -> None:
        self._module = module
        self._errors = tempfile.TemporaryFile(mode="w+")  # noqa: SIM115
        words = [f"vggexp.benchmark.{module}", json.dumps(asdict(job))]
        self._began = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "vggexp.benchmark.contestant", *words],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        """Close its input so that it exits; kill it if it does not exit within 10 seconds."""
        assert self._process.stdin
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout
        self._process.stdout.close()
        self._errors.close()

    def wait_until_ready(self) -> Turn:
        """Wait for its warm-up; the returned turn is its start-up."""
        message = self._listen()
        return Turn({"": time.perf_counter() - self._began}, 1, message["memory_mib"])

    def take_turn(self) -> Turn:
        """Start one turn and wait for its result."""
        assert self._process.stdin
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        message = self._listen()
        own = {name: message.pop(name) for name in ("seconds", "amount", "memory_mib")}
        return Turn(**own, facts=message)

    def _listen(self) -> dict[str, Any]:
        assert self._process.stdout
        if line := self._process.stdout.readline():
            return dict(json.loads(line))
        self._errors.seek(0)
        lines = [line for line in self._errors.read().splitlines() if line.strip()] or ["without a message"]
        raise DataError(f"benchmark: {self._module} failed: {lines[-1]}")


def rounds(work: Work, repeats: int) -> list[Round]:
    """Every contestant's turns, round by round; the order reverses from round to round."""
    jobs = {f"ours {name}".strip(): ("against.ours", job) for name, job in work.ours.items()}
    jobs |= {name: (f"against.{module}", job) for name, (module, job) in work.against.items()}
    if work.starts:
        return [dict(_starts(jobs)) for _ in range(repeats)]
    if work.bounded:
        jobs[LIMIT] = ("limit", next(iter(work.ours.values())))
    with ExitStack() as stack:
        waiting = {}
        for name, (module, job) in jobs.items():
            waiting[name] = stack.enter_context(Contestant(module, job))
            waiting[name].wait_until_ready()  # one after the other: simultaneous warm-ups take twice as long
        orders = [list(waiting), list(reversed(waiting))]
        return [{name: waiting[name].take_turn() for name in orders[place % 2]} for place in range(repeats)]


def _starts(jobs: Mapping[str, tuple[str, Job]]) -> Iterator[tuple[str, Turn]]:
    """Start each contestant once, measure its start-up and end it."""
    for name, (module, job) in jobs.items():
        with Contestant(module, job) as contestant:
            yield name, contestant.wait_until_ready()


def parts(found: Sequence[Round], name: str) -> list[str]:
    """The parts of a contestant's turns."""
    return list(found[0][name].seconds)
