"""What is kept of a folder is never another folder's, nor an older one's, nor damaged."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from vggexp.data.auto import auto, recognized
from vggexp.data.image_folder import image_folder, read
from vggexp.sample.record import kept_listing as module
from vggexp.sample.record.folder_stamp import stamp
from vggexp.sample.record.kept_listing import Kept, kept_listing
from vggexp.sample.record.listing_file import OddListingError, from_bytes, to_bytes
from vggexp.sample.record.problem import Problem
from vggexp.sample.record.record import Listing, Object, Record

CASES = Path(__file__).parents[2] / "data" / "cases"
AN_HOUR = 3600


def write(path: Path, content: bytes = b"", age: float = AN_HOUR) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content or path.name.encode())
    os.utime(path, (time.time() - age,) * 2)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Class folders with a copy across them; every listing is large enough to be kept."""
    monkeypatch.setattr(module, "MANY", 0)
    for name in ("cat/1.jpg", "cat/2.jpg", "dog/3.jpg", "dog/4.jpg"):
        write(tmp_path / "photos" / name)
    write(tmp_path / "photos" / "dog" / "copy.jpg", b"1.jpg")
    return tmp_path / "photos"


class Reader:
    """Class folders' reader, which counts its calls."""

    __module__ = "vggexp.data.image_folder"

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, root: Path, *_words: object) -> Listing:
        self.calls += 1
        return read(root)


def test_the_next_start_reads_nothing_and_has_the_same(root: Path) -> None:
    reader = Reader()
    first, again = (kept_listing(reader, root, index="cache") for _ in range(2))
    assert reader.calls == 1
    assert again == first == replace(read(root), copies=(("cat/1.jpg", "dog/copy.jpg"),))
    assert kept_listing(reader, root, index=None) == read(root)
    assert reader.calls == 2


def rewritten(root: Path) -> None:
    """Another content of the same size and date."""
    path = root / "cat" / "1.jpg"
    before = path.stat()
    path.write_bytes(b"9.jpg")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize(
    "change",
    [
        lambda root: write(root / "dog" / "5.jpg"),
        lambda root: (root / "dog" / "4.jpg").unlink(),
        lambda root: (root / "dog" / "4.jpg").rename(root / "cat" / "4.jpg"),
        lambda root: os.utime(root / "dog" / "4.jpg", (1, 1)),
        lambda root: (root / "horse").mkdir(),
        lambda root: write(root / "dog" / "4.jpg", b"another size"),
        lambda root: (root / "dog" / "6.jpg").symlink_to("4.jpg"),
        rewritten,
    ],
    ids=["added", "removed", "moved", "touched", "folder", "size", "link", "rewritten"],
)
def test_a_changed_folder_is_read_anew(root: Path, change: Callable[[Path], object]) -> None:
    reader = Reader()
    kept_listing(reader, root, index="cache")
    change(root)
    listing = kept_listing(reader, root, index="cache")
    assert reader.calls == 2
    assert replace(listing, copies=None) == read(root)


def test_what_lies_beside_the_folder_counts_too(root: Path, tmp_path: Path) -> None:
    reader, table = Reader(), tmp_path / "table.json"
    write(table)
    for content, calls in ((b"", 1), (b"", 1), (b"another", 2)):
        if content:
            write(table, content)
        kept_listing(reader, root, index="cache", beside=[root / ".." / "table.json"])
        assert reader.calls == calls


def test_other_words_another_folder_and_another_program_are_read_anew(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Reader()
    for words in ((), ("a",), ({"b": 1},), (None,)):
        kept_listing(reader, root, *words, index="cache")
    assert reader.calls == 4
    (tmp_path / "photos2").symlink_to(root)
    assert kept_listing(reader, tmp_path / "photos2", index="cache").records[0].image.parts[-3] == "photos2"
    monkeypatch.setattr(module, "_program", lambda: "of tomorrow")
    kept_listing(reader, root, index="cache")
    assert reader.calls == 6


@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b[:40], lambda b: b"", lambda b: b[:-9] + b"x" + b[-8:]])
def test_a_damaged_file_is_read_anew_and_replaced(root: Path, damage: Callable[[bytes], bytes]) -> None:
    reader = Reader()
    whole = kept_listing(reader, root, index="cache")
    (file,) = Path("cache/listing").iterdir()
    file.write_bytes(damage(file.read_bytes()))
    for _ in range(2):
        assert kept_listing(reader, root, index="cache") == whole
    assert reader.calls == 2


