"""The door: ``python -m vggexp [verb] [argument] [group=option] [key=value]`` to a composed, checked config.

Torch takes seconds to import, so this module and what it imports never do: ``--help``, ``--cfg job`` and every
mistake that the config alone can show are answered first. A verb is a pair of files: its root config
``conf/<verb>.yaml`` and its program ``vggexp/command/<verb>.py`` with a function ``run(config)``.
"""

import os
import sys
import traceback
from collections.abc import Callable, Sequence

from vggexp.config.help import help_text
from vggexp.config.words import split_verb
from vggexp.errors import UserError, one_line

_SIGPIPE = 141
"""The exit code that shells give a program whose reader has left: 128 + the signal's number."""


def main() -> None:
    """The console script ``vggexp``."""
    try:
        code = enter(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read the output has left, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python would say so at its end
        code = _SIGPIPE
    sys.exit(code)


def enter(words: Sequence[str]) -> int:
    """Do what the command line says and return its exit code: 0, 1 (data, or a bug), 2 (config), 130 (Ctrl-C)."""
    # With this set, Hydra hands its exceptions on instead of printing them and leaving.
    os.environ["HYDRA_FULL_ERROR"] = "1"

    def open_door() -> int:
        verb, rest = split_verb(words)
        if "--help" in rest or "-h" in rest:
            print(help_text(verb, rest))
            return 0
        from vggexp.sweep.command_line import start  # Hydra takes a quarter of a second: --help does without

        return start(verb, rest, debug)

    debug = "debug=true" in words
    try:
        return guarded(open_door, debug)
    except KeyboardInterrupt:
        print("vggexp: interrupted; what was written before stays", file=sys.stderr)
        return 130


def guarded(action: Callable[[], int], debug: bool = False) -> int:
    """The action's exit code; a mistake of the user's is printed as one line (with its traceback, if debug)."""
    try:
        return action()
    except UserError as error:
        if debug:
            traceback.print_exc()
        print(f"vggexp: error: {one_line(error)}", file=sys.stderr)
        return error.code


if __name__ == "__main__":
    main()
