from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from vggexp.data.yolo import read, recognize, yolo
from vggexp.errors import DataError
from vggexp.sample.record.record import Listing, Object

Case = Callable[[str], Path]
Told = Callable[..., list[str]]
ROW = "0 0.5 0.5 0.2 0.4"
LABEL, BOX, MASK = frozenset({"label"}), frozenset({"box"}), frozenset({"mask"})


def write(root: Path, labels: dict[str, str | None], description: str | None = "names: [cat, dog]") -> Path:
    """Photos by name, each with the text of its label file; None: without one."""
    for name, text in labels.items():
        photo = root / name
        photo.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20, 10)).save(photo)
        if text is not None:
            parts = ["labels" if part == "images" else part for part in Path(name).with_suffix(".txt").parts]
            (file := root.joinpath(*parts)).parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
    if description is not None:
        (root / "data.yaml").write_text(description)
    return root


def objects(listing: Listing) -> list[Object]:
    return [found for record in listing.records for found in record.objects or ()]


def test_roboflows_export(case: Case, told: Told) -> None:
    root = case("yolo_roboflow")
    listing = read(root)
    assert [record.name for record in listing.records] == [
        f"{split}/images/{number}.jpg" for split in ("train", "valid") for number in range(3)
    ]
    assert [record.split for record in listing.records] == ["train"] * 3 + ["val"] * 3
    assert listing.classes == ("cat", "dog")
    assert told(listing.problems) == [
        "class number that data.yaml does not name: skipped: train/labels/2.txt:1 (5); it names 0 to 1"
    ]
    assert told(listing.problems, "note") == [
        "label file without an object: its photo shows none (2): train/labels/1.txt, valid/labels/1.txt"
    ]
    outlined = listing.records[5].objects
    assert outlined is not None
    assert outlined[0].label == "dog"
    assert outlined[0].box == (0.3125, 0.2083, 0.6875, 0.7083)
    assert recognize(root) == "data.yaml names 2 classes"


def test_an_outline_is_a_box_and_a_mask(case: Case) -> None:
    root = case("yolo_roboflow")
    photos = yolo(str(root), classes="dog")
    sample = photos.split("val", LABEL | BOX)[0]
    x, y, height, width = sample["box"].tolist()
    assert [round(x * 64), round(y * 48), round(height * 48), round(width * 64)] == [20, 10, 24, 24]
    masks = [each["mask"] for each in (photos.split("val", MASK)[index] for index in range(3))]
    drawn = next(mask for mask in masks if mask.any())
    assert drawn[10:34, 20:44].float().mean() > 0.9
    assert abs(int(drawn.sum()) - 24 * 24) < 60


def test_an_outside_folder_is_never_read(tmp_path: Path) -> None:
    write(tmp_path / "images", {"secret.jpg": ROW})
    root = write(tmp_path / "mine", {"images/a.jpg": ROW}, "{names: [cat], train: ../images, val: /etc}")
    with pytest.raises(DataError, match=r"data.yaml: val: /etc is nothing below .*mine; write the path relative"):
        read(root)
    (root / "data.yaml").write_text("{names: [cat], train: ../images}")
    assert [record.name for record in read(root).records] == ["images/a.jpg"]
    (root / "data.yaml").write_text("{names: [cat], train: list.txt}")
    (root / "list.txt").write_text("../images/secret.jpg\n./images/a.jpg\n")
    assert [record.name for record in read(root).records] == ["images/a.jpg"]


@pytest.mark.parametrize(
    ("description", "train"),
    [
        ("{names: {0: cat, 3: dog}, train: images/train, val: images/val}", ["a", "b"]),
        ("{names: [cat, dog], path: ../somewhere/else, train: images/train, val: [images/val]}", ["a", "b"]),
        ("{names: [cat, dog], path: images, train: train, valid: val}", ["a", "b"]),
        ("{names: [cat, dog], train: lists/train.txt, val: images/val, test: null}", ["a"]),
        ("names: [cat, dog]", ["a", "b"]),
    ],
)
def test_descriptions(description: str, train: list[str], tmp_path: Path) -> None:
    write(tmp_path, {f"images/{name}.jpg": ROW for name in ("train/a", "train/b", "val/c")}, description)
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "train.txt").write_text("/content/datasets/mine/images/train/a.jpg\n")
    split_of = {record.image.stem: record.split for record in read(tmp_path).records}
    assert [name for name, split in split_of.items() if split == "train"] == train
    assert split_of["c"] == "val"