def test_what_may_change_unseen_is_not_kept(root: Path) -> None:
    reader = Reader()
    write(root / "cat" / "new.jpg", age=0.1)
    for calls in (1, 2):
        kept_listing(reader, root, index="cache")
        assert reader.calls == calls


def test_errors_and_small_folders_are_not_kept(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(root: Path) -> Listing:
        return Listing((), problems=(Problem("error", "mask that cannot be read", "1.png"),))

    kept_listing(broken, root, index="cache")
    monkeypatch.setattr(module, "MANY", 100)
    kept_listing(Reader(), root, index="cache")
    assert not Path("cache").exists()


def test_a_cache_that_cannot_be_written_costs_time_alone(root: Path) -> None:
    Path("cache").write_text("a file")
    assert len(kept_listing(Reader(), root, index="cache").records) == 5


def test_the_copies_that_were_found_are_told_whatever_the_splits(root: Path) -> None:
    for seed in range(3):
        problems = [image_folder(str(root), split={"val": 0.4, "test": 0.2, "seed": seed}, index_dir=index).problems
                    for index in (None, "cache", "cache")]  # fmt: skip
        assert problems[0] == problems[1] == problems[2]


def test_a_recognised_layout_is_kept_too(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vggexp.data.auto.SLOW", 0.0)
    first = recognized(root, "cache")
    monkeypatch.setattr("vggexp.data.auto._readers", dict)
    assert recognized(root, "cache") == first == {"image_folder": "photos in 2 class folders"}
    assert auto(str(root), index_dir="cache").info.classes == ("cat", "dog")


@pytest.mark.parametrize("case", sorted(path.name for path in CASES.iterdir() if path.is_dir()))
def test_every_layout_comes_back_as_it_was(case: str) -> None:
    from vggexp.data.auto import _readers

    found = [reader.read(CASES / case) for reader in _readers().values() if reader.recognize(CASES / case)]
    for listing in found:
        assert from_bytes(memoryview(to_bytes(listing, CASES / case)), CASES / case) == listing


def test_paths_elsewhere_and_run_lengths_come_back_and_what_is_odd_does_not() -> None:
    from array import array

    shapes = ({"size": (3, 4), "counts": array("l", [2, 10])}, {"size": (3, 4), "counts": "abc"}, ((0.0, 1, 2, 3, 4, 5),))
    objects = tuple(Object("cat", (0.5, 1.0, 2.0, 3.0), shape, crowd=True) for shape in shapes)
    records = (
        Record(Path("../elsewhere/1.jpg"), "1.jpg", objects=objects, instances=Path("root/i/1.png"), size=(3, 4)),
        Record(Path("root/\udcff.jpg"), "\udcff.jpg", labels=("a", "b"), objects=(), unit="share", group="g"),
    )
    listing = Listing(records, ("cat",), facts={"files": ("a", "b"), "first_pixel": 0})
    again = from_bytes(memoryview(to_bytes(listing, Path("root"))), Path("root"))
    assert again == listing
    odd = replace(records[0], objects=(replace(objects[0], shape=[[0, 1, 2, 3, 4, 5]]),))
    with pytest.raises(OddListingError):
        to_bytes(Listing((odd,)), Path("root"))


def test_a_folder_that_leads_back_to_itself_has_a_stamp(root: Path) -> None:
    (root / "cat" / "round").symlink_to(root)
    (root / "cat" / "broken").symlink_to("nowhere")
    (root / "cat" / "self").symlink_to("self")
    assert stamp([root]) == stamp([root])


@pytest.mark.slow
def test_two_processes_that_write_at_once_leave_a_whole_file(tmp_path: Path) -> None:
    program = """
import sys
from pathlib import Path
from vggexp.sample.record.kept_listing import Kept
kept, own = Kept(Path(sys.argv[1]), b"k" * 32, True), sys.argv[2].encode() * 3_000_000
for _ in range(60):
    kept.put(own)
    found = kept.get()
    assert found is not None and len(set(bytes(found))) == 1 and len(found) == 3_000_000
"""
    words = [sys.executable, "-c", program, str(tmp_path / "file")]
    writers = [subprocess.Popen([*words, letter]) for letter in "ab"]
    assert [writer.wait(120) for writer in writers] == [0, 0]
    assert Kept(tmp_path / "file", b"k" * 32, True).get() is not None
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
