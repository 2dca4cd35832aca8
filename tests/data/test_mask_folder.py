import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vggexp.data import mask_folder as layout
from vggexp.data.mask_folder import read, recognize
from vggexp.errors import ConfigError, DataError
from vggexp.sample.record.photos import Photos
from vggexp.sample.record.problem import stop_at_errors
from vggexp.types import VOID

Case = Callable[[str], Path]
Told = Callable[..., list[str]]
MASK = frozenset({"mask"})
SHARED = Path(os.environ.get("VGGEXP_DATA", Path(__file__).parents[3] / "shared" / "data" / "pets")).parent
CAMVID = SHARED / "camvid"


def mask_folder(root: str, **words: Any) -> Photos:
    """The photos, if a training would take them."""
    photos = layout.mask_folder(root, **words)
    stop_at_errors(photos.problems)
    return photos


def red(root: Path, **words: Any) -> tuple[np.ndarray, tuple[str, ...]]:
    """The mask of some training photo, which is 1 on the red rectangle alone; and the classes."""
    photos = mask_folder(str(root), **words)
    mask = photos.split("train", MASK)[0]["mask"].numpy()
    expected = np.zeros((48, 64), bool)
    expected[10:34, 20:44] = True
    assert ((mask == 1) == expected).all()
    return mask, photos.info.mask_classes


def write(root: Path, values: dict[str, Any], folders: tuple[str, str] = ("images", "masks"), suffix: str = "") -> Path:
    """Photos and masks; a mask's file holds each of its values or colours in a strip."""
    for name, strips in values.items():
        photo, mask = (root / folder / name for folder in folders)
        for place in (photo, mask):
            place.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.repeat(np.array(strips, np.uint8), 4, axis=0)[None].repeat(6, axis=0)
        Image.fromarray(np.zeros((*pixels.shape[:2], 3), np.uint8)).save(f"{photo}.jpg")
        Image.fromarray(pixels).save(f"{mask}{suffix}.png")
    return root


def test_binary_masks_are_recognised_and_said_so(case: Case, told: Told) -> None:
    root = case("masks_0_255")
    _, classes = red(root)
    assert classes == ("background", "object")
    assert told(read(root).problems, "note") == ["masks hold 0 and 255: read as binary, 255 is 'object': 6 masks"]
    assert red(root, mask_values=[0, 255], mask_classes=["noise", "red"])[1] == ("noise", "red")
    assert red(root, mask_classes=["noise", "red"])[1] == ("noise", "red")
    assert recognize(root) == "6 photos with masks, such as images/0.jpg with masks/0.png"


def test_255_is_void_only_if_it_is_ignored(case: Case) -> None:
    with pytest.raises(DataError, match=r"masks hold only the value 0, apart from data.ignore"):
        mask_folder(str(case("masks_0_255")), ignore=255)


def test_a_table_of_colours_is_proposed_without_the_slip(case: Case) -> None:
    with pytest.raises(DataError) as error:
        mask_folder(str(case("masks_colour")))
    assert str(error.value) == (
        "masks are in 3 colours, and data.colors does not name them: 6 masks; give, with names of your own, "
        "'data.colors={background: [0,0,0], class1: [128,0,0], class2: [0,128,0]}'; [1,2,3] is in masks/3.png alone, "
        "at pixel (0, 0): a slip?"
    )


def test_a_stray_colour_is_named_with_file_and_pixel_or_ignored(case: Case) -> None:
    root, colors = case("masks_colour"), {"noise": [0, 0, 0], "red": [128, 0, 0], "green": [0, 128, 0]}
    with pytest.raises(DataError, match=r"does not name: masks/3.png has \[1,2,3\] at pixel \(0, 0\); add it to"):
        mask_folder(str(root), colors=colors)
    assert red(root, colors=colors, ignore=[[1, 2, 3]])[1] == ("noise", "red", "green")
    record = next(record for record in read(root, colors=colors, ignore=[1, 2, 3]).records if record.name[-5] == "3")
    photos = mask_folder(str(root), colors=colors, ignore=[1, 2, 3], split={"val": 0, "test": 0})
    masks = [sample["mask"] for sample in (photos.split("train", MASK)[index] for index in range(6))]
    assert sum(int((mask == VOID).sum()) for mask in masks) == 1
    assert record.mask == root / "masks" / "3.png"


