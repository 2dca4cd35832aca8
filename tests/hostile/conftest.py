"""Each case ends with an exit code and a line that says what is wrong; in none of them is there a traceback."""

import io
from collections.abc import Callable
from contextlib import redirect_stderr
from typing import Any

import pytest

from vggexp.__main__ import guarded

Refused = Callable[..., None]


def ending(action: Callable[[], Any]) -> tuple[int, str]:
    """The exit code of a command that does this, and what it prints to standard error."""

    def run() -> int:
        action()
        return 0

    errors = io.StringIO()
    with redirect_stderr(errors):
        code = guarded(run)
    return code, errors.getvalue()


@pytest.fixture
def refused(vggexp: Callable[..., tuple[int, str, str]]) -> Refused:
    """Run a command line that must end with this code and one line that holds this text."""

    def check(words: list[str], code: int, message: str) -> None:
        found, _, errors = vggexp(*words)
        assert (found, errors.count("\n")) == (code, 1), errors
        assert errors.startswith("vggexp: error: ")
        assert message in errors

    return check
