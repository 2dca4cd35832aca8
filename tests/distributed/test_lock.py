"""Locks between handles, and the door where Unix's own modules are missing."""

import ast
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import vggexp
from vggexp.distributed import lock as locks
from vggexp.distributed.lock import lock, open_folder

UNIX_ONLY = ("fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty")


def test_a_lock_ends_with_its_handle(tmp_path: Path) -> None:
    for path in (tmp_path / "file", tmp_path):
        (tmp_path / "file").touch()
        opened = (lambda: os.open(tmp_path / "file", os.O_RDWR)) if path.is_file() else (lambda: open_folder(tmp_path))
        first, second = opened(), opened()
        assert lock(first) is True
        assert lock(second) is False
        assert lock(second, shared=True) is False
        os.close(first)
        assert lock(second) is True
        os.close(second)


def test_readers_share_a_lock(tmp_path: Path) -> None:
    handles = [open_folder(tmp_path) for _ in range(3)]
    assert [lock(handles[0], shared=True), lock(handles[1], shared=True), lock(handles[2])] == [True, True, False]
    for handle in handles:
        os.close(handle)


def test_windows_locks_a_byte_beyond_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a stand-in for ``msvcrt``: nobody has run this on Windows. The place in the file stays."""
    held: dict[int, int] = {}

    def locking(handle: int, mode: int, count: int) -> None:
        if held.setdefault(os.lseek(handle, 0, os.SEEK_CUR), handle) != handle:
            raise PermissionError

    monkeypatch.setattr(locks, "_fcntl", None)
    monkeypatch.setattr(locks, "_msvcrt", SimpleNamespace(locking=locking, LK_NBLCK=2))
    path = tmp_path / "rows"
    path.write_text("a row\n")
    with path.open("a+") as first, path.open("a+") as second:
        second.seek(3)
        assert [lock(first.fileno()), lock(second.fileno()), lock(second.fileno(), shared=True)] == [True, False, False]
        assert second.read() == "ow\n"
    assert min(held) > path.stat().st_size


def test_without_any_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from vggexp.distributed.claim import claimed
    from vggexp.run_folder import RunFolder, hold, is_alive

    monkeypatch.setattr(locks, "_fcntl", None)
    folder = RunFolder(tmp_path)
    with claimed(tmp_path) as ours, hold(folder):
        assert ours
        assert is_alive(folder) is None


def test_a_run_is_alive_as_long_as_its_file_is_held(tmp_path: Path) -> None:
    from vggexp.run_folder import RunFolder, hold, is_alive

    folder = RunFolder(tmp_path)
    assert is_alive(folder) is None
    with hold(folder):
        assert is_alive(folder) is True
    assert is_alive(folder) is False


def test_no_module_needs_what_only_unix_has() -> None:
    """Imports at the top of a module; within a function they are guarded where they stand."""
    root = Path(vggexp.__file__).parent
    files = [*root.rglob("*.py"), *(root.parent / "hydra_plugins").glob("*.py")]
    found = [
        f"{path.relative_to(root.parent)} imports {name}"
        for path in files
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        for name in _imported(node)
        if name in UNIX_ONLY
    ]
    assert found == []
    assert len(files) > 200


def _imported(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [(node.module or "").partition(".")[0]]
    return [alias.name.partition(".")[0] for alias in node.names] if isinstance(node, ast.Import) else []


def test_the_door_opens_without_them() -> None:
    """A sweep as well, up to the checks of a job, which has asked for its claim and its share of the machine then."""
    missing = [name for name in UNIX_ONLY if name != "posix"]  # Python's own library needs that one here
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({missing!r})); from vggexp.__main__ import enter; "
        "codes = [enter(['--cfg', 'job', 'run.dir=x']), enter(['trainer.max_epochs=0']), enter(['-m', 'seed=-1,-2'])]; "
        "print('CODES', codes)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.rstrip().endswith("CODES [0, 2, 2]")
    assert "Traceback" not in done.stderr
