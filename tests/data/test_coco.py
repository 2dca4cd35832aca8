import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from vggexp.boxes import to_edges
from vggexp.data.coco import coco, read, recognize
from vggexp.errors import ConfigError, DataError
from vggexp.sample.data_contract import check_data
from vggexp.sample.record.outlines import outline_mask, outline_part
from vggexp.sample.record.problem import findings
from vggexp.sample.record.record import Listing, Record

pytest.importorskip("pycocotools")

CASE = Path(__file__).parent / "cases" / "coco_mixed"
REAL = Path(__file__).parents[3] / "shared" / "data" / "coco_cc"
BOX, MASK = frozenset({"label", "box"}), frozenset({"mask"})
ALL_TRAIN = {"val": 0.0, "test": 0.0}
SQUARE = [[20, 10, 44, 10, 44, 34, 20, 34]]


def entry(number: int = 1, image: Any = 1, category: Any = 1, **more: Any) -> dict[str, Any]:
    return {"id": number, "image_id": image, "category_id": category, "bbox": [2, 3, 8, 6], "iscrowd": 0} | more


def content(*annotations: Mapping[str, Any], images: tuple[str, ...] = ("1.jpg",), **more: Any) -> dict[str, Any]:
    """A file's content: images with the ids 1, 2 ..., the categories 1 cat and 5 dog."""
    entries = [{"id": n, "file_name": name, "width": 32, "height": 24} for n, name in enumerate(images, 1)]
    categories = [{"id": 5, "name": "dog"}, {"id": 1, "name": "cat"}]
    return {"images": entries, "annotations": list(annotations), "categories": categories} | more


def test_a_large_file_is_told_while_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("vggexp.sample.layout.coco_json.LARGE", 10)
    Tree(tmp_path).one(entry())
    assert capsys.readouterr().err == "vggexp: data: reading a.json, 0 MiB\n"


class Tree:
    def __init__(self, root: Path) -> None:
        self.root = root

    def photo(self, *names: str) -> None:
        for name in names:
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((24, 32, 3), len(list(self.root.rglob("*"))), np.uint8)).save(path, "JPEG")

    def write(self, name: str, what: Any) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(what if isinstance(what, str) else json.dumps(what), encoding="utf-8")

    def one(self, *annotations: Mapping[str, Any], **more: Any) -> Listing:
        """The listing of one photo with these annotations."""
        self.photo("1.jpg")
        self.write("a.json", content(*annotations, **more))
        return read(self.root)


