from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vggexp.data import voc2012 as module
from vggexp.data.voc2012 import CLASSES, PLACE, voc2012
from vggexp.errors import DataError
from vggexp.sample.data_contract import check_data

MASK, BOX = frozenset({"mask"}), frozenset({"box"})
OBJECT = """<annotation><size><width>32</width><height>24</height></size><object><name>{}</name><bndbox>
<xmin>1</xmin><ymin>1</ymin><xmax>32</xmax><ymax>24</ymax></bndbox></object></annotation>"""


def lay(root: Path, label: str = "dog") -> None:
    """Three photos of the layout: two with masks, in the lists of Segmentation; two in those of Main."""
    place = root / PLACE
    for folder in ("JPEGImages", "Annotations", "SegmentationClass", "ImageSets/Main", "ImageSets/Segmentation"):
        (place / folder).mkdir(parents=True, exist_ok=True)
    for number in range(3):
        Image.fromarray(np.full((24, 32, 3), number, np.uint8)).save(place / "JPEGImages" / f"2008_{number}.jpg")
        (place / "Annotations" / f"2008_{number}.xml").write_text(OBJECT.format(label))
    for number in range(2):
        values = np.full((24, 32), 12, np.uint8)
        values[:5] = 255
        Image.fromarray(values).save(place / "SegmentationClass" / f"2008_{number}.png")
    for name, text in (
        ("Main/train", "2008_1\n2008_2"),
        ("Segmentation/train", "2008_0"),
        ("Segmentation/val", "2008_1"),
    ):
        (place / "ImageSets" / f"{name}.txt").write_text(text)


def test_pixels_count_from_1_and_classes_are_its_own(tmp_path: Path) -> None:
    lay(tmp_path)
    data = voc2012(str(tmp_path))
    assert data.info.classes == CLASSES
    assert data.info.mask_classes == ("background", *CLASSES)
    sample = data.split("train", BOX | MASK)[0]
    assert sample["box"].tolist() == [0, 0, 1, 1]
    assert sample["mask"].unique().tolist() == [12, 255]  # 12 is the dog, as in VOC's colour map
    assert voc2012(str(tmp_path / PLACE)).splits == data.splits


def test_one_split_serves_all_tasks(tmp_path: Path) -> None:
    lay(tmp_path)
    stems = {Path(name).stem: split for name, split in voc2012(str(tmp_path)).splits.items()}
    assert stems == {"2008_0": "train", "2008_1": "val", "2008_2": "train"}
    main = voc2012(str(tmp_path), lists=["Main"], split={"val": 0.0}).splits
    assert {Path(name).stem for name in main} == {"2008_1", "2008_2"}


def test_a_class_of_other_data_is_an_error(tmp_path: Path) -> None:
    lay(tmp_path, "platelet")
    with pytest.raises(
        DataError, match=r"does not have \(2\): Annotations/.*\(platelet\), .*data=voc reads other data"
    ):
        check_data(voc2012(str(tmp_path), lists=["Main"]))


def test_it_is_fetched_once_and_only_if_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched = []

    def fetch(root: str, **_: Any) -> None:
        fetched.append(root)
        lay(Path(root))

    monkeypatch.setattr(module, "VOCDetection", fetch)
    with pytest.raises(DataError, match=r"VOC2012 does not hold VOC 2012; give data\.download=true"):
        check_data(voc2012(str(tmp_path)))
    for _ in range(2):
        voc2012(str(tmp_path), download=True)
    assert fetched == [str(tmp_path)]


def test_a_download_that_fails_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(*_: Any, **__: Any) -> None:
        raise RuntimeError("File not found or corrupted.")

    monkeypatch.setattr(module, "VOCDetection", fetch)
    with pytest.raises(DataError, match="the download of VOC 2012 failed"):
        voc2012(str(tmp_path), download=True)
