from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from vggexp.boxes import to_edges
from vggexp.data.voc import read, recognize, voc
from vggexp.errors import ConfigError, DataError
from vggexp.sample.data_contract import check_data
from vggexp.sample.record.problem import findings
from vggexp.sample.record.record import Listing
from vggexp.types import VOID, Sample

CASES = Path(__file__).parent / "cases"
REAL = Path(__file__).parents[3] / "shared" / "data" / "bccd"
WRITTEN = "boxes are read as xmin, ymin, xmax, ymax in pixels from 0"
BOX, MASK = frozenset({"label", "box"}), frozenset({"mask"})


def xml(*objects: str, size: tuple[int, int] | None = (32, 24)) -> str:
    """An annotation of a photo of (width, height)."""
    given = f"<size><width>{size[0]}</width><height>{size[1]}</height><depth>3</depth></size>" if size else ""
    return f"<annotation>{given}{''.join(f'<object>{each}</object>' for each in objects)}</annotation>"


def box(*numbers: float | str, name: str = "cat", more: str = "") -> str:
    sides = zip(("xmin", "ymin", "xmax", "ymax"), numbers, strict=True)
    return f"<name>{name}</name>{more}<bndbox>{''.join(f'<{side}>{n}</{side}>' for side, n in sides)}</bndbox>"


class Tree:
    """A small VOC folder that a test fills."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def photo(self, name: str, annotation: str | None = None, folder: str = "JPEGImages") -> None:
        path = self.root / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        number = len(list(path.parent.iterdir()))  # each photo is another
        Image.fromarray(np.full((24, 32, 3), number, np.uint8)).save(path, "JPEG")
        if annotation is not None:
            beside = folder if folder != "JPEGImages" else "Annotations"
            self.write(f"{beside}/{Path(name).with_suffix('.xml')}", annotation)

    def write(self, name: str, content: str | bytes) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    def read(self, **words: Any) -> Listing:
        return read(self.root, **words)

    def splits(self) -> dict[str, str | None]:
        return {record.image.stem: record.split for record in self.read().records}


@pytest.fixture
def folder(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def told(listing: Listing, kind: str) -> list[str]:
    return [str(each) for each in findings(listing.problems) if each.kind == kind]


def edges(sample: Sample) -> list[int]:
    """The sample's box in pixels."""
    height, width = sample["image"].shape[-2:]
    return (to_edges(sample["box"]) * torch.tensor([width, height, width, height])).round().int().tolist()


def red(sample: Sample) -> list[int]:
    """The extent of what is red in the image."""
    r, g, b = sample["image"].int()
    rows, columns = ((r > 150) & (g < 90) & (b < 90)).nonzero(as_tuple=True)
    return [int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1]


@pytest.mark.parametrize("case", ["voc_exif_upright", "voc_exif_stored"])
def test_a_box_lies_on_the_object_in_upright_and_in_stored_pixels(case: str) -> None:
    data = voc(str(CASES / case))
    assert Counter(data.splits.values()) == {"train": 4, "val": 2}
    for split in ("train", "val"):
        for sample in data.split(split, BOX):  # type: ignore[attr-defined]
            assert sample["image"].shape == (3, 64, 48)
            assert edges(sample) == [14, 20, 38, 44]
            assert np.abs(np.subtract(edges(sample), red(sample))).max() <= 1  # a JPEG's edge smears


def test_boxes_that_mean_nothing_are_named_with_what_becomes_of_them() -> None:
    data = voc(str(CASES / "voc_bad_boxes"), split={"val": 0.0})
    used = {Path(record.name).stem: record.objects for record in data.listing.records if record.objects}
    assert used.keys() == {"0", "3", "5"}
    lines = [str(each) for each in findings(data.problems) if each.kind == "warning"]
    assert lines[:4] == [
        "annotation without an object: the photo shows nothing: Annotations/4.xml",
        "box without area: skipped: Annotations/1.xml",
        f"box with swapped corners: skipped: Annotations/2.xml; {WRITTEN}",
        f"box that reaches outside its photo: clipped (2): Annotations/3.xml, Annotations/5.xml; {WRITTEN}",
    ]
    read = data.split("train", BOX)
    boxes = {one.name: edges(read[place]) for place, one in enumerate(data.photos("train", BOX)[0])}
    assert {Path(name).stem: box for name, box in boxes.items()} == {
        "0": [20, 10, 44, 34], "3": [50, 30, 64, 48], "5": [0, 0, 20, 20]
    }  # fmt: skip


