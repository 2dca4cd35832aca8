import os
import pickle
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from vggexp.boxes import to_edges
from vggexp.data.pets import Pets
from vggexp.errors import ConfigError, DataError
from vggexp.sample.image import read_image
from vggexp.sample.layout import pets_folder
from vggexp.types import VOID, Data, Sample

NONE, LABEL, BOX, MASK = frozenset(), frozenset({"label"}), frozenset({"box"}), frozenset({"mask"})  # type: ignore[var-annotated]
ALL = LABEL | BOX | MASK
VAL = ["american_bulldog_6", "Bengal_1", "Bengal_9", "american_bulldog_1", "Abyssinian_7", "Abyssinian_6"]
SIZES = {"train": 24, "val": 6, "test": 9}
REAL = Path(os.environ.get("VGGEXP_DATA", Path(__file__).parents[3] / "shared" / "data" / "pets"))


def names(data: Data, split: str, needs: frozenset[str] = LABEL) -> list[str]:
    return data.split(split, needs).reader.names  # type: ignore[attr-defined]


def edges(sample: Sample) -> list[float]:
    height, width = sample["image"].shape[-2:]
    return (to_edges(sample["box"]) * torch.tensor([width, height, width, height])).round().tolist()


def first(tree: Any, split: str = "train", needs: frozenset[str] = BOX, **arguments: Any) -> tuple[str, Any]:
    """The first image of a split, and how to read it."""
    data = Pets(str(tree.root), **arguments)
    return names(data, split, needs)[0], lambda: Pets(str(tree.root), **arguments).split(split, needs)[0]


def test_splits_without_head_boxes(tree: Any) -> None:
    data = Pets(str(tree.root))
    parts = {split: names(data, split) for split in SIZES}
    assert {split: len(part) for split, part in parts.items()} == SIZES
    assert len(set().union(*parts.values())) == 39
    for part in parts.values():
        assert len(set(Counter(name.rpartition("_")[0] for name in part).values())) == 1
    assert parts["val"] == VAL
    assert all(int(name.rpartition("_")[2]) > 10 for name in parts["test"])


def test_what_needs_head_boxes_halves_what_classification_validates_on(tree: Any) -> None:
    data = Pets(str(tree.root))
    parts = {split: set(names(data, split, BOX)) for split in SIZES}
    assert parts["val"] | parts["test"] == {name for name in VAL if tree.xml(name).exists()}
    assert not parts["val"] & parts["test"]
    assert parts["train"] == {name for name in names(data, "train") if tree.xml(name).exists()}
    body = Pets(str(tree.root), box="body")
    assert all(names(body, split, BOX) == names(data, split) for split in SIZES)


def test_splits_depend_neither_on_order_nor_on_other_breeds(tree: Any) -> None:
    before = {split: names(Pets(str(tree.root)), split) for split in SIZES}
    for path in tree.annotations.glob("*.txt"):
        path.write_text("# a comment\n" + "\n".join(reversed(path.read_text().splitlines())))
    after = Pets(str(tree.root))
    assert {split: names(after, split) for split in SIZES} == before
    one = Pets(str(tree.root), classes=["Bengal"])
    assert all(names(one, split) == [n for n in before[split] if n.startswith("Bengal")] for split in SIZES)


def test_a_name_in_both_lists_is_not_tested_on(tree: Any) -> None:
    with (tree.annotations / "test.txt").open("a") as file:
        file.write("Bengal_2 6 1 1\n")
    assert "Bengal_2" not in names(Pets(str(tree.root)), "test")


def test_labels_are_contiguous_in_the_official_or_the_given_order(tree: Any) -> None:
    assert Pets(str(tree.root)).info.classes == ("Abyssinian", "american_bulldog", "Bengal")
    data = Pets(str(tree.root), classes=["Bengal", "Abyssinian"])
    assert data.info.classes == ("Bengal", "Abyssinian")
    assert Pets(str(tree.root), classes="Bengal").info.classes == ("Bengal",)
    split = data.split("test", LABEL)
    for name, sample in zip(names(data, "test"), split, strict=True):  # type: ignore[call-overload]
        assert sample["label"] == data.info.classes.index(name.rpartition("_")[0])


