"""The entry point: ``python -m vggexp [verb] [argument] [group=option] [key=value]``.

Torch takes seconds to import, so neither this module nor anything that it imports does so: ``--help``, ``--cfg job``
and every mistake that the config alone shows are answered before. A verb is a pair of files: its root config
``conf/<verb>.yaml`` and its program ``vggexp/command/<verb>.py`` with a function ``run(config)``.
"""

import os
import sys
import traceback
from collections.abc import Callable, Sequence

from vggexp.config.help import help_text
from vggexp.config.key_help import help_for, keys_of
from vggexp.config.words import split_verb
from vggexp.distributed.processes import import_from_here
from vggexp.distributed.signals import Terminated, watched
from vggexp.distributed.whole import disk_error
from vggexp.errors import UserError, one_line

_SIGPIPE, _SIGTERM = 141, 143
"""The exit codes of a program that was ended by these signals: 128 + the signal's number."""


def main() -> None:
    """The console script ``vggexp``."""
    import_from_here()
    try:
        code = enter(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of the output has closed it, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python reports it once more at exit
        code = _SIGPIPE
    sys.exit(code)


def enter(words: Sequence[str]) -> int:
    """Run a command line and return its exit code: 0, 1 (data, or a bug), 2 (config), 130 (Ctrl-C), 143 (SIGTERM)."""
    # With this set, Hydra raises its exceptions; otherwise it prints them and exits.
    os.environ["HYDRA_FULL_ERROR"] = "1"

    def run_verb() -> int:
        if "--version" in words:
            print(f"vggexp {version()}")
            return 0
        if {"--help", "-h"}.intersection(words) and (page := help_for(words)):
            print(page)
            return 0
        verb, rest = split_verb(words)
        if "--help" in rest or "-h" in rest:
            keys = f"\n\nwhat its keys take\n{keys_of(verb)}" if verb != "train" else ""
            print(help_text(verb, rest) + keys)
            return 0
        from vggexp.sweep.command_line import (
            start,
        )  # not needed for --help: importing Hydra takes a quarter of a second

        return start(verb, rest, debug)

    debug = "debug=true" in words
    try:
        with watched():
            return guarded(run_verb, debug)
    except Terminated:
        print("vggexp: ended by SIGTERM; the files written so far are kept", file=sys.stderr)
        return _SIGTERM
    except KeyboardInterrupt:
        print("vggexp: interrupted; the files written so far are kept", file=sys.stderr)
        return 130


def version() -> str:
    """The installed version."""
    from importlib import metadata  # not needed by any other command

    try:
        return metadata.version("vggexp")
    except metadata.PackageNotFoundError:
        return "of a folder that is not installed"


def guarded(action: Callable[[], int], debug: bool = False) -> int:
    """Run the action and return its exit code; print a mistake of the user as one line."""
    try:
        return action()
    except UserError as error:
        if debug:
            traceback.print_exc()
        print(f"vggexp: error: {one_line(error)}", file=sys.stderr)
        return error.code
    except OSError as error:
        if isinstance(error, BrokenPipeError) or (known := disk_error(error)) is None:
            raise
        if debug:
            traceback.print_exc()
        print(f"vggexp: error: {one_line(known)}", file=sys.stderr)
        return known.code


if __name__ == "__main__":
    main()
