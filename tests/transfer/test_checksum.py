"""A checkpoint's checksum finds any flipped byte; files without one still load."""

import random
from pathlib import Path

import pytest
import torch

from vggexp.errors import DataError
from vggexp.run_folder import RunFolder
from vggexp.transfer.checkpoint import read_checkpoint, write_checkpoint
from vggexp.transfer.checksum import damage
from vggexp.transfer.last import repair_last

CONTENT = {"state_dict": {"a": torch.arange(3000.0)}, "info": {"classes": ["x"]}}


def test_every_flipped_byte_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a.ckpt"
    write_checkpoint(path, CONTENT)
    assert damage(path) is None
    assert torch.equal(read_checkpoint(path)["state_dict"]["a"], CONTENT["state_dict"]["a"])
    whole, draw = path.read_bytes(), random.Random(1)
    for place in (*(draw.randrange(len(whole)) for _ in range(60)), *range(len(whole) - 45, len(whole))):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << draw.randrange(8)
        path.write_bytes(flipped)
        with pytest.raises(DataError, match=r"a\.ckpt"):
            read_checkpoint(path)


def test_one_of_an_earlier_version_loads(tmp_path: Path) -> None:
    path = tmp_path / "a.ckpt"
    torch.save(CONTENT, path)
    assert damage(path) is None
    assert read_checkpoint(path).keys() == CONTENT.keys()


def test_one_that_was_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "a.ckpt"
    write_checkpoint(path, CONTENT)
    path.write_bytes(path.read_bytes()[:-100])
    assert damage(path)


def test_the_one_before_takes_the_place_of_a_damaged_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = RunFolder(tmp_path)
    for step in (1, 2):
        write_checkpoint(folder.last, {"step": step}, keep=folder.previous)
    assert [read_checkpoint(path)["step"] for path in (folder.previous, folder.last)] == [1, 2]
    repair_last(folder)
    assert capsys.readouterr().out == ""
    folder.last.write_bytes(folder.last.read_bytes()[:-1])
    repair_last(folder)
    assert read_checkpoint(folder.last)["step"] == 1
    assert "goes on from the one before" in capsys.readouterr().out
    folder.last.write_bytes(b"")
    with pytest.raises(DataError, match="rerun"):
        repair_last(folder)


def test_a_failed_writing_leaves_the_one_before_and_no_temporary_file(tmp_path: Path) -> None:
    path = tmp_path / "a.ckpt"
    write_checkpoint(path, {"step": 1})
    with pytest.raises(Exception, match="pickle"):
        write_checkpoint(path, {"step": lambda: None})
    assert read_checkpoint(path)["step"] == 1
    assert [file.name for file in tmp_path.iterdir()] == ["a.ckpt"]
