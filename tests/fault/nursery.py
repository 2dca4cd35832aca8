"""A process that has imported torch and forks a child for each command line: a kill then costs no new start.

It reads one JSON object a line, {"words": [...], "folder": ..., "output": file}, and answers the child's process id;
and {"wait": id}, and answers how that one ended, as ``subprocess`` counts: a negative number is a signal's.
"""

import json
import os
import sys
import traceback
from pathlib import Path


def child(words: list[str], folder: str, output: str) -> int:
    """Run one command line with its output in a file."""
    os.setsid()
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