def test_the_first_pixel_is_0_or_1(folder: Tree) -> None:
    folder.photo("1.jpg", xml(box(1, 1, 32, 24)))
    for first_pixel, expected in ((0, (1, 1, 32, 24)), (1, (0, 0, 32, 24))):
        listing = folder.read(first_pixel=first_pixel)
        assert listing.records[0].objects is not None
        assert listing.records[0].objects[0].box == expected
        assert f"count from {first_pixel}" in told(listing, "note")[0]
    with pytest.raises(ConfigError, match=r"data\.first_pixel=2 is not known; choose from: 0, 1"):
        folder.read(first_pixel=2)
    folder.photo("2.jpg", xml(box(0, 3, 9, 9)))
    assert told(folder.read(), "warning") == []
    assert (
        "begins at pixel 0, and data.first_pixel=1: Annotations/2.xml" in told(folder.read(first_pixel=1), "warning")[0]
    )


def test_size_flag_and_order_of_classes(folder: Tree) -> None:
    dog = box(2.5, 2, 9, 9, name="dog", more="<difficult>1</difficult><part><name>head</name></part>")
    folder.photo("1.jpg", xml(dog, box(3, 3, 8, 8)))
    folder.photo("2.jpg", xml(box(3, 3, 8, 8), size=(0, 0)))
    listing = folder.read()
    assert listing.classes == ("cat", "dog")
    assert [record.size for record in listing.records] == [(24, 32), None]
    assert [found.difficult for found in listing.records[0].objects or ()] == [True, False]
    assert listing.records[0].annotation == "Annotations/1.xml"
    data = voc(str(folder.root), split={"val": 0.0, "test": 0.0})
    assert {target.label for target in data.photos("train", BOX)[1] if target} == {0}


@pytest.mark.parametrize("text", ["1\n2\n", "\ufeff1\r\n\r\n2\r\n", "1.jpg\nJPEGImages/2.jpg\n", "1 \n2  1"])
def test_a_list_with_marks_of_other_systems(folder: Tree, text: str) -> None:
    for name in ("1.jpg", "2.JPG", "3.jpg"):
        folder.photo(name, xml(box(3, 3, 8, 8)))
    folder.write("ImageSets/Main/train.txt", text)
    folder.write("ImageSets/Main/val.txt", "3")
    folder.write("ImageSets/Main/cat_val.txt", "1 1\n2 -1\n")
    assert folder.splits() == {"1": "train", "2": "train", "3": "val"}


def test_lists_that_name_what_is_not_there_or_not_all(folder: Tree) -> None:
    for name in ("é b.jpg", "2.jpg"):
        folder.photo(name, xml(box(3, 3, 8, 8)))
    folder.write("ImageSets/Main/train.txt", "é b\n7\n".encode("latin-1"))
    assert told(folder.read(), "warning") == [
        "photo that a list names, but that is missing: ImageSets/Main/train.txt:2 (7)",
        "photo that no list names: left out: JPEGImages/2.jpg",
    ]
    assert folder.splits() == {"é b": "train"}
    folder.write("ImageSets/Main/train.txt", "2\n../../secret\n/etc/passwd\nC:\\x")
    with pytest.raises(DataError, match=r"a file outside the folder \(3\): ImageSets/Main/train.txt:2, "):
        check_data(voc(str(folder.root)))
    folder.write("ImageSets/Main/train.txt", "2")
    folder.write("ImageSets/Main/val.txt", "2")
    with pytest.raises(DataError, match=r"photo in the lists of train and of val: ImageSets/Main/val.txt \(2\); take"):
        check_data(voc(str(folder.root)))


def test_trainval_is_train_where_nothing_divides_it(folder: Tree) -> None:
    for name in "123":
        folder.photo(f"{name}.jpg", xml(box(3, 3, 8, 8)))
    folder.write("ImageSets/Main/trainval.txt", "1\n2")
    folder.write("ImageSets/Main/test.txt", "3")
    assert folder.splits() == {"1": "train", "2": "train", "3": "test"}
    folder.write("ImageSets/Main/train.txt", "1")
    folder.write("ImageSets/Main/val.txt", "2")
    assert folder.splits() == {"1": "train", "2": "val", "3": "test"}