def test_head_box_and_body_box(tree: Any) -> None:
    assert edges(first(tree)[1]()) == list(tree.head)
    assert edges(first(tree, box="body")[1]()) == list(tree.body)


def test_of_several_heads_the_largest_and_a_box_that_sticks_out_is_clipped(tree: Any) -> None:
    name, read = first(tree)
    tree.write_heads(name, (0, 0, 5, 5), (10, 3, 33, 30), (1, 1, 9, 9))
    assert edges(read()) == [10, 3, tree.width, tree.height]


def test_an_annotation_without_an_object_is_no_box(tree: Any) -> None:
    name, _ = first(tree)
    tree.write_heads(name)
    assert name not in names(Pets(str(tree.root)), "train", BOX)


@pytest.mark.parametrize(("border", "label", "count"), [("void", VOID, 2), ("pet", 1, 2), ("class", 2, 3)])
def test_masks(tree: Any, border: str, label: int, count: int) -> None:
    data = Pets(str(tree.root), border=border)
    mask = data.split("val", MASK)[0]["mask"]
    left, top, right, bottom = tree.body
    assert mask[0, 0] == 0
    assert mask[top, left] == label
    assert (mask[top + 1 : bottom - 1, left + 1 : right - 1] == 1).all()
    assert len(data.info.mask_classes) == count


def test_recipes_batches_and_workers(tree: Any) -> None:
    recipe = [{"RandomResizedCrop": {"size": [16, 16], "scale": [0.5, 1.0]}}]
    data: Data = Pets(str(tree.root), train_transform=recipe, eval_transform=[{"Resize": {"size": [20, 30]}}])
    for split, augment, size in (("train", True, (16, 16)), ("train", False, (20, 30)), ("val", False, (20, 30))):
        samples = pickle.loads(pickle.dumps(data.split(split, ALL, augment=augment)))
        batch = next(iter(DataLoader(samples, batch_size=2)))
        assert batch["image"].shape == (2, 3, *size)
        assert batch["mask"].shape == (2, *size)
        assert batch["box"].shape == (2, 4)
        assert set(batch) == ALL | {"image", "index"}


def test_nothing_is_read_that_is_not_needed(tree: Any) -> None:
    for path in [*tree.annotations.glob("xmls/*"), *tree.annotations.glob("trimaps/*")]:
        path.unlink()
    assert set(Pets(str(tree.root)).split("test", LABEL)[0]) == {"image", "index", "label"}


def test_a_missing_or_foreign_folder_says_how_to_download(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"trainval\.txt is missing; fetch the data with data\.download=true"):
        Pets(str(tmp_path / "nowhere"))


def test_a_missing_annotation_folder(tree: Any) -> None:
    for path in tree.annotations.glob("xmls/*"):
        path.unlink()
    (tree.annotations / "xmls").rmdir()
    with pytest.raises(DataError, match=r"xmls is missing; fetch the data"):
        Pets(str(tree.root)).split("train", BOX)


@pytest.mark.parametrize(("method", "needs"), [("read_text", None), ("iterdir", LABEL)])
def test_a_forbidden_folder(
    tree: Any, monkeypatch: pytest.MonkeyPatch, method: str, needs: frozenset[str] | None
) -> None:
    def forbidden(path: Path, *_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, method, forbidden)  # chmod does not stop root
    with pytest.raises(
        DataError, match=r"oxford-iiit-pet.* cannot be read \(Permission denied\); check its permissions$"
    ):
        Pets(str(tree.root)).split("train", needs or LABEL)


def test_a_failed_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: object, **__: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(pets_folder, "OxfordIIITPet", offline)
    with pytest.raises(DataError, match=r"the download of Oxford-IIIT Pet failed \(no route to host\); check"):
        Pets(str(tmp_path), download=True)


def test_a_damaged_list(tree: Any) -> None:
    (tree.annotations / "test.txt").write_text("Bengal_11 six 1 1\n")
    with pytest.raises(DataError, match=r"test\.txt has a line that is not 'name class \.\.\.'"):
        Pets(str(tree.root))