@pytest.fixture
def folder(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def told(listing: Listing, kind: str = "warning") -> list[str]:
    return [str(each) for each in findings(listing.problems) if each.kind == kind]


def test_the_mixed_case() -> None:
    data = coco(str(CASE), split=ALL_TRAIN)
    assert recognize(CASE) == "COCO's annotations in instances.json"
    assert data.info.classes == ("cat", "dog")
    assert data.info.mask_classes == ("background", "cat", "dog")
    records = {record.annotation[-3:]: record for record in data.listing.records}
    assert [found.crowd for found in records["103"].objects or ()] == [True]
    assert records["104"].objects == ()
    assert [str(each) for each in findings(data.problems)][:2] == [
        "annotation without its image: left out: instances.json, annotation 10 (image 999)",
        "photo without an object: images/004.jpg (instances.json, image 104)",
    ]
    assert {record.annotation[-3:] for record in data.photos("train", BOX)[0]} == {"100", "101", "102"}


def test_outlines_lie_on_the_red_rectangle_however_they_are_written() -> None:
    data = coco(str(CASE), split=ALL_TRAIN)
    samples = data.split("train", MASK)
    for record, sample in zip(data.photos("train", MASK)[0], samples, strict=True):  # type: ignore[call-overload]
        mask = torch.zeros(48, 64, dtype=torch.uint8)
        mask[10:34, 20:44] = {"100": 1, "101": 2, "102": 1, "103": 2, "104": 0}[record.annotation[-3:]]
        assert torch.equal(sample["mask"], mask)
        red = (sample["image"][0] > 150) & (sample["image"][1] < 90) & (sample["image"][2] < 90)
        inside = red[11:33, 21:43].float().mean()
        assert inside > 0.99 or record.annotation[-3:] == "104"
    for sample in data.split("train", BOX):  # type: ignore[attr-defined]
        assert (to_edges(sample["box"]) * torch.tensor([64, 48, 64, 48])).round().tolist() == [20, 10, 44, 34]


@pytest.mark.parametrize("kind", ["list", "compressed", "flat", "polygon"])
def test_all_ways_to_write_an_outline_are_one(folder: Tree, kind: str) -> None:
    from pycocotools import mask

    rows = np.zeros((24, 32), np.uint8)
    rows[3:9, 2:10] = 1
    code = mask.encode(np.asfortranarray(rows))
    counts = [2 * 24 + 3, 6] + [18, 6] * 7 + [32 * 24 - 9 * 24 - 9]
    square = [2, 3, 10, 3, 10, 9, 2, 9]
    shape: Any = {"list": {"size": [24, 32], "counts": counts}, "flat": square, "polygon": [square],
                  "compressed": {"size": [24, 32], "counts": code["counts"].decode()}}[kind]  # fmt: skip
    record = folder.one(entry(segmentation=shape)).records[0]
    assert record.objects is not None
    found = record.objects[0].shape
    assert found is not None
    assert np.array_equal(outline_mask(found, record, (24, 32)), rows.astype(bool))


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ([[1, 2, 3, 4]], "polygon that is not three points or more: skipped"),
        ([[1, 2, 3, 4, 5, 6, 7]], "polygon that is not three points or more: skipped"),
        (["a"], "outline that is neither polygons nor run lengths: skipped"),
        ({"counts": [1]}, "outline that is neither polygons nor run lengths: skipped"),
    ],
)
def test_an_outline_that_means_nothing_is_told_and_its_photo_left_out_of_masks(
    folder: Tree, shape: Any, message: str
) -> None:
    folder.photo("2.jpg")
    good = entry(2, image=2, segmentation=[[2, 3, 10, 3, 10, 9]])
    folder.one(entry(segmentation=shape), good, images=("1.jpg", "2.jpg"))
    data = coco(str(folder.root), split=ALL_TRAIN)
    lines = [str(each) for each in findings(data.problems)]
    assert f"{message}: a.json, annotation 1" in lines
    assert "photo with an object without an outline: left out of masks: a.json, image 1" in lines
    assert [record.name for record in data.photos("train", MASK)[0]] == ["2.jpg"]
    assert len(data.split("train", BOX)) == 2  # type: ignore[arg-type]


def test_boxes_alone_are_no_masks(folder: Tree) -> None:
    folder.one(entry(segmentation=[]))
    data = coco(str(folder.root), split=ALL_TRAIN)
    assert data.info.mask_classes == ()
    assert not any("outline" in str(each) for each in findings(data.problems))
    with pytest.raises(DataError, match="none of the 1 photos in split 'train' has mask"):
        data.split("train", MASK)


def test_a_box_is_made_of_the_outline_where_there_is_none(folder: Tree) -> None:
    record = folder.one(entry(bbox=None, segmentation=[[2, 3, 10, 3, 10, 9], [1, 1, 2, 2, 3, 1]])).records[0]
    assert record.objects is not None
    assert record.objects[0].box == (1, 1, 10, 9)