def test_jpeg_masks_are_refused_or_split_by_a_rule(case: Case) -> None:
    root = case("masks_jpeg")
    for words in ({}, {"mask_values": [0, 255]}, {"mask_values": "nonzero"}, {"mask_classes": ["noise", "red"]}):
        with pytest.raises(DataError, match=r"JPEG, which smears.*\(6\): masks/0.jpg.*mask_values=\[0-127,128-255\]"):
            mask_folder(str(root), **words)  # type: ignore[arg-type]
    photos = mask_folder(str(root), mask_values=["0-127", "128-255"])
    assert photos.info.mask_classes == ("background", "object")
    mask = photos.split("train", MASK)[0]["mask"][10:34, 20:44].float()
    assert mask.mean() > 0.95


def test_smoothed_masks_are_refused(tmp_path: Path) -> None:
    smooth = [0] * 900 + list(range(0, 255, 5)) + [255] * 300
    with pytest.raises(DataError, match=r"masks hold 52 values, as if binary masks had been smoothed"):
        mask_folder(str(write(tmp_path, {"a": smooth})))


def test_a_mask_of_another_size_is_an_error_with_both_sizes(case: Case) -> None:
    with pytest.raises(
        DataError, match=r"masks/2.png \(32 x 24 pixels, images/2.jpg 64 x 48\); export it at the photo"
    ):
        mask_folder(str(case("masks_other_size")))


def test_a_mask_of_a_turned_photo_may_have_its_stored_or_its_upright_size(tmp_path: Path) -> None:
    for name, orientation in (("a", 6), ("b", 1)):
        exif = Image.Exif()
        exif[0x0112] = orientation
        (tmp_path / "images").mkdir(exist_ok=True)
        (tmp_path / "masks").mkdir(exist_ok=True)
        Image.new("RGB", (8, 6)).save(tmp_path / "images" / f"{name}.jpg", exif=exif)
        Image.fromarray(np.array([[0, 1, 1]] * 4, np.uint8).repeat(2, 0)).resize((6, 8)).save(
            tmp_path / f"masks/{name}.png"
        )
    with pytest.raises(
        DataError, match=r"another size than its photo: masks/b.png \(6 x 8 pixels, images/b.jpg 8 x 6\)"
    ):
        mask_folder(str(tmp_path))


def test_side_by_side_with_a_suffix(case: Case, told: Told) -> None:
    root = case("masks_suffix")
    listing = read(root)
    assert (listing.records[0].name, listing.records[0].annotation) == ("0.jpg", "0_mask.png")
    assert len(listing.records) == 5
    assert told(listing.problems) == [
        "photo without a mask: left out: 5.jpg", "mask without a photo: left out: 9_mask.png",
    ]  # fmt: skip
    red(root)


@pytest.mark.parametrize("suffix", ["_mask", "_gt", "_label", "_seg", "-truth"])
def test_suffixes(suffix: str, tmp_path: Path) -> None:
    write(tmp_path, {name: [0, 1] for name in "abc"}, ("", ""), suffix)
    named = {"suffix": suffix} if suffix == "-truth" else {}
    assert [record.name for record in read(tmp_path, **named).records] == ["a.jpg", "b.jpg", "c.jpg"]


@pytest.mark.parametrize(
    ("images", "masks", "split"),
    [
        ("images", "masks", None),
        ("imgs", "Annotations", None),
        ("JPEGImages", "SegmentationClass", None),
        ("", "mask", None),
        ("train", "trainannot", "train"),
        ("val", "val_labels", "val"),
        ("train/images", "train/masks", "train"),
        ("images/training", "annotations/training", "train"),
    ],
)
def test_folders(images: str, masks: str, split: str | None, tmp_path: Path) -> None:
    write(tmp_path, {"a": [0, 1], "b": [1, 0]}, (images, masks))
    records = read(tmp_path).records
    assert [record.image for record in records] == [tmp_path / images / "a.jpg", tmp_path / images / "b.jpg"]
    assert [record.mask for record in records] == [tmp_path / masks / "a.png", tmp_path / masks / "b.png"]
    assert {record.split for record in records} == {split}
    assert recognize(tmp_path)


