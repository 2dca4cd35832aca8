"""How a run ends when it is asked to, when its disk is full or read-only, and when its last checkpoint is damaged."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow
ENDLESS = "trainer.max_epochs=500"


def wait_for(happens: Callable[[], object]) -> None:
    deadline = time.monotonic() + 240
    while not happens():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def test_sigterm_writes_a_checkpoint_first(nursery: Any, small: tuple[str, ...]) -> None:
    run = nursery.start(*small, ENDLESS, "run.dir=run")
    wait_for(lambda: "epoch 1/" in run.text)
    run.send(signal.SIGTERM)
    assert run.wait() == 143
    assert "SIGTERM: last.ckpt was written at step " in run.text
    assert run.text.endswith("vggexp: ended by SIGTERM; the files written so far are kept\n")
    assert json.loads(Path("run/state.json").read_text())["stopped"] == "by SIGTERM"


def test_slurms_warning_writes_one_and_the_run_goes_on(nursery: Any, small: tuple[str, ...]) -> None:
    run = nursery.start(*small, "data.batch_size=2", "trainer.limit_train_batches=500", "run.dir=run")
    wait_for(Path("run/state.json").exists)
    run.send(signal.SIGUSR1)
    wait_for(Path("run/checkpoint/last.ckpt").exists)
    assert "epoch 1/" not in run.text
    run.send(signal.SIGINT)
    assert run.wait() == 130


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_interrupted_while_testing(
    number: int, code: int, nursery: Any, small: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    few = [word for word in small if not word.startswith("trainer.limit_test")]
    words = ("trainer.max_epochs=1", "data.batch_size=1", "trainer.limit_test_batches=300")
    run = nursery.start("-m", "seed=1,2", *few, *words, "run.name=s${seed}")
    wait_for(lambda: "epoch 1/1" in run.text)
    time.sleep(0.3)
    run.send(number)
    assert run.wait() == code, run.text
    assert "vggexp: sweep interrupted; the same command skips finished jobs and continues" in run.text
    (entry,) = [json.loads(path.read_text()) for path in Path("runs/.sweep").rglob("0.json")]
    assert entry["status"] == "stopped"


def test_a_damaged_last_checkpoint_gives_way_to_the_one_before(nursery: Any, small: tuple[str, ...]) -> None:
    run = nursery.start(*small, ENDLESS, "run.dir=run")
    wait_for(Path("run/checkpoint/previous.ckpt").exists)
    run.send()
    run.wait()
    last = Path("run/checkpoint/last.ckpt")
    content = bytearray(last.read_bytes())
    content[len(content) // 2] ^= 1
    last.write_bytes(content)
    code, told = nursery.run("resume", "run", "trainer.max_epochs=12")
    assert code == 0, told
    assert "its checksum differs" in told
    assert "goes on from the one before" in told


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)], capture_output=True).returncode:
        pytest.skip("mounting a tmpfs is not permitted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_disk_too_small_is_found_before_training(disk: Path, nursery: Any, small: tuple[str, ...]) -> None:
    (disk / "filler").write_bytes(bytes(3 * 2**20 + 2**19))
    code, told = nursery.run(*small, f"run.dir={disk / 'run'}")
    assert code == 1
    assert "MiB are free on its disk; free some, or choose another run.dir" in told
    assert "epoch 1" not in told


def test_a_disk_that_fills_up(disk: Path, nursery: Any, small: tuple[str, ...]) -> None:
    run = nursery.start(*small, ENDLESS, f"run.dir={disk / 'run'}")
    last = disk / "run" / "checkpoint" / "last.ckpt"
    wait_for(last.exists)
    free = os.statvfs(disk)
    with (disk / "filler").open("wb") as file, pytest.raises(OSError, match="No space"):
        file.write(bytes(free.f_bavail * free.f_frsize + 2**20))
    assert run.wait() == 1, run.text
    assert "Traceback" not in run.text
    assert "no space is left" in run.text.splitlines()[-1]
    (disk / "filler").unlink()
    code, told = nursery.run("resume", str(disk / "run"), "trainer.max_epochs=60")
    assert code in (0, 2), told  # 2: it had trained more epochs already
    assert "cannot be used" not in told


def test_a_read_only_disk(disk: Path, nursery: Any, small: tuple[str, ...]) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    code, told = nursery.run(*small, f"run.dir={disk / 'run'}")
    assert code == 1
    (line,) = told.splitlines()
    assert "cannot be written to" in line


def test_two_writers(nursery: Any, small: tuple[str, ...]) -> None:
    run = nursery.start(*small, ENDLESS, "run.dir=run")
    wait_for(Path("run/metrics.jsonl").exists)
    code, told = nursery.run("resume", "run")
    run.send()
    run.wait()
    assert code == 2
    assert "is being written by process " in told


def test_a_loading_process_that_is_killed(nursery: Any, small: tuple[str, ...]) -> None:
    run = nursery.start(*small, ENDLESS, "data.workers=1", "run.dir=run")
    wait_for(lambda: "epoch 1/" in run.text)
    for child in Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split():
        os.kill(int(child), signal.SIGKILL)
    assert run.wait() == 1, run.text
    assert "a data loading process was killed" in run.text.splitlines()[-1]
    assert "data.workers=0" in run.text.splitlines()[-1]


def test_verify(nursery: Any, small: tuple[str, ...]) -> None:
    assert nursery.run(*small, "trainer.max_epochs=1", "run.dir=run")[0] == 0
    code, told = nursery.run("verify", "run")
    assert code == 0, told
    assert "figures hold" in told
    assert "data, test: the run's" in told
    summary = json.loads(Path("run/summary.json").read_text())
    summary["metrics"]["test/loss"] += 0.5
    Path("run/summary.json").write_text(json.dumps(summary))
    code, told = nursery.run("verify", "run")
    assert code == 1
    assert "test/loss: recorded" in told
