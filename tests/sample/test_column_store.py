"""Columns in a folder: whole or not at all."""

import os
from pathlib import Path

import pytest
import torch

from vggexp.errors import ConfigError
from vggexp.sample.column_store import is_kept, new_columns, read_columns, write_columns


def test_of_two_writers_one_wins_and_nothing_is_left(tmp_path: Path) -> None:
    columns = {"feature": torch.randn(4, 2, 2, 3).bfloat16(), "label": torch.arange(4)}
    for _ in range(2):
        kept = write_columns(tmp_path / "entry", columns)
        assert all(torch.equal(kept[name], column) for name, column in columns.items())
    assert [path.name for path in tmp_path.iterdir()] == ["entry"]
    assert read_columns(tmp_path / "entry")["feature"].dtype == torch.bfloat16


def test_what_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyError), new_columns(tmp_path / "entry", {"a": ((3,), torch.int64)}):
        raise KeyError
    assert list(tmp_path.iterdir()) == []
    assert not is_kept(tmp_path / "entry")


def test_of_two_that_write_at_once_the_first_to_finish_stays(tmp_path: Path) -> None:
    layout = {"a": ((3,), torch.int64)}
    with new_columns(tmp_path / "entry", layout) as slow:
        slow["a"].fill_(1)
        with new_columns(tmp_path / "entry", layout) as fast:
            fast["a"].fill_(2)
    assert read_columns(tmp_path / "entry")["a"].tolist() == [2, 2, 2]
    assert [path.name for path in tmp_path.iterdir()] == ["entry"]


def test_a_full_disk_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(ConfigError, match=r"cannot be written: No space left on device"):
        write_columns(tmp_path / "entry", {"a": torch.zeros(3)})
    assert list(tmp_path.iterdir()) == []
