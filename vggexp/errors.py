"""What ends a command with one line: what is wrong, where, and what would be right.

Nothing else in vggexp ends a command on purpose; any other exception is a bug and shows its traceback.
"""

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """A mistake of the user's. The door prints its message as one line and exits with ``code``."""

    code = 1


class ConfigError(UserError):
    """The configuration cannot work: exit code 2."""

    code = 2


class DataError(UserError):
    """A file or a folder is not what it should be: exit code 1. The message names it."""

    code = 1


class FreezeError(UserError):
    """What was frozen moved, or processes hold different weights: exit code 1. The message names the tensor."""

    code = 1


def did_you_mean(word: str, options: Iterable[str]) -> str:
    """A closing clause that names the nearest option, or all of them if none is near.

    >>> did_you_mean("unett", ["unet", "fcn"])
    "; did you mean 'unet'?"
    >>> did_you_mean("x", ["unet", "fcn"])
    '; choose from: fcn, unet'
    """
    options = sorted(options)
    near = difflib.get_close_matches(word, options, n=1, cutoff=0.6)
    if near:
        return f"; did you mean '{near[0]}'?"
    return f"; choose from: {', '.join(options)}" if options else ""


def one_line(error: UserError) -> str:
    """The error's message; of one raised in a data loader's process, which comes with a traceback, its last line."""
    message = str(error).strip()
    if "Original Traceback" in message:
        message = message.splitlines()[-1].removeprefix(f"{type(error).__module__}.{type(error).__name__}: ")
    return " ".join(message.split())