def test_a_missing_image_or_trimap_is_found_before_training(tree: Any) -> None:
    name, _ = first(tree)
    tree.trimap(name).unlink()
    Pets(str(tree.root)).split("train", LABEL)
    for arguments in ({"needs": MASK}, {"needs": BOX, "box": "body"}):
        with pytest.raises(DataError, match=rf"trimaps/{name}\.png is missing; restore it"):
            first(tree, **arguments)[1]()
    tree.image(name).unlink()
    with pytest.raises(DataError, match=rf"images/{name}\.jpg is missing; restore it"):
        Pets(str(tree.root)).split("train", LABEL)


def test_a_truncated_image_and_a_text_for_an_image(tree: Any) -> None:
    name, read = first(tree)
    path = tree.image(name)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(DataError, match=rf"{name}\.jpg is truncated or not an image"):
        read()
    path.write_text("404")
    with pytest.raises(DataError, match=rf"{name}\.jpg is truncated or not an image"):
        read()


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.full((24, 32), 4), "labels other than 1 pet, 2 background, 3 border"),
        (np.full((24, 32), 0), "labels other than 1 pet, 2 background, 3 border"),
        (np.full((24, 32), 2), "shows no pet"),
        (np.full((24, 30), 1), "has 30 x 24 pixels, and its image 32 x 24"),
    ],
)
def test_bad_trimaps(tree: Any, labels: np.ndarray, message: str) -> None:
    name, read = first(tree, needs=MASK)
    tree.write_trimap(name, labels)
    with pytest.raises(DataError, match=rf"{name}\.png .*{message}[^\n]*; "):
        read()


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ((8, 5, 9, 12), "a box without area"),
        ((14, 12, 8, 5), "a box without area"),
        ((40, 30, 50, 40), "a box outside its image of 32 x 24 pixels"),
        ((-9, 2, -3, 9), "a box outside its image"),
    ],
)
def test_bad_boxes(tree: Any, head: tuple[int, int, int, int], message: str) -> None:
    name, read = first(tree)
    tree.write_heads(name, head)
    with pytest.raises(DataError, match=rf"{name}\.xml has {message}.*; correct it, or delete the file"):
        read()


@pytest.mark.parametrize(
    "text",
    [
        "<annotation>",
        "",
        "<a><object><bndbox><xmin>x</xmin></bndbox></object></a>",
        "<annotation><object><bndbox><xmin>x</xmin></bndbox></object></annotation>",
        "<annotations><image><box xtl='1'/></image></annotations>",
        "<html/>",
    ],
)
def test_malformed_xml(tree: Any, text: str) -> None:
    name, read = first(tree)
    tree.xml(name).write_text(text)
    with pytest.raises(DataError, match=rf"{name}\.xml is no VOC annotation \([^\n]+\); restore it"):
        read()


def test_the_outermost_element_is_named(tree: Any) -> None:
    name, read = first(tree)
    tree.xml(name).write_text("<annotations><image/></annotations>")
    with pytest.raises(DataError, match=r"\(its outermost element is <annotations>, not <annotation>\); restore it"):
        read()