def test_where_lists_differ_the_first_kind_holds(folder: Tree) -> None:
    for name in "123":
        folder.photo(f"{name}.jpg", xml(box(3, 3, 8, 8)))
    folder.write("ImageSets/Main/train.txt", "1\n2")
    folder.write("ImageSets/Main/val.txt", "3")
    folder.write("ImageSets/Segmentation/val.txt", "2")
    assert folder.splits() == {"1": "train", "2": "val", "3": "val"}
    assert "ImageSets/Main puts into another split" in told(folder.read(), "warning")[0]
    assert [record.split for record in folder.read(lists="Main").records] == ["train", "train", "val"]
    assert [record.split for record in folder.read(lists=[]).records] == [None, None, None]


def test_photos_and_annotations_without_the_other(folder: Tree) -> None:
    folder.photo("1.jpg", xml(box(3, 3, 8, 8)))
    folder.photo("2.jpg")
    folder.write("Annotations/3.XML", xml(box(3, 3, 8, 8)))
    folder.write("Annotations/.hidden.xml", "x")
    assert told(folder.read(), "warning") == [
        "annotation without its photo: left out: Annotations/3.XML", "photo without an annotation: JPEGImages/2.jpg",
    ]  # fmt: skip


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><annotation>&b;</annotation>'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<annotation><object>", r"annotation that is no sound XML: Annotations/1.xml \(.*; restore the file"),
        ("", r"annotation that is no sound XML: Annotations/1.xml"),
        (BOMB, r"Annotations/1.xml \(it declares a document type, <!DOCTYPE x>"),
        ("<html/>", r"XML file whose root is not <annotation>.*Annotations/1.xml \(<html>\); take it out"),
        (xml("<name>a</name><robndbox><cx>5</cx></robndbox>"), r"without <bndbox> \(a turned box\): .*1.xml, object 1"),
        (xml("<name>a</name><polygon/>"), r"without <bndbox> \(it has name, polygon\)"),
        (xml(box(3, 3, 8, "8,5")), "box whose xmin, ymin, xmax, ymax are not four numbers: .*, object 1; correct"),
        (xml(box(3, 3, 8, 8), box(0.1, 0.2, 0.5, 0.9)), "look like shares of the photo: .*, object 2; VOC counts"),
        (xml("<bndbox/>"), "object without a <name>"),
    ],
)  # fmt: skip
def test_an_annotation_that_cannot_be_read_stops_with_its_name(folder: Tree, content: str, message: str) -> None:
    folder.photo("1.jpg", content)
    with pytest.raises(DataError, match=message):
        check_data(voc(str(folder.root)))


def test_encodings_and_namespaces(folder: Tree) -> None:
    text = xml(box(3, 3, 8, 8, name="Bär"))
    folder.photo("1.jpg", None)
    folder.photo("2.jpg", None)
    folder.photo("3.jpg", text.replace("<annotation>", '<annotation xmlns="http://x">'))
    folder.write("Annotations/1.xml", b'<?xml version="1.0" encoding="latin-1"?>' + text.encode("latin-1"))
    folder.write("Annotations/2.xml", text.encode("utf-8-sig"))
    listing = folder.read()
    assert listing.classes == ("Bär",)
    assert [len(record.objects or ()) for record in listing.records] == [1, 1, 1]


def test_a_size_that_is_not_the_photos_is_an_error(folder: Tree) -> None:
    folder.photo("1.jpg", xml(box(3, 3, 8, 8), size=(640, 480)))
    data = voc(str(folder.root), split={"val": 0.0, "test": 0.0})
    with pytest.raises(DataError, match=r"Annotations/1.xml gives an image of 640 x 480 pixels, .*1.jpg has 32 x 24"):
        data.split("train", BOX)[0]


def test_photos_and_xml_side_by_side(folder: Tree) -> None:
    for split in ("train", "valid"):
        for name in "12":
            folder.photo(f"{split}{name}.JPG", xml(box(3, 3, 8, 8)), folder=split)
    assert recognize(folder.root) == "photos and VOC's XML files side by side"
    assert folder.splits() == {"train1": "train", "train2": "train", "valid1": "val", "valid2": "val"}
    assert read(folder.root / "train").records[0].name == "train1.JPG"


