"""The run folder: nothing is overwritten unasked, nothing half-written is ever read."""

import json
from pathlib import Path

import pytest

from vggexp.errors import ConfigError
from vggexp.run_folder import PREVIOUS, RunFolder, plain, write_whole


def finished(path: Path, mark: str) -> RunFolder:
    folder = RunFolder(path)
    folder.begin({"mark": mark}, overwrite=True)
    folder.metrics.write_text(mark)
    folder.finish({"mark": mark})
    return folder


@pytest.mark.parametrize("file", ["metrics.jsonl", "summary.json"])
def test_a_run_is_refused_and_left_alone(tmp_path: Path, file: str) -> None:
    (tmp_path / file).write_text("old")
    with pytest.raises(ConfigError, match=r"holds a run; choose another run\.dir, or set run\.overwrite=true"):
        RunFolder(tmp_path).begin({})
    assert [path.name for path in tmp_path.iterdir()] == [file]


def test_a_folder_with_other_files_is_welcome(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    finished(tmp_path, "a")
    finished(tmp_path, "b")
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_the_earlier_run_stays_until_the_new_one_has_finished(tmp_path: Path) -> None:
    folder = finished(tmp_path, "first")
    folder.begin({}, overwrite=True)
    assert not folder.holds_run()
    aside = RunFolder(tmp_path / PREVIOUS)
    assert aside.read_summary() == {"mark": "first"}
    folder.metrics.write_text("second, killed")
    folder.begin({}, overwrite=True)
    assert aside.read_summary() == {"mark": "first"}, "an unfinished run displaces no finished one"
    folder.finish({"mark": "third"})
    assert not aside.path.exists()
    assert folder.read_summary() == {"mark": "third"}


def test_write_whole_leaves_no_temporary_file(tmp_path: Path) -> None:
    write_whole(tmp_path / "a.json", "old")
    write_whole(tmp_path / "a.json", "new")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a.json", "new")]


def test_json_has_no_nan() -> None:
    content = plain({"a": float("nan"), "b": [float("inf"), 1.5], "c": (2, "x")})
    assert json.loads(json.dumps(content, allow_nan=False)) == {"a": None, "b": [None, 1.5], "c": [2, "x"]}


def test_a_row_that_a_kill_lost_comes_back_from_the_checkpoint(tmp_path: Path) -> None:
    folder, rows = RunFolder(tmp_path), [{"epoch": 0, "val/loss": 1.0}, {"epoch": 0, "train/loss": 2.0}]
    folder.metrics.write_text(json.dumps(rows[0]) + '\n{"epoch": 1, "val/l')  # the last line was cut short
    folder.freeze.write_text("epoch,part\n0,head\n1,head\n")
    for _ in range(2):  # a second time nothing is missing
        folder.go_on(1, rows[1])
        assert [json.loads(line) for line in folder.metrics.read_text().splitlines()] == rows
        assert folder.freeze.read_text() == "epoch,part\n0,head\n"
