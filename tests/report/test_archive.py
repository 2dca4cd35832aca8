"""A study as a zip file: complete, without photos, and the same bytes for the same runs."""

import json
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.report.conftest import MakeRun
from vggexp.__main__ import enter


def test_a_study_is_archived_without_photos(make_run: MakeRun, tmp_path: Path) -> None:
    folder = make_run("a/b", diagnostics=True, picture=True, data={"classes": None, "root": f"{Path.home()}/photos"})
    (folder / "splits.csv").write_text("name,split\n1.jpg,train\n")
    for name in ("one.zip", "two.zip"):
        assert enter(["archive", str(tmp_path / "runs"), f"output={tmp_path / name}"]) == 0
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with ZipFile(tmp_path / "one.zip") as archive:
        names = archive.namelist()
        assert {f"runs/a/b/{name}" for name in ("config.yaml", "summary.json", "splits.csv", "freeze.csv")} <= set(
            names
        )
        assert {"README.md", "results.csv", "results.md", "environment.txt"} <= set(names)
        assert not [name for name in names if name.endswith((".webp", ".png", ".ckpt"))]
        assert json.loads(archive.read("runs/a/b/summary.json"))["seed"] == 1
        assert b"root: ~/photos" in archive.read("runs/a/b/config.yaml")
        assert b"torch==" in archive.read("environment.txt")


def test_what_exists_is_kept(make_run: MakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run("a")
    (tmp_path / "old.zip").write_text("mine")
    assert enter(["archive", str(tmp_path / "runs"), f"output={tmp_path}/old.zip"]) == 2
    assert "set overwrite=true" in capsys.readouterr().err
    assert (tmp_path / "old.zip").read_text() == "mine"
    assert enter(["archive", str(tmp_path / "runs"), f"output={tmp_path}/study"]) == 2
    assert enter(["archive", str(tmp_path / "nothing"), f"output={tmp_path}/new.zip"]) == 1
    assert not (tmp_path / "new.zip").exists()