def test_class_numbers_may_have_gaps(tmp_path: Path) -> None:
    listing = read(write(tmp_path, {"a.jpg": "3 0.5 0.5 0.2 0.4\n1 0.5 0.5 0.2 0.4"}, "names: {0: cat, 3: dog}"))
    assert listing.classes == ("cat", "dog")
    assert [found.label for found in objects(listing)] == ["dog"]


def test_a_list_of_classes_stands_in_for_the_description(tmp_path: Path) -> None:
    write(tmp_path, {"images/train/a.jpg": ROW, "images/val/b.jpg": "1 0.5 0.5 0.2 0.4"}, None)
    assert recognize(tmp_path) is None
    with pytest.raises(DataError, match=r"has no data.yaml with the classes' names, and no classes.txt"):
        read(tmp_path)
    (tmp_path / "labels" / "classes.txt").write_text("cat\ndog\n")
    listing = read(tmp_path)
    assert [(record.split, found.label) for record in listing.records for found in record.objects or ()] == [
        ("train", "cat"), ("val", "dog"),
    ]  # fmt: skip
    assert recognize(tmp_path) == "labels/classes.txt names 2 classes"


def test_photos_without_a_label_file_show_no_object(tmp_path: Path, told: Told) -> None:
    root = write(tmp_path, {"images/a.jpg": ROW, "images/b.jpg": None})
    listing = read(root)
    assert [record.objects is None or len(record.objects) for record in listing.records] == [1, 0]
    assert told(listing.problems) == ["photo without a label file: taken to show no object: images/b.jpg"]
    (root / "labels" / "a.txt").unlink()
    with pytest.raises(DataError, match=r"no photo has a label file; that of images/a.jpg would be labels/a.txt"):
        read(root)


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("cat 0.5 0.5 0.2 0.4", "neither 'class x y width height'"),
        ("0 0.5 0.5 0.2", "neither 'class x y width height'"),
        ("0 0.5 0.5 0.2 0.4 0.9", "neither 'class x y width height'"),
        ("0 0.5 nan 0.2 0.4", "neither 'class x y width height'"),
        ("0.5 0.5 0.5 0.2 0.4", "class number that data.yaml does not name"),
        ("0 120 80 30 40", "no shares of its photo: skipped: a.txt:2; give shares"),
    ],
)
def test_rows_that_mean_nothing_are_named_with_their_line(row: str, what: str, tmp_path: Path, told: Told) -> None:
    listing = read(write(tmp_path, {"a.jpg": f"{ROW}\n{row}\n\n{ROW}"}))
    assert len(objects(listing)) == 2
    (line,) = told(listing.problems)
    assert what in line
    assert "a.txt:2" in line


def test_of_a_pose_the_box_is_read(tmp_path: Path) -> None:
    listing = read(write(tmp_path, {"a.jpg": f"{ROW} 0.1 0.2 2.0 0.3 0.4 2.0"}, "{names: [cat], kpt_shape: [2, 3]}"))
    (found,) = objects(listing)
    assert found.shape is None
    assert found.box == pytest.approx((0.4, 0.3, 0.6, 0.7))


def test_a_photo_in_two_splits_is_trained_on_alone(tmp_path: Path, told: Told) -> None:
    root = write(tmp_path, {f"images/{name}.jpg": ROW for name in "ab"}, "{names: [cat], train: images, val: images}")
    listing = read(root)
    assert {record.split for record in listing.records} == {"train"}
    assert told(listing.problems) == [
        "photo in the splits train and val: used for train alone (2): images/a.jpg, images/b.jpg"
    ]


@pytest.mark.parametrize(
    ("description", "message"),
    [
        ("names: 3", "names no classes; give names"),
        ("{names: [a, b], nc: 3}", "has nc: 3 and 2 names; correct one of them"),
        ("names: [a, a]", "gives the name 'a' twice"),
        ("names: [a", "is not YAML"),
        ("{names: [a], train: missing}", "data.yaml: train: missing is nothing below"),
    ],
)
def test_descriptions_that_cannot_be(description: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        read(write(tmp_path, {"a.jpg": ROW}, description))


def test_of_two_descriptions_one_must_be_named(tmp_path: Path) -> None:
    write(tmp_path, {"a.jpg": ROW}, None)
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text(f"names: [{name}]")
    with pytest.raises(DataError, match=r"has one.yaml and two.yaml; give one of them with data.yaml="):
        read(tmp_path)
    assert read(tmp_path, "two.yaml").classes == ("two",)
    with pytest.raises(DataError, match=r"data.yaml=three.yaml is no file"):
        read(tmp_path, "three.yaml")
