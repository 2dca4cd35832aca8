"""The plan of a sweep: glob(), empty sweeps, and errors while it is made."""

from collections.abc import Callable
from typing import Any

import pytest

from vggexp.sweep import multirun

Vggexp = Callable[..., tuple[int, str, str]]


def test_glob_names_options(vggexp: Vggexp, stub: Any) -> None:
    code, out, errors = vggexp("-m", "freeze=glob(n*)")
    assert (code, errors) == (0, "")
    assert "job 2/2  freeze=norm" in out


@pytest.mark.parametrize("word", ["freeze=glob(zz*)", "seed=range(3,1)"])
def test_a_sweep_without_a_job(word: str, vggexp: Vggexp) -> None:
    code, _, errors = vggexp("-m", word)
    assert (code, errors.count("\n")) == (2, 1)
    assert f"the sweep has no job: {word.partition('=')[0]} has no value" in errors


def test_an_error_while_planning_is_one_line(vggexp: Vggexp, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(config: Any) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(multirun, "plan_of", fail)
    code, _, errors = vggexp("-m", "seed=1,2")
    assert (code, errors) == (2, "vggexp: error: the sweep cannot be planned: ZeroDivisionError: by zero\n")
