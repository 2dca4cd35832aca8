from collections.abc import Callable
from pathlib import Path

import pytest

from vggexp.data.image_folder import image_folder, read, recognize
from vggexp.errors import DataError
from vggexp.sample.record.problem import stop_at_errors

Case = Callable[[str], Path]
Told = Callable[..., list[str]]
LABEL = frozenset({"label"})


def test_hidden_folders_and_files_are_no_classes_and_no_photos(case: Case, told: Told) -> None:
    root = case("classes_hidden")
    (root / "horse").mkdir()
    listing = read(root)
    assert listing.classes == ("cat", "dog")
    assert len(listing.records) == 12
    assert {record.image.suffix for record in listing.records} == {".JPG", ".jpeg"}
    assert told(listing.problems) == ["class folder without photos: no class: horse"]
    assert recognize(root) == "photos in 2 class folders"


def test_a_class_in_two_spellings_is_asked_about(case: Case) -> None:
    root = case("classes_two_spellings")
    with pytest.raises(
        DataError, match=r"two spellings of one class: Cat, cat; merge them with data\.classes=\{cat: \[Cat, cat\]\}"
    ):
        stop_at_errors(image_folder(str(root)).problems)
    merged = image_folder(str(root), classes={"cat": ["Cat", "cat"], "dog": "dog"})
    assert merged.info.classes == ("cat", "dog")
    assert {len(merged.split(split, LABEL)) for split in ("train", "val")} == {8}


def test_a_copy_across_splits_is_named_with_its_original(case: Case, told: Told) -> None:
    photos = image_folder(str(case("classes_copies")))
    assert told(photos.problems) == [
        "photo that is in two splits: train/a/0.jpg (train) = val/a/0.jpg (val); leave one of them out"
    ]
    assert (len(photos.split("train", LABEL)), len(photos.split("val", LABEL))) == (8, 8)


def test_the_listed_labels_are_those_of_the_samples(case: Case) -> None:
    split = image_folder(str(case("classes_copies"))).split("train", LABEL)
    assert split.labels == [int(split[index]["label"]) for index in range(len(split))]
    assert len(set(split.labels)) > 1


def test_that_other_layouts_are_not_taken_for_class_folders(case: Case) -> None:
    for name in ("masks_suffix", "masks_0_255", "csv_bom", "yolo_roboflow"):
        assert recognize(case(name)) is None
