"""Copies across splits."""

from pathlib import Path

from vggexp.sample.record.copies import copies_across
from vggexp.sample.record.record import Record


def test_a_copy_in_another_split_is_told_and_one_of_only_the_same_size_is_not(tmp_path: Path) -> None:
    contents = {"a.jpg": b"x" * 5000, "b.jpg": b"x" * 5000, "c.jpg": b"x" * 4999 + b"y", "d.jpg": b"x" * 5000}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    records = [Record(tmp_path / name, name) for name in (*contents, "gone.jpg")]
    splits = {"a.jpg": "train", "b.jpg": "val", "c.jpg": "val", "d.jpg": "train", "gone.jpg": "test"}
    (problem,) = copies_across(records, splits)
    assert problem.where == "a.jpg (train) = b.jpg (val)"
    assert copies_across(records, {"a.jpg": "train", "d.jpg": "train"}) == []
