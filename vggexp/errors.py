"""What ends a command with one line: what is wrong, where, and what would be right.

Nothing else in vggexp ends a command on purpose; any other exception is a bug and shows its traceback.
"""

import difflib
import math
from collections.abc import Iterable


class UserError(Exception):
    """A mistake of the user's. The entry point prints its message as one line and exits with ``code``."""

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


class DivergedError(UserError):
    """A training's numbers became NaN or infinite: exit code 1. The message says at which step, and what came first."""

    code = 1


MANY = 40
"""From so many options on, an error does not list them."""


def did_you_mean(word: str, options: Iterable[str]) -> str:
    """A closing clause that names the nearest option, or all of them if none is near and they are not ``MANY``.

    >>> did_you_mean("unett", ["unet", "fcn"])
    "; did you mean 'unet'?"
    >>> did_you_mean("x", ["unet", "fcn"])
    '; choose from: fcn, unet'
    """
    options = sorted(options)
    near = difflib.get_close_matches(word, options, n=1, cutoff=0.6)
    if near:
        return f"; did you mean '{near[0]}'?"
    if len(options) >= MANY:
        return f"; there are {len(options):,}, such as {', '.join(options[:3])}"
    return f"; choose from: {', '.join(options)}" if options else ""


def require_known(key: str, value: object, options: Iterable[str]) -> None:
    """ConfigError unless the value, or YAML's word for it, is one of the options."""
    word = str(value).lower() if isinstance(value, bool) else str(value)
    if word not in (known := tuple(options)):
        raise ConfigError(f"{key}={word} is not known{did_you_mean(word, known)}")


def require_at_least(key: str, value: object, least: float) -> None:
    """ConfigError unless the value is a finite number of at least ``least``: a whole one, if that is an int."""
    whole = isinstance(least, int)
    is_number = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    if not is_number or not least <= value < math.inf:  # type: ignore[operator]
        kind = "a whole number" if whole else "a number"
        raise ConfigError(f"{key}={value} is not {kind} of at least {least:g}")


def require_share(key: str, value: object, *, below_one: bool = False) -> None:
    """ConfigError unless the value is a number from 0 to 1, or from 0 to below 1."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value <= 1 or (below_one and value == 1):  # type: ignore[operator]
        raise ConfigError(f"{key}={value} is not a number from 0 to {'below ' if below_one else ''}1")


def require_weights(key: str, values: object) -> None:
    """ConfigError unless the values are a list of finite numbers of at least 0, and one of them is above 0."""
    if not isinstance(values, Iterable):
        raise ConfigError(f"{key}={values} is not a list of numbers")
    values = list(values)
    for value in values:
        require_at_least(key, value, 0.0)
    if not any(values):
        raise ConfigError(f"{key}={values} has no weight above 0: nothing would be learnt")


def first_line(error: BaseException) -> str:
    """How the message of any exception begins; its kind, if it has none."""
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")


def kind_and_line(error: BaseException) -> str:
    """Any exception in one line.

    >>> kind_and_line(KeyError("a")), kind_and_line(MemoryError())
    ("KeyError: 'a'", 'MemoryError')
    """
    return f"{type(error).__name__}: {first_line(error)}" if str(error).strip() else type(error).__name__


def one_line(error: UserError) -> str:
    """The error's message; of one raised in a data loader's process, which comes with a traceback, its last line."""
    message = str(error).strip()
    if "Original Traceback" in message:
        message = message.splitlines()[-1].removeprefix(f"{type(error).__module__}.{type(error).__name__}: ")
    return " ".join(message.split())
