"""A process that has trained once and forks a child for each command line: a kill then costs no new start.

What the first training leaves in memory, imported modules and rendered digits, a child need not do again: of its time,
nearly all is training, and so most kills come while it trains.

It reads one JSON object a line, {"words": [...], "folder": ..., "output": file}, and answers the child's process id;
and {"wait": id}, and answers how that one ended, as ``subprocess`` counts: a negative number is a signal's.
"""

import io
import json
import os
import signal
import sys
import tempfile
import traceback
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path


def child(words: list[str], folder: str, output: str) -> int:
    """Run one command line with its output in a file."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job would ignore Ctrl-C
    os.chdir(folder)
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(file, 1)
    os.dup2(file, 2)
    from vggexp.__main__ import enter
    from vggexp.distributed.processes import import_from_here

    import_from_here()  # as python -m does
    try:
        return enter(words)
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def train_once(words: list[str]) -> None:
    """Train a run that nobody looks at."""
    from vggexp.__main__ import enter

    said = io.StringIO()
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(said), redirect_stderr(said):
        code = enter([*words, "trainer.max_epochs=1", f"run.dir={folder}/run"])
    assert code == 0, said.getvalue()


def main() -> None:
    """Answer requests until the input ends."""
    import vggexp.callback.diagnostics
    import vggexp.command.evaluate
    import vggexp.command.resume
    import vggexp.data.digits
    import vggexp.sweep.command_line
    import vggexp.trainer.default
    import vggexp.trainer.fitting
    import vggexp.trainer.training  # noqa: F401

    train_once(sys.argv[1:])
    print("ready", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        if "wait" in asked:
            _, status = os.waitpid(asked["wait"], 0)
            print(os.waitstatus_to_exitcode(status), flush=True)
            continue
        Path(asked["folder"]).mkdir(parents=True, exist_ok=True)
        if (pid := os.fork()) == 0:
            os._exit(child(asked["words"], asked["folder"], asked["output"]))
        print(pid, flush=True)


if __name__ == "__main__":
    main()
