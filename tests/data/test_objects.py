"""Every layout gives the objects of a photo, each with its mask where there are outlines or a file of numbers."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from vggexp.data.coco import coco
from vggexp.data.csv import csv
from vggexp.data.voc import voc
from vggexp.data.yolo import yolo
from vggexp.errors import DataError
from vggexp.sample.decoded import keep_decoded
from vggexp.sample.record.photos import Photos
from vggexp.sample.record.problem import findings
from vggexp.types import Objects

pytest.importorskip("pycocotools")

HEIGHT, WIDTH = 48, 64
BOXES = {"cat": (4, 6, 20, 18), "dog": (30, 20, 60, 47)}
ALL: dict[str, Any] = {"val": 0, "test": 0}
OBJECTS, MASKS = frozenset({"objects"}), frozenset({"objects", "object_masks"})


def corners(box: tuple[int, ...]) -> list[int]:
    left, top, right, bottom = box
    return [left, top, right, top, right, bottom, left, bottom]


def photo(path: Path, orientation: int | None = None, size: tuple[int, int] = (WIDTH, HEIGHT)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    Image.fromarray(np.random.default_rng(len(path.name)).integers(0, 256, (*size[::-1], 3), np.uint8)).save(
        path, exif=exif
    )


def write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


def coco_file(
    root: Path, *annotations: dict[str, Any], size: tuple[int, int] = (WIDTH, HEIGHT), photos: int = 1
) -> None:
    images = [{"id": n, "file_name": f"{n}.jpg", "width": size[0], "height": size[1]} for n in range(1, photos + 1)]
    categories = [{"id": 9, "name": "dog"}, {"id": 3, "name": "cat"}]
    entries = [{"id": n, "image_id": 1, **each} for n, each in enumerate(annotations)]
    write(root / "a.json", {"images": images, "annotations": entries, "categories": categories})


def entry(name: str, box: tuple[int, ...] | None = None, **more: Any) -> dict[str, Any]:
    left, top, right, bottom = box or BOXES[name]
    own = {"bbox": [left, top, right - left, bottom - top], "segmentation": [corners(box or BOXES[name])]}
    return {"category_id": {"cat": 3, "dog": 9}[name], "iscrowd": 0, **own, **more}


def as_coco(root: Path) -> Photos:
    photo(root / "1.jpg")
    coco_file(root, *map(entry, BOXES))
    return coco(str(root), split=ALL)


def xml(root: Path, name: str, boxes: dict[str, tuple[int, ...]] = BOXES, more: str = "", polygon: str = "") -> None:
    found = "".join(
        f"<object><name>{label}</name>{more}{polygon.format(*corners(box))}<bndbox><xmin>{box[0]}</xmin><ymin>{box[1]}</ymin>"
        f"<xmax>{box[2]}</xmax><ymax>{box[3]}</ymax></bndbox></object>"
        for label, box in boxes.items()
    )
    size = f"<size><width>{WIDTH}</width><height>{HEIGHT}</height></size>"
    write(root / "Annotations" / f"{name}.xml", f"<annotation>{size}{found}</annotation>")


def as_voc(root: Path) -> Photos:
    """The numbers of the instances are not in the order of the file."""
    photo(root / "JPEGImages" / "1.jpg")
    xml(root, "1")
    (root / "SegmentationObject").mkdir()
    numbers = np.zeros((HEIGHT, WIDTH), np.uint8)
    for number, (left, top, right, bottom) in zip((7, 2), BOXES.values(), strict=True):
        numbers[top:bottom, left:right] = number
    numbers[0] = 255
    image = Image.fromarray(numbers)
    image.putpalette([value for index in range(256) for value in (index, 0, 255 - index)])
    image.save(root / "SegmentationObject" / "1.png")
    return voc(str(root), split=ALL)


POLYGON = "<polygon><x1>{}</x1><y1>{}</y1><x2>{}</x2><y2>{}</y2><x3>{}</x3><y3>{}</y3><x4>{}</x4><y4>{}</y4></polygon>"
POINTS = "<polygon>" + "<pt><x>{}</x><y>{}</y></pt>" * 4 + "</polygon>"


def as_xml(root: Path, polygon: str = POLYGON) -> Photos:
    photo(root / "JPEGImages" / "1.jpg")
    xml(root, "1", polygon=polygon)
    return voc(str(root), split=ALL)


def as_yolo(root: Path) -> Photos:
    photo(root / "images" / "1.jpg")
    write(root / "data.yaml", "{names: [cat, dog], train: images}")
    rows = [f"{n} " + " ".join(f"{v / (HEIGHT if i % 2 else WIDTH):.12f}" for i, v in enumerate(corners(box)))
            for n, box in enumerate(BOXES.values())]  # fmt: skip
    write(root / "labels" / "1.txt", "\n".join(rows))
    return yolo(str(root), split=ALL)


def as_csv(root: Path) -> Photos:
    photo(root / "1.jpg")
    rows = [f"1.jpg,{label},{','.join(map(str, box))}" for label, box in BOXES.items()]
    write(root / "labels.csv", "\n".join(["filename,class,xmin,ymin,xmax,ymax", *rows]))
    return csv(str(root), split=ALL)


def first(data: Photos, needs: frozenset[str] = MASKS, split: str = "train") -> Objects:
    found: Objects = data.split(split, needs)[0]["objects"]  # type: ignore[assignment]
    return found


def expected_masks() -> Tensor:
    masks = torch.zeros(2, HEIGHT, WIDTH, dtype=torch.uint8)
    for mask, (left, top, right, bottom) in zip(masks, BOXES.values(), strict=True):
        mask[top:bottom, left:right] = 1
    return masks


@pytest.mark.parametrize("read", [as_coco, as_voc, as_xml, lambda root: as_xml(root, POINTS), as_yolo])
def test_every_layout_gives_the_same_objects_and_masks(tmp_path: Path, read: Any) -> None:
    data = read(tmp_path)
    assert {"objects", "object_masks"} <= data.provides
    found = first(data)
    torch.testing.assert_close(found.boxes, torch.tensor([*BOXES.values()]).float(), rtol=0, atol=1e-4)
    assert [data.info.classes[label] for label in found.labels] == ["cat", "dog"]
    assert torch.equal(found.masks, expected_masks())
    assert found.crowd is None
    assert found.difficult is None


def test_a_layout_without_outlines_gives_boxes_alone(tmp_path: Path) -> None:
    data = as_csv(tmp_path)
    assert data.provides == {"label", "labels", "box", "objects"}
    found = first(data, OBJECTS)
    assert found.boxes.tolist() == [list(box) for box in BOXES.values()]
    assert found.masks is None
    with pytest.raises(DataError, match="none of the 1 photos in split 'train' has object_masks and objects"):
        first(data)


def test_crowds_and_difficult_ones_are_flagged_and_classes_merge(tmp_path: Path) -> None:
    photo(tmp_path / "1.jpg")
    coco_file(tmp_path, entry("cat"), entry("dog", iscrowd=1), entry("cat", (1, 30, 9, 40)))
    data = coco(str(tmp_path), split=ALL, classes={"pet": ["dog", "cat"]})
    assert first(data).labels.tolist() == [0, 0, 0]
    assert first(data).crowd.tolist() == [False, True, False]
    assert len(first(coco(str(tmp_path), split=ALL, classes=["cat"]))) == 2
    folder = tmp_path / "voc"
    photo(folder / "JPEGImages" / "1.jpg")
    xml(folder, "1", {"cat": BOXES["cat"]}, "<difficult>1</difficult>")
    photo(folder / "JPEGImages" / "22.jpg")
    xml(folder, "22", {"cat": BOXES["cat"]})
    by_rule, like_any = (
        [each["objects"] for each in voc(str(folder), split=ALL, difficult=use).split("train", OBJECTS)]  # type: ignore[attr-defined]
        for use in (False, True)
    )
    assert sorted(each.difficult is not None for each in by_rule) == [False, True]
    assert all(each.difficult is None for each in like_any)


@pytest.mark.parametrize("orientation", range(2, 9))
def test_objects_and_masks_turn_with_the_photo(tmp_path: Path, orientation: int) -> None:
    photo(tmp_path / "1.jpg", orientation)
    coco_file(tmp_path, *map(entry, BOXES))
    data = coco(str(tmp_path), split=ALL, exif=None if orientation > 4 else "stored")
    found = first(data)
    assert found.masks.shape[1:] == ((WIDTH, HEIGHT) if orientation > 4 else (HEIGHT, WIDTH))
    for box, mask in zip(found.boxes.int().tolist(), found.masks, strict=True):
        left, top, right, bottom = box
        assert bool(mask[top:bottom, left:right].all())
        assert int(mask.sum()) == (right - left) * (bottom - top)


def test_a_photo_decoded_smaller_has_its_boxes_scaled_and_beside_masks_it_is_whole(tmp_path: Path) -> None:
    photo(tmp_path / "1.jpg", size=(640, 480))
    coco_file(tmp_path, entry("dog", (100, 200, 300, 401)), size=(640, 480))
    recipe = [{"Resize": {"size": [48, 64]}}]
    data = coco(str(tmp_path), split=ALL, train_transform=recipe, eval_transform=recipe)
    boxes, masked = data.split("train", OBJECTS), data.split("train", MASKS)
    assert (boxes.shrink(480, 640), masked.shrink(480, 640)) == (8, 1)
    for files in (boxes, masked):
        torch.testing.assert_close(files[0]["objects"].boxes, torch.tensor([[10.0, 20, 30, 40.1]]), rtol=0, atol=1e-4)


@pytest.mark.parametrize("needs", [OBJECTS, MASKS, MASKS | {"box", "mask"}])
@pytest.mark.parametrize(
    "recipe",
    [[], [{"Fit": {"size": [24, 24], "mode": "letterbox"}}, "RandomHorizontalFlip"],
     [{"Fit": {"size": [24, 24], "mode": "crop"}}],
     [{"Resize": {"size": [30, 30]}}, {"RandomCrop": {"size": [20, 20]}}]],
)  # fmt: skip
@pytest.mark.parametrize("mode", ["memory", "disk"])
def test_kept_samples_are_the_others_to_the_bit(
    tmp_path: Path, recipe: list[Any], needs: frozenset[str], mode: str
) -> None:
    for number in (1, 2, 3):
        photo(tmp_path / f"{number}.jpg")
    coco_file(tmp_path, entry("cat"), entry("dog", iscrowd=1), entry("dog"), photos=3)
    plain = coco(str(tmp_path), split=ALL, train_transform=recipe, eval_transform=recipe).split("train", needs)
    for _ in range(2):
        kept = keep_decoded(plain, "train", mode, str(tmp_path / "cache"), 1)
        for place in range(len(plain)):
            torch.manual_seed(place)
            one = plain[place]
            torch.manual_seed(place)
            other = kept[place]
            assert one.keys() == other.keys()
            for key, part in vars(one["objects"]).items():
                wanted = getattr(other["objects"], key)
                assert part is wanted if part is None else torch.equal(part, wanted)
            assert torch.equal(one["image"], other["image"])


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        (entry("dog", segmentation=[[1, 2, 3, 4]]), "polygon that is not three points or more: skipped: a.json, an"),
        (entry("dog", segmentation=[]), "object without an outline: its photo is left out of object masks: a.json"),
        (entry("dog", segmentation=[[30, 20, 60, 20, 45, 20]]), "outline without area: its photo is left out"),
        (entry("dog", segmentation=[corners(BOXES["cat"])]), "outline that does not fit its box: its photo is left"),
        (entry("dog", bbox=[30, 20, -5, 9]), "box with swapped corners: skipped: a.json, image 1; boxes are read as "
         "[left, top, width, height] in pixels"),
        (entry("dog", bbox=[30, 20, 37, 30]), "box that reaches outside its photo: clipped: a.json, image 1; boxes"),
        (entry("dog", bbox=[30, 20, 0, 27]), "box without area: skipped: a.json, image 1"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_object_is_one_line(tmp_path: Path, wrong: dict[str, Any], line: str) -> None:
    for number in (1, 2):
        photo(tmp_path / f"{number}.jpg")
    coco_file(tmp_path, entry("cat"), wrong, {**entry("cat"), "image_id": 2}, photos=2)
    data = coco(str(tmp_path), split=ALL)
    used = data.split("train", MASKS)
    lines = [str(each) for each in findings(data.problems) if each.kind == "warning"]
    assert any(each.startswith(line) for each in lines), lines
    assert len(used) == (1 if "its photo is left" in line or "three points" in line else 2)
    assert len(data.split("train", OBJECTS)) == 2


def test_a_training_split_without_an_object_is_refused(tmp_path: Path) -> None:
    photo(tmp_path / "1.jpg")
    coco_file(tmp_path, entry("cat", iscrowd=1))
    with pytest.raises(DataError, match="none of the 1 photos in split 'train' has an object that can be a target"):
        coco(str(tmp_path), split=ALL).split("train", OBJECTS)


def test_an_object_that_no_number_fits_excuses_what_is_found_there(tmp_path: Path) -> None:
    as_voc(tmp_path)
    xml(tmp_path, "1", {**BOXES, "bird": (1, 25, 20, 47)})
    found = first(voc(str(tmp_path), split=ALL))
    assert found.difficult.tolist() == [False, False, True]
    assert int(found.masks[2].sum()) == 0
