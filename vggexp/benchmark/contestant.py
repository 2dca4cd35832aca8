"""The process of one contestant: ``python -m vggexp.benchmark.contestant MODULE JOB``; one JSON message per line.

Other output goes to standard error; standard output carries only messages.
"""

import json
import os
import sys
from contextlib import suppress
from importlib import import_module

from vggexp.benchmark.plan import Job, job_of
from vggexp.benchmark.rounds import Message, Over, Rounds


def main() -> None:
    """Run rounds until the parent closes standard input."""
    module, job = sys.argv[1], job_of(json.loads(sys.argv[2]))
    messages = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def say(message: Message) -> None:
        print(json.dumps(message), file=messages, flush=True)

    contend(module, job, Rounds(say, lambda: bool(sys.stdin.readline())))


def contend(module: str, job: Job, rounds: Rounds) -> None:
    """Let a module do its job until the parent wants no more rounds."""
    os.environ["HYDRA_FULL_ERROR"] = "1"  # otherwise Hydra prints the error and exits
    with suppress(Over):
        getattr(import_module(module), job.kind)(job, rounds)


if __name__ == "__main__":
    main()
