"""Temporary files of killed writers, folders that cannot be written, and a disk's errors in one line."""

import errno
from pathlib import Path

import pytest

from vggexp.distributed.claim import claimed
from vggexp.distributed.whole import check_writable, disk_error
from vggexp.errors import DataError


def test_whoever_claims_a_folder_removes_what_a_killed_writer_left() -> None:
    folder = Path("run")
    (folder / "checkpoint").mkdir(parents=True)
    ours = [folder / "checkpoint" / ".last.ckpt.123", folder / ".metrics.jsonl.9", folder / ".evaluation-test.json.7"]
    others = [folder / ".hidden", folder / ".my.txt.1", folder / "checkpoint" / "last.ckpt"]
    for path in (*ours, *others):
        path.touch()
    with claimed(folder):
        assert [path.exists() for path in ours] == [False] * 3
        assert all(path.exists() for path in others)


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "runs").touch()
    with pytest.raises(DataError, match="runs is a file"):
        check_writable("run.dir", tmp_path / "runs" / "a")


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "no space is left"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "permission denied"),
        (errno.EISDIR, "it is a folder"),
        (errno.EEXIST, "a file of this name is there"),
    ],
)
def test_errors_of_a_disk(number: int, words: str) -> None:
    told = disk_error(OSError(number, "?", "some/file"))
    assert told is not None
    assert words in str(told)
    assert "some/file" in str(told)
    assert disk_error(FileNotFoundError(errno.ENOENT, "?", "x")) is None
