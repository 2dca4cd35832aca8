"""Real trainings that are killed: ``Nursery`` starts them, each in a process of its own, without a new import."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

SMALL = (
    "backbone=vgg11_bn", "backbone.width=0.05", "data.image_size=[32,32]", "data.size=[16,30]", "trainer.precision=32",
    "trainer.gpus=0", "head.hidden=8", "head.pool=1", "trainer.limit_train_batches=4", "trainer.limit_val_batches=1",
    "trainer.limit_test_batches=1", "trainer.max_epochs=4", "callback=[]", "baseline=false",
)  # fmt: skip
"""Words under which a run of four epochs on digits takes seconds."""


class Run:
    """A command that runs."""

    def __init__(self, nursery: "Nursery", pid: int, output: Path) -> None:
        self._nursery, self.pid, self._output = nursery, pid, output

    def send(self, number: int = signal.SIGKILL) -> None:
        """Send a signal, if the process is still there."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def wait(self) -> int:
        """The exit code; negative: minus the signal that ended it."""
        return int(self._nursery.ask({"wait": self.pid}))

    @property
    def text(self) -> str:
        """What it has printed so far."""
        return self._output.read_text() if self._output.exists() else ""


class Nursery:
    """Starts commands in forks of one process."""

    def __init__(self) -> None:
        place = Path(__file__).parents[2]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(place)}
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("nursery.py")), *SMALL],
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def ask(self, request: dict[str, Any]) -> str:
        """Send one request and return its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline()

    def start(self, *words: str) -> Run:
        """Start a command in the current folder."""
        output = Path.cwd() / f"output-{len(list(Path.cwd().glob('output-*')))}"
        pid = self.ask({"words": list(words), "folder": str(Path.cwd()), "output": str(output)})
        return Run(self, int(pid), output)

    def run(self, *words: str) -> tuple[int, str]:
        """Run a command: its exit code and what it printed."""
        started = self.start(*words)
        return started.wait(), started.text

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    found = Nursery()
    yield found
    found.close()


@pytest.fixture
def small() -> tuple[str, ...]:
    return SMALL