@pytest.mark.parametrize(
    ("annotations", "more", "message"),
    [
        ([entry(bbox=[1, 2, 3])], {}, "annotation without four numbers as its bbox: a.json, annotation 1"),
        ([entry(bbox=[])], {}, "annotation without four numbers as its bbox"),
        ([entry(category=3)], {}, r"of a category that the file does not list: a.json, annotation 1 \(category 3\)"),
        ([entry(), entry()], {}, "id that several annotations have: a.json, annotation 1"),
        ([], {"images": ("1.jpg", "../1.jpg")}, r"leads outside the folder: a.json, image 2 \(../1.jpg\)"),
        ([], {"images": ("/etc/x.jpg",)}, "image that leads outside the folder"),
        (
            [],
            {"images": ("1.jpg", "1.jpg")},
            r"two images of the annotations name: 1.jpg \(a.json, image 1; a.json, im",
        ),
        ([entry(bbox=[0.1, 0.1, 0.5, 0.5])], {}, "look like shares of the photo: a.json; COCO counts pixels"),
    ],
)
def test_a_file_that_contradicts_itself_stops(
    folder: Tree, annotations: list[Any], more: dict[str, Any], message: str
) -> None:
    folder.one(*annotations, **more)
    with pytest.raises(DataError, match=message):
        check_data(coco(str(folder.root)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"images": [', "no sound JSON"),
        ("[1, 2]", "it is no object"),
        (json.dumps({"images": []}), r"lacks one of the lists .* \(it has images\)"),
        (json.dumps(content({"id": 3})), r"annotations\[0\] lacks image_id and category_id"),
        (json.dumps(content() | {"images": [{"id": 3}]}), r"images\[0\] lacks id and file_name"),
        (json.dumps(content() | {"categories": [{"id": 3}]}), r"categories\[0\] lacks an id or a name"),
        (json.dumps(content() | {"categories": [{"id": 1, "name": "a"}] * 2}), "two categories have the id 1"),
        (json.dumps(content() | {"images": [{"id": 1, "file_name": "1.jpg"}] * 2}), "id that several images have"),
        (json.dumps(content() | {"images": [{"id": 1, "file_name": ""}]}), "image without an id or a file_name"),
    ],
)
def test_a_file_that_is_not_of_this_kind_is_named(folder: Tree, text: str, message: str) -> None:
    folder.write("a.json", text)
    with pytest.raises(DataError, match=message) as error:
        check_data(coco(str(folder.root), annotations="a.json"))
    assert "a.json" in str(error.value)


def test_a_byte_order_mark_and_other_letters(folder: Tree) -> None:
    folder.photo("é.jpg")
    folder.write("a.json", "\ufeff" + json.dumps(content(entry(), images=("é.jpg",))))
    assert [record.name for record in read(folder.root).records] == ["é.jpg"]


def test_photos_that_are_missing_and_those_that_are_left_over(folder: Tree) -> None:
    folder.photo("2.jpg")
    listing = folder.one(entry(), images=("1.jpg", "7.jpg"))
    assert told(listing) == [
        "photo that is missing: left out: 7.jpg (a.json, image 2); if they lie elsewhere, give data.images=FOLDER",
        "photo that no annotation file names: left out: 2.jpg",
        "class without an object: dog",
    ]
    assert [record.size for record in listing.records] == [(24, 32)]


def test_splits_by_the_names_of_files_and_photos_in_folders_of_their_own(folder: Tree) -> None:
    for split in ("train", "val"):
        folder.photo(f"{split}2017/1.JPG", f"{split}2017/sub/2.jpg")
        names = ("1.jpg", "sub\\2.jpg")
        folder.write(f"annotations/instances_{split}2017.json", content(entry(), images=names))
        folder.write(f"annotations/captions_{split}2017.json", {"images": [], "annotations": []})
    listing = read(folder.root)
    assert {record.name: record.split for record in listing.records} == {
        "train2017/1.JPG": "train", "train2017/sub/2.jpg": "train", "val2017/1.JPG": "val", "val2017/sub/2.jpg": "val",
    }  # fmt: skip
    assert recognize(folder.root) is not None


def test_a_file_beside_the_photos_of_each_split(folder: Tree) -> None:
    for split in ("train", "valid", "test"):
        folder.photo(f"{split}/1.jpg")
        folder.write(f"{split}/_annotations.coco.json", content(entry()))
    splits = {record.name: record.split for record in read(folder.root).records}
    assert splits == {"train/1.jpg": "train", "valid/1.jpg": "val", "test/1.jpg": "test"}


def test_files_and_photos_that_are_named(folder: Tree) -> None:
    folder.photo("new/1.jpg", "old/1.jpg")
    for name in "ab":
        folder.write(f"{name}.json", content(entry()))
    with pytest.raises(DataError, match=r"do not say one split each \(a.json, b.json\).*data.annotations={train: FILE"):
        read(folder.root)
    assert recognize(folder.root) == "several files of COCO's kind"
    (record,) = read(folder.root, annotations="a.json", images="old").records
    assert (record.name, record.split) == ("old/1.jpg", None)
    assert read(folder.root, annotations={"val": "b.json"}, images="new").records[0].split == "val"
    with pytest.raises(ConfigError, match=r"data\.annotations has no split 'trian'; did you mean 'train'"):
        read(folder.root, annotations={"trian": "b.json"})
    with pytest.raises(DataError, match=r"data\.images=x is no folder"):
        read(folder.root, annotations="a.json", images="x")
    with pytest.raises(DataError, match=r"c\.json cannot be read \(No such file"):
        read(folder.root, annotations="c.json")


def test_a_folder_without_annotations(folder: Tree) -> None:
    folder.write("package.json", '{"name": "x"}')
    assert recognize(folder.root) is None
    with pytest.raises(DataError, match=r"no annotation file of COCO's kind; name it: data\.annotations=FILE\.json"):
        read(folder.root)


@pytest.mark.skipif(not REAL.is_dir(), reason="needs COCO's photos")
def test_real_photos_against_cocos_own_tools() -> None:
    from pycocotools.coco import COCO

    data = coco(str(REAL))
    assert len(data.listing.records) == 33
    assert len(data.info.classes) == 80
    assert data.info.classes[:3] == ("person", "bicycle", "car")
    assert sum(Counter(data.splits.values()).values()) == 33
    tools = COCO(str(REAL / "instances.json"))
    seen = 0
    for record in data.listing.records:
        number = int(record.annotation.rpartition(" ")[2])
        theirs = tools.imgToAnns[number]
        assert record.size is not None
        for found, one in zip(record.objects or (), theirs, strict=True):
            assert found.crowd == bool(one["iscrowd"])
            assert found.label == tools.cats[one["category_id"]]["name"]
            assert found.shape is not None
            if not found.crowd:
                assert np.array_equal(outline_mask(found.shape, record, record.size), tools.annToMask(one).astype(bool))
                seen += 1
    assert seen == 243


@pytest.mark.skipif(not REAL.is_dir(), reason="needs COCO's photos")
def test_a_real_painted_mask_shows_the_smaller_of_two_objects() -> None:
    from pycocotools.coco import COCO

    data = coco(str(REAL), split=ALL_TRAIN)
    tools = COCO(str(REAL / "instances.json"))
    samples = data.split("train", MASK)
    for record, sample in zip(data.photos("train", MASK)[0][:8], samples, strict=False):  # type: ignore[call-overload]
        own = tools.imgToAnns[int(record.annotation.rpartition(" ")[2])]
        areas = [(tools.annToMask(one).astype(bool), tools.cats[one["category_id"]]["name"]) for one in own]
        expected = np.zeros(sample["mask"].shape, np.uint8)
        for area, name in sorted(areas, key=lambda pair: -int(pair[0].sum())):
            expected[area] = data.info.mask_classes.index(name)
        assert np.array_equal(sample["mask"].numpy(), expected)


def test_the_part_of_an_outline_with_pixels_is_cut_from_its_mask() -> None:
    shapes: list[Any] = [
        [[3, 2, 20, 4, 17, 13, 5.5, 9.2]], [[0, 0, 31, 0, 31, 23, 0, 23]],
        [[2, 2, 6, 2, 6, 6], [20, 15, 31, 15, 31, 24]],
        {"size": (24, 32), "counts": [30, 10, 200, 100, 428]}, {"size": (24, 32), "counts": [0, 768]},
        [[4, 4, 4, 9, 4, 4]],
    ]  # fmt: skip
    record = Record(Path("1.jpg"), "1.jpg")
    for shape in shapes:
        whole = np.zeros((24, 32), bool)
        top, left, part = outline_part(shape, record, (24, 32))
        whole[top : top + part.shape[0], left : left + part.shape[1]] = part
        assert (whole == outline_mask(shape, record, (24, 32))).all()
