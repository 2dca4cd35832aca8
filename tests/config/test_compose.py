"""Hydra's flags under Python 3.14, whose check of help texts is put into older ones here."""

import argparse
from collections.abc import Callable
from typing import Any

import pytest


def test_python_3_14_checks_help_texts(
    vggexp: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its ``add_argument`` formats the help at once, which fails on an object that is no text."""
    add = argparse.ArgumentParser.add_argument

    def check(self: Any, action: argparse.Action) -> None:
        if action.help and "%" in action.help:
            self._get_formatter()._expand_help(action)

    def add_and_check(self: Any, *names: str, **how: Any) -> argparse.Action:
        action = add(self, *names, **how)
        self._check_help(action)
        return action

    monkeypatch.setattr(argparse.ArgumentParser, "_check_help", check, raising=False)
    monkeypatch.setattr(argparse.ArgumentParser, "add_argument", add_and_check)
    code, out, errors = vggexp("--cfg", "job")
    assert (code, errors) == (0, "")
    assert "max_epochs: 15" in out