def test_what_is_recognized(folder: Tree) -> None:
    assert recognize(folder.root) is None
    folder.photo("1.jpg", folder="a")
    folder.write("a/1.xml", "<project/>")
    assert recognize(folder.root) is None
    inner = Tree(folder.root / "VOCdevkit" / "VOC2007")
    inner.photo("1.jpg", xml())
    assert recognize(inner.root) == "photos in JPEGImages and VOC's XML files in Annotations"
    with pytest.raises(DataError, match=f"further down; give data.root={inner.root}"):
        check_data(voc(str(folder.root)))


def test_masks_by_value(folder: Tree) -> None:
    for name in "12":
        folder.photo(f"{name}.jpg", xml(box(3, 3, 8, 8), box(4, 4, 9, 9, name="ant")))
        values = np.zeros((24, 32), np.uint8)
        values[3:8, 3:8], values[10], values[12] = 2, 255, 1
        image = Image.fromarray(values, "P") if name == "1" else Image.fromarray(values)
        if name == "1":
            image.putpalette([*range(256)] * 3)
        (folder.root / "SegmentationClass").mkdir(exist_ok=True)
        image.save(folder.root / "SegmentationClass" / f"{name}.PNG")
    assert "0 background, 1 ant, 2 cat, and 255 as void" in told(folder.read(), "note")[1]
    data = voc(str(folder.root), split={"val": 0.0, "test": 0.0})
    assert data.info.mask_classes == ("background", "ant", "cat")
    for sample in data.split("train", MASK):  # type: ignore[attr-defined]
        assert sample["mask"].unique().tolist() == [0, 1, 2, VOID]
        assert (sample["mask"][3:8, 3:8] == 2).all()
    named = voc(str(folder.root), mask_classes=["sky", "sea", "sun"], split={"val": 0.0, "test": 0.0})
    assert named.info.mask_classes == ("sky", "sea", "sun")
    with pytest.raises(ConfigError, match=r"data\.mask_classes=\['a', 'a'\] must name 1 to 255 classes, each once"):
        voc(str(folder.root), mask_classes=["a", "a"])


def test_masks_by_the_colours_of_a_labelmap(folder: Tree) -> None:
    folder.photo("1.jpg")
    colors = np.zeros((24, 32, 3), np.uint8)
    colors[3:8, 3:8], colors[10] = (128, 0, 0), (224, 224, 192)
    (folder.root / "SegmentationClass").mkdir()
    Image.fromarray(colors).save(folder.root / "SegmentationClass" / "1.png")
    folder.write("labelmap.txt", "# label:color_rgb:parts:actions\nbackground:0,0,0::\ncat:128,0,0::\n")
    assert recognize(folder.root) == "VOC's masks in SegmentationClass"
    data = voc(str(folder.root), split={"val": 0.0, "test": 0.0})
    assert data.info.mask_classes == ("background", "cat")
    mask = data.split("train", MASK)[0]["mask"]
    assert mask.unique(return_counts=True)[1].tolist() == [24 * 32 - 25 - 32, 25, 32]
    folder.write("labelmap.txt", "background:0,0,0::\ncat:128,0::\n")
    with pytest.raises(DataError, match=r"labelmap.txt has a line that is not 'class:red,green,blue'.*labelmap.txt:2"):
        check_data(voc(str(folder.root)))


def test_two_photos_of_one_name(folder: Tree) -> None:
    folder.photo("1.jpg", xml(box(3, 3, 8, 8)))
    folder.photo("1.png")
    assert len(folder.read().records) == 1
    assert "JPEGImages/1.png (beside 1.jpg); rename one" in told(folder.read(), "warning")[0]


@pytest.mark.skipif(not REAL.is_dir(), reason="needs the photos of blood cells")
def test_real_blood_cells() -> None:
    data = voc(str(REAL))
    assert recognize(REAL) == "photos in JPEGImages and VOC's XML files in Annotations"
    assert data.info.classes == ("Platelets", "RBC", "WBC")
    assert data.info.mask_classes == ()
    assert Counter(data.splits.values()) == {"train": 82, "val": 30, "test": 30}
    warnings = [str(each) for each in findings(data.problems) if each.kind == "warning"]
    assert warnings == [
        "box without area: skipped (2): Annotations/BloodImage_00338.xml, Annotations/BloodImage_00343.xml"
    ]
    sample = data.split("train", BOX)[0]
    assert sample["image"].shape == (3, 480, 640)
    assert (sample["box"] >= 0).all()
    with pytest.raises(DataError, match="none of the 82 photos in split 'train' has mask"):
        data.split("train", MASK)