def test_an_empty_split_and_a_class_without_training_images(tree: Any) -> None:
    for path in tree.annotations.glob("xmls/Bengal*"):
        path.unlink()
    assert len(names(Pets(str(tree.root)), "train", BOX)) > 0
    with pytest.raises(DataError, match=r"no image of 'Bengal' to train on; leave it out of data\.classes"):
        Pets(str(tree.root)).split("train", BOX | LABEL)
    with pytest.raises(DataError, match=r"no image in split 'val' has \['box'\]; a class needs 5 .* see data\.classes"):
        Pets(str(tree.root), classes=["Bengal"]).split("val", BOX)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"classes": ["bengal"]}, "data.classes has no 'bengal'; did you mean 'Bengal'"),
        ({"box": "haed"}, "data.box has no 'haed'; did you mean 'head'"),
        ({"border": "viod"}, "data.border has no 'viod'; did you mean 'void'"),
    ],
)
def test_arguments_outside_their_choices(tree: Any, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Pets(str(tree.root), **arguments)


@pytest.mark.skipif(not (REAL / "oxford-iiit-pet").is_dir(), reason="the real photos are not here")
class TestReal:
    def test_three_breeds_with_contiguous_labels(self) -> None:
        data = Pets(str(REAL))
        assert data.info.classes[:2] == ("Abyssinian", "american_bulldog")
        assert set(data.split("train", LABEL).reader.labels) == set(range(len(data.info.classes)))  # type: ignore[attr-defined]

    def test_head_boxes(self) -> None:
        sizes = [len(Pets(str(REAL)).split(split, BOX)) for split in SIZES]  # type: ignore[arg-type]
        assert sum(sizes) == len(list(REAL.glob("oxford-iiit-pet/annotations/xmls/*.xml")))

    def test_files_that_are_no_jpeg(self) -> None:
        paths = sorted(REAL.glob("oxford-iiit-pet/images/Abyssinian_*.jpg"))
        odd = [path for path in paths if not path.read_bytes().startswith(b"\xff\xd8")]
        assert len(odd) >= 2
        for path in odd:
            with Image.open(path) as picture:
                assert tuple(read_image(path).shape) == (3, picture.height, picture.width)

    @pytest.mark.parametrize("split", SIZES)
    def test_batches_with_every_target(self, split: str) -> None:
        recipe = [{"RandomResizedCrop": {"size": [32, 32], "scale": [0.5, 1.0]}}]
        data = Pets(str(REAL), train_transform=recipe, eval_transform=[{"Resize": {"size": [32, 32]}}])
        batch = next(iter(DataLoader(data.split(split, ALL, augment=split == "train"), batch_size=8)))
        assert batch["image"].shape[1:] == (3, 32, 32)
        assert set(batch["mask"].unique().tolist()) <= {0, 1, VOID}
        assert ((batch["box"] >= 0) & (batch["box"] <= 1)).all()
        assert (batch["box"][:, 2:] > 0).all()


def turned_pets(tree: Any, name: str, orientation: int) -> None:
    """Store a photo turned, so that its EXIF turns it back: upright it shows what it showed before."""
    with Image.open(tree.image(name)) as picture:
        upright = picture.convert("RGB")
    exif = Image.Exif()
    exif[274] = orientation
    stored = upright.transpose({6: Image.Transpose.ROTATE_90, 3: Image.Transpose.ROTATE_180}[orientation])
    stored.save(tree.image(name), "JPEG", quality=95, exif=exif)


def write_sized(tree: Any, name: str, width: float, height: float, box: tuple[float, ...], tag: str = "") -> None:
    sides = "".join(
        f"<{side}>{value}</{side}>" for side, value in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
    )
    size = f"<size><width>{width}</width><height>{height}</height></size>"
    tree.xml(name).write_text(f"<annotation{tag}>{size}<object><bndbox>{sides}</bndbox></object></annotation>")


def sample_of(tree: Any, name: str, needs: set[str], **arguments: Any) -> Any:
    data = Pets(str(tree.root), **arguments)
    for split in ("train", "val", "test"):
        dataset = data.split(split, frozenset(needs))
        for place, found in enumerate(dataset.reader.names):
            if found == name:
                return dataset[place]
    raise AssertionError(name)


@pytest.mark.parametrize("counts", ["upright", "stored"])
def test_boxes_and_trimaps_of_turned_photos_lie_on_the_pet(counts: str, tree: Any) -> None:
    name = "Bengal_5"
    before = sample_of(tree, name, {"box", "mask"}, box="head")
    labels = np.array(Image.open(tree.trimap(name)))
    turned_pets(tree, name, 6)
    left, top, right, bottom = tree.head
    if counts == "upright":
        write_sized(tree, name, tree.width, tree.height, (left + 1, top + 1, right, bottom))
    else:  # a quarter turn counterclockwise: x, y become y, width - x
        write_sized(tree, name, tree.height, tree.width, (top + 1, tree.width - right + 1, bottom, tree.width - left))
        tree.write_trimap(name, np.rot90(labels))
    after = sample_of(tree, name, {"box", "mask"}, box="head")
    assert torch.equal(after["box"], before["box"])
    assert torch.equal(after["mask"], before["mask"])
    assert (after["image"].int() - before["image"].int()).abs().float().mean() < 3


@pytest.mark.parametrize(
    ("width", "height", "box", "tag", "message"),
    [
        (24, 18, (7, 5, 10, 9), "", r"gives an image of 24 x 18 pixels, and its image has 32 x 24; correct"),
        (24, 32, (7, 5, 10, 9), "", r"gives an image of 24 x 32 pixels, and its image has 32 x 24; correct"),
        (32, 24, (0.2, 0.1, 0.6, 0.5), "", r"a box of less than a pixel, \(0\.2, 0\.1\) to .* shares of the image"),
    ],
)
def test_boxes_that_contradict_the_photo(
    width: int, height: int, box: tuple[float, ...], tag: str, message: str, tree: Any
) -> None:
    write_sized(tree, "Bengal_5", width, height, box, tag)
    with pytest.raises(DataError, match=rf"Bengal_5\.xml .*{message}"):
        sample_of(tree, "Bengal_5", {"box"}, box="head")


def test_namespaces_are_ignored_and_rotated_boxes_named(tree: Any) -> None:
    write_sized(tree, "Bengal_5", 32, 24, (9, 6, 14, 12), ' xmlns="http://example.org/voc"')
    assert sample_of(tree, "Bengal_5", {"box"}, box="head")["box"].tolist() == pytest.approx(
        [8 / 32, 5 / 24, 7 / 24, 6 / 32]
    )
    tree.xml("Bengal_5").write_text("<annotation><object><name>cat</name><robndbox/></object></annotation>")
    with pytest.raises(DataError, match=r"has an object without <bndbox> \(it has name, robndbox\)"):
        sample_of(tree, "Bengal_5", {"box"}, box="head")


def test_a_bad_annotation_of_a_class_that_is_not_used_is_no_mistake(tree: Any) -> None:
    tree.xml("Bengal_5").write_text("<annotation")
    assert sample_of(tree, "Abyssinian_5", {"box"}, box="head", classes=["Abyssinian"])


def test_a_half_turn_does_not_tell_what_a_trimap_counts(tree: Any) -> None:
    turned_pets(tree, "Bengal_5", 3)
    with pytest.raises(DataError, match=r"turned by EXIF \(orientation 3\).*save the image upright"):
        sample_of(tree, "Bengal_5", {"mask"})


def test_a_list_with_a_bom_and_photos_in_capitals_are_read(tree: Any) -> None:
    path = tree.annotations / "trainval.txt"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    for photo in sorted((tree.folder / "images").glob("Bengal_*")):
        photo.rename(photo.with_suffix(".JPG"))
    assert {split: len(names(Pets(str(tree.root)), split)) for split in SIZES} == SIZES


def test_annotations_in_capitals_are_read_as_any(tree: Any) -> None:
    before = {split: [*Pets(str(tree.root)).split(split, ALL)] for split in SIZES}  # type: ignore[call-overload]
    for path in [*tree.annotations.glob("xmls/*"), *tree.annotations.glob("trimaps/*")]:
        path.rename(path.with_suffix(path.suffix.upper()))
    data = Pets(str(tree.root))
    for split, expected in before.items():
        found = [*data.split(split, ALL)]  # type: ignore[call-overload]
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert all(torch.equal(one[key], other[key]) for key in ("box", "mask"))


@pytest.mark.parametrize("name", ["img_0001", "cat0001"])
def test_classes_by_number_alone_are_named(name: str, tree: Any) -> None:
    path = tree.annotations / "trainval.txt"
    path.write_text(f"{name} 1 1 1\nimg_0101 2 1 1\nimg_0102 1 1 1\n")
    with pytest.raises(
        DataError, match=r"trainval\.txt: \w+ is of class \d by its number .*; name each image CLASS_NUMBER"
    ):
        Pets(str(tree.root))


def test_too_few_images_say_how_many_a_class_needs(tree: Any) -> None:
    path = tree.annotations / "trainval.txt"
    path.write_text("\n".join(line for line in path.read_text().splitlines() if line.split()[0][-1] in "123") + "\n")
    with pytest.raises(DataError, match=r"no image in split 'val' .* a class needs 5 images in trainval\.txt"):
        Pets(str(tree.root)).split("val", LABEL)
