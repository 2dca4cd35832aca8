"""A run that is skipped although its photos have changed since is named."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vggexp.run_folder import RunFolder
from vggexp.sweep import data_stamp
from vggexp.sweep.data_stamp import changed_data, write_stamp


@pytest.fixture
def photos() -> Path:
    Path("photos/cat").mkdir(parents=True)
    Path("photos/cat/1.jpg").write_bytes(b"one")
    Path("run").mkdir()
    return Path("photos")


def changed(folder: str = "run", **data: Any) -> str | None:
    data_stamp._stamp.cache_clear()  # as in another command
    return changed_data(RunFolder(folder), {"data": {"root": "photos", **data}})


def added(photos: Path) -> None:
    (photos / "cat" / "2.jpg").write_bytes(b"two")


def removed(photos: Path) -> None:
    (photos / "cat" / "1.jpg").unlink()


def repainted(photos: Path) -> None:
    """Of the same size, with the same date."""
    file = photos / "cat" / "1.jpg"
    before = file.stat()
    file.write_bytes(b"eno")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("change", [added, removed, repainted])
def test_a_change_is_seen(change: Callable[[Path], None], photos: Path) -> None:
    write_stamp(RunFolder("run"), {"data": {"root": "photos"}})
    assert changed() is None
    change(photos)
    assert changed() == str(photos.absolute())


def test_a_table_beside_the_photos_counts(photos: Path) -> None:
    Path("labels.csv").write_text("a")
    write_stamp(RunFolder("run"), {"data": {"root": "photos", "table": "labels.csv"}})
    assert changed(table="labels.csv") is None
    Path("labels.csv").write_text("ab")
    assert changed(table="labels.csv") == str(photos.absolute())


def test_what_has_no_record_is_not_judged(photos: Path) -> None:
    assert changed() is None  # a run of an earlier version
    write_stamp(RunFolder("run"), {"data": {"size": [28, 56]}})  # digits read no files
    write_stamp(RunFolder("photos/run"), {"data": {"root": "photos"}})  # it would change by the run itself
    assert not Path("run/data.json").exists()
    assert not Path("photos/run").exists()


def test_a_sweep_names_it(photos: Path, stub: Any, vggexp: Callable[..., tuple[int, str, str]]) -> None:
    words = ("-m", "seed=1,2", "data=image_folder", "data.root=photos", "run.name=s${seed}")
    assert vggexp(*words)[0] == 0
    for name in ("s1", "s2"):
        write_stamp(RunFolder(f"runs/{name}"), {"data": {"root": "photos"}})  # as a training does
    data_stamp._stamp.cache_clear()
    assert "have changed since" not in vggexp(*words)[1]
    (photos / "cat" / "1.jpg").touch()
    data_stamp._stamp.cache_clear()
    out = vggexp(*words)[1]
    assert out.count("is already finished; skipped, though files in") == 2
    assert out.count("have changed since: run.overwrite=true trains it anew") == 2
    assert len(stub.calls) == 2
    assert vggexp(*words, "run.overwrite=true")[0] == 0
    assert len(stub.calls) == 4


@pytest.mark.slow
def test_a_training_records_it(tree: Any, vggexp: Callable[..., tuple[int, str, str]]) -> None:
    Path("data").mkdir()
    tree.folder.rename("data/oxford-iiit-pet")
    words = ("data=pets", "data.root=data", "data.image_size=[32,32]", "data.workers=0", "backbone=vgg11_bn",
             "backbone.width=0.05", "head.hidden=8", "head.pool=1", "callback=[]", "trainer.gpus=0", "run.dir=run",
             "trainer.max_epochs=1", "data.batch_size=4", "trainer.precision=32")  # fmt: skip
    code, _, errors = vggexp(*words)
    assert code == 0, errors
    assert changed_data(RunFolder("run"), {"data": {"root": "data"}}) is None
    Path("data/oxford-iiit-pet/images/Bengal_1.jpg").touch()
    data_stamp._stamp.cache_clear()
    assert changed_data(RunFolder("run"), {"data": {"root": "data"}}) == str(Path("data").absolute())