def test_folders_of_unusual_names(tmp_path: Path) -> None:
    write(tmp_path, {"x/a": [0, 1], "b": [1, 0]}, ("raw", "manual"), "_m")
    assert recognize(tmp_path) is None
    with pytest.raises(DataError, match=r"has manual, raw, and no photo has a mask .* data\.images= and data\.masks="):
        read(tmp_path)
    names = [record.name for record in read(tmp_path, images="raw", masks="manual", suffix="_m").records]
    assert names == ["raw/b.jpg", "raw/x/a.jpg"]
    with pytest.raises(DataError, match=r"data\.masks=manuel is no folder of .*did you mean 'manual'\?"):
        read(tmp_path, images="raw", masks="manuel")
    with pytest.raises(DataError, match=r"data\.images=\.\./raw is no folder"):
        read(tmp_path / "manual", images="../raw")


def test_lists_divide_photos_as_stems_or_as_pairs(tmp_path: Path, told: Told) -> None:
    write(tmp_path, {name: [0, 1] for name in "abcde"})
    (tmp_path / "train.txt").write_text("\ufeffa\r\nb\r\n")
    (tmp_path / "val.txt").write_text("/SegNet/x/images/c.png /SegNet/x/masks/c.png\nz\n../images/d.jpg\n../../e.jpg\n")
    listing = read(tmp_path)
    assert [record.split for record in listing.records] == ["train", "train", "val", "val", None]
    assert told(listing.problems) == [
        "line of a list that names no photo: left out (2): val.txt:2 (z), val.txt:4 (../../e.jpg)"
    ]
    (tmp_path / "val.txt").write_text("b\n")
    with pytest.raises(DataError, match=r"photo in train.txt and val.txt: images/b.jpg; take it out of one"):
        mask_folder(str(tmp_path))


def test_plain_ids_are_classes(tmp_path: Path) -> None:
    write(tmp_path, {"a": [0, 1, 2], "b": [2, 1, 0]})
    assert read(tmp_path).masks.classes == ("0", "1", "2")  # type: ignore[union-attr]
    assert read(tmp_path, mask_classes=["sky", "road", "car", "bus"]).masks.values == ((0,), (1,), (2,), (3,))  # type: ignore[union-attr]
    void = read(write(tmp_path / "more", {"a": [0, 1, 255], "b": [1, 0, 0]}), ignore=[255]).masks
    assert void is not None
    assert (void.classes, void.void) == (("0", "1"), {255})


@pytest.mark.parametrize(
    ("strips", "words", "message"),
    [
        (
            [0, 1, 255],
            {},
            r"not 0 to K - 1: 0, 1, 255: masks/a.png has 255; if 255 has no ground truth, give data.ignore",
        ),
        ([0, 1, 7], {}, r"masks/a.png has 7; name a value for each class, such as data.mask_values=\[0,1,7\]"),
        ([1, 2, 3], {}, r"0 to K - 1: 1, 2, 3: .*data.mask_values=\[1,2,3\]"),
        (
            [0, 255],
            {"mask_classes": ["a", "b", "c"]},
            r"has 255 at pixel \(4, 0\); binary 0/255\? give data.mask_values",
        ),
        (
            [0, 1, 9],
            {"mask_values": [0, 1]},
            r"value that means no class: masks/a.png has 9 at pixel \(8, 0\); name its",
        ),
    ],
)
def test_values_without_a_meaning_are_named_with_an_advice(
    strips: list[int], words: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=message):
        mask_folder(str(write(tmp_path, {"a": strips})), **words)


def test_photos_are_no_masks(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"masks hold 256 values: 1 masks; these look like photos; data.masks and"):
        mask_folder(str(write(tmp_path, {"a": list(range(256))})))


