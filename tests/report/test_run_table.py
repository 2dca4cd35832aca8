"""The table of runs: a part a folder, what all share in its title, and fewer columns where it is narrow."""

from pathlib import Path

import pytest
from rich.console import Console

from tests.report.conftest import MakeRun
from vggexp.report import run_table
from vggexp.report.runs import read_runs

LONG = "instance_segmentation-from-the-lecture"


def printed(root: Path, width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[str]:
    monkeypatch.setattr(run_table, "console", lambda: Console(highlight=False, width=width))
    run_table.print_runs(root, read_runs(root))
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


def test_a_part_for_each_folder(
    make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("b", "a/x", "a/y", "c"):
        make_run(name)
    root = tmp_path / "runs"
    lines = printed(root, 100, monkeypatch, capsys)
    titles = {line.partition(":")[0]: place for place, line in enumerate(lines) if line.startswith(str(root))}
    assert list(titles) == [str(root), f"{root}/a"]
    first, second = titles.values()
    assert [line.split()[0] for line in lines[first + 1 : second]] == ["run", "b", "c"]
    assert [line.split()[0] for line in lines[second + 1 :]] == ["run", "x", "y"]


def test_a_title_names_what_all_runs_share_and_a_single_run_shows_all(
    make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_run("one")
    root = tmp_path / "runs"
    title, head, _ = printed(root, 100, monkeypatch, capsys)
    assert title == str(root)
    assert head.split() == ["run", "task", "freeze", "metric", "ours", "baseline", "trained", "seconds"]
    make_run("two")
    title, head, *_ = printed(root, 100, monkeypatch, capsys)
    assert title.startswith(f"{root}: segmentation, test/miou, baseline 0.100")
    assert head.split() == ["run", "freeze", "ours", "trained", "seconds"]


def test_a_narrow_terminal_loses_columns_before_names_are_folded(
    make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_run(LONG)
    root = tmp_path / "runs"
    heads = [printed(root, width, monkeypatch, capsys)[1].split() for width in (120, 100, 90)]
    assert [len(head) for head in heads] == sorted((len(head) for head in heads), reverse=True)
    assert "trained" in heads[0]
    assert not {"trained", "task"} & set(heads[2])
    assert any(line.startswith(LONG + " ") for line in printed(root, 90, monkeypatch, capsys))