def test_ids_of_objects_are_questioned(tmp_path: Path) -> None:
    write(tmp_path, {"a": [0, 1], "b": [0, 1, 2, 3], "c": [0, 1, 2]})
    with pytest.raises(DataError, match=r"as if they numbered objects: 3 masks; give data.mask_values=nonzero for one"):
        mask_folder(str(tmp_path))
    one = read(tmp_path, mask_values="nonzero")
    assert one.masks is not None
    assert one.masks.classes == ("background", "object")
    assert not one.problems
    assert len(read(tmp_path, mask_classes=list("abcd")).masks.classes) == 4  # type: ignore[union-attr]


def test_gray_values_may_be_saved_as_colours_or_in_a_palette(tmp_path: Path) -> None:
    write(tmp_path, {"a": [[0, 0, 0], [1, 1, 1]], "b": [0, 1]})
    palette = Image.open(tmp_path / "masks" / "b.png").convert("P")
    palette.putpalette([0, 0, 0, 200, 0, 0])
    palette.putdata([0, 0, 0, 0, 1, 1, 1, 1] * 6)
    palette.save(tmp_path / "masks" / "b.png")
    assert read(tmp_path).masks.classes == ("0", "1")  # type: ignore[union-attr]
    photos = mask_folder(str(tmp_path), split={"val": 0, "test": 0})
    assert all((photos.split("train", MASK)[index]["mask"][0, :] == 1).sum() == 4 for index in (0, 1))
    named = mask_folder(str(tmp_path), colors={"no": [0, 0, 0], "yes": [200, 0, 0], "gray": [1, 1, 1]})
    assert named.info.mask_classes == ("no", "yes", "gray")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"mask_values": [0]}, r"needs at least 2 classes"),
        ({"mask_values": "zero"}, r"mask_values=zero is not known; give nonzero"),
        ({"mask_values": [0, 300]}, r"300 is no value from 0 to 255"),
        ({"mask_values": [0, "9-3"]}, r"9-3 is no value"),
        ({"mask_values": [0, [1, 0]]}, r"gives 0 twice"),
        ({"mask_values": [0, 255], "ignore": 255}, r"gives 255 in data.ignore, too"),
        ({"mask_values": [0, 1], "mask_classes": ["a", "b", "c"]}, r"has 3 names; give 2"),
        ({"mask_classes": ["a", "a"]}, r"gives a name twice"),
        ({"colors": {"a": [0, 0]}}, r"data.colors.a=\[0, 0\] is no colour"),
        ({"colors": {"a": [0, 0, 0]}, "mask_values": [0, 1]}, r"leave out data.mask_values"),
        ({"ignore": [[0, 0, 0]]}, r"data.ignore has a colour, and data.colors is not given"),
    ],
)
def test_words_that_cannot_be(words: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        read(write(tmp_path, {"a": [0, 1]}), **words)


def test_values_by_name(tmp_path: Path) -> None:
    found = read(write(tmp_path, {"a": [0, 7, 8, 9]}), mask_values={"road": 0, "car": [7, 8]}, ignore=["9-20"]).masks
    assert found is not None
    assert (found.classes, found.values, found.void) == (("road", "car"), ((0,), (7, 8)), set(range(9, 21)))


@pytest.mark.skipif(not CAMVID.is_dir(), reason="needs CamVid")
def test_camvid(vggexp: Callable[..., tuple[int, str, str]]) -> None:
    code, out, _ = vggexp("task=segmentation", "data=camvid", f"data.root={CAMVID}", "--cfg", "job")
    assert code == 0
    assert "sign symbol" in out
    names = ["sky", "building", "pole", "road", "pavement", "tree", "sign symbol", "fence", "car", "pedestrian"]
    photos = mask_folder(str(CAMVID), mask_classes=[*names, "bicyclist"], ignore=[11])
    assert (len(photos.split("train", MASK)), len(photos.split("val", MASK))) == (367, 101)
    assert len(photos.info.mask_classes) == 11
    assert not photos.problems
    mask = photos.split("val", MASK)[0]["mask"]
    assert set(mask.unique().tolist()) <= {*range(11), VOID}
