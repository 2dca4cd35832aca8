from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from vggexp.data.csv import csv, read, recognize
from vggexp.errors import ConfigError, DataError
from vggexp.sample.record.record import Listing, Record

Case = Callable[[str], Path]
Told = Callable[..., list[str]]


def write(root: Path, table: str | bytes, *photos: str, name: str = "labels.csv") -> Path:
    for photo in photos or ("a.jpg", "b.jpg"):
        (root / photo).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20, 10)).save(root / photo)
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(table if isinstance(table, bytes) else table.encode())
    return root


def boxes(listing: Listing) -> list[Any]:
    return [found.box for record in listing.records for found in record.objects or ()]


def labels(listing: Listing) -> dict[str, tuple[str, ...]]:
    return {record.name: record.labels for record in listing.records}


def test_a_table_with_a_bom_and_semicolons(case: Case, told: Told) -> None:
    root = case("csv_bom")
    listing = read(root)
    assert [record.name for record in listing.records] == ["photos/a b.jpg", "photos/c.jpg", "photos/d.jpg"]
    assert [record.annotation for record in listing.records] == ["labels.csv:2", "labels.csv:3-4", "labels.csv:6"]
    assert listing.classes == ("blue", "red")
    assert boxes(listing) == [(20, 10, 44, 34), (20, 10, 44, 34), (0, 0, 5, 5), (20, 10, 44, 34)]
    assert told(listing.problems) == ["row whose photo is missing: skipped: labels.csv:5 (photos/missing.jpg)"]
    assert recognize(root) == "labels.csv names photos in 5 rows"


def test_a_column_of_groups_keeps_photos_together(case: Case) -> None:
    root = case("csv_bom")
    for seed in range(8):
        splits = csv(str(root), group="patient", split={"val": 0.4, "test": 0.2, "seed": seed}).splits
        assert splits["photos/a b.jpg"] == splits["photos/d.jpg"]
    by_path = csv(str(root), group=r"photos/(.)")
    assert {record.group for record in by_path.listing.records} == {"a", "c", "d"}


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators(separator: str, tmp_path: Path) -> None:
    table = "image,class\r\na.jpg,cat\r\nb.jpg,dog\r\n".replace(",", separator)
    assert labels(read(write(tmp_path, table))) == {"a.jpg": ("cat",), "b.jpg": ("dog",)}


@pytest.mark.parametrize(
    ("header", "row", "box"),
    [
        ("file,label,x,y,w,h", "a.jpg,cat,2,3,4,5", (2, 3, 6, 8)),
        ("path;label;x;y;w;h", "a.jpg;cat;2,5;3;4;5", (2.5, 3, 6.5, 8)),
        ('file,label,x,y,w,h', 'a.jpg,cat,"2,5",3,4,5', (2.5, 3, 6.5, 8)),
        ("filename,width,height,class,xmin,ymin,xmax,ymax", "a.jpg,20,10,cat,2,3,6,8", (2, 3, 6, 8)),
        ("image,label,left,top,width,height", "a.jpg,cat,2,3,4,5", (2, 3, 6, 8)),
        ("ImageID,LabelName,Confidence,XMin,XMax,YMin,YMax", "a,cat,1,0.1,0.3,0.2,0.4", (0.1, 0.2, 0.3, 0.4)),
    ],
)  # fmt: skip
def test_boxes(header: str, row: str, box: tuple[float, ...], tmp_path: Path) -> None:
    (found,) = boxes(read(write(tmp_path, f"{header}\n{row}\n")))
    assert found == pytest.approx(box)


def test_a_box_may_be_read_otherwise_than_its_columns_say(tmp_path: Path) -> None:
    write(tmp_path, "file,label,x,y,w,h\na.jpg,cat,2,3,6,8\n")
    assert boxes(read(tmp_path, box="xyxy")) == [(2, 3, 6, 8)]
    with pytest.raises(ConfigError, match=r"data.box=xyyx is not known; did you mean 'xyxy'"):
        read(tmp_path, box="xyyx")  # type: ignore[arg-type]


def test_shares_are_recognised_and_said_so(tmp_path: Path, told: Told) -> None:
    root = write(tmp_path, "file,label,x,y,w,h\na.jpg,cat,0.1,0.2,0.4,0.5\n")
    listing = read(root)
    assert listing.records[0].unit == "share"
    assert told(listing.problems, "note") == [
        "boxes of which no number is over 1: read as shares of the photo: labels.csv"
    ]
    assert read(root, unit="pixels").records[0].unit == "pixel"


def test_the_photos_size_is_read_where_the_box_has_other_columns(tmp_path: Path) -> None:
    root = write(tmp_path, "filename,width,height,class,xmin,ymin,xmax,ymax\na.jpg,20,10,cat,2,3,6,8\n")
    assert read(root).records[0].size == (10, 20)


def test_groups_of_objects_are_crowds_and_confidence_0_is_no_label(tmp_path: Path, told: Told) -> None:
    header = "ImageID,LabelName,Confidence,XMin,XMax,YMin,YMax,IsGroupOf"
    record = read(write(tmp_path, f"{header}\na,cat,1,0.1,0.3,0.2,0.4,1\n")).records[0]
    assert record.objects is not None
    assert record.objects[0].crowd
    listing = read(write(tmp_path, "ImageID,LabelName,Confidence\na,cat,1\na,dog,0\n"))
    assert labels(listing) == {"a.jpg": ("cat",)}
    assert "confidence 0" in told(listing.problems, "note")[0]


def test_several_labels_a_photo(tmp_path: Path) -> None:
    assert labels(read(write(tmp_path, "file,label\na.jpg,cat\na.jpg,dog\na.jpg,cat\n"))) == {"a.jpg": ("cat", "dog")}


def test_a_row_without_a_box_among_rows_with_one(tmp_path: Path) -> None:
    first, second = read(write(tmp_path, "file,label,x,y,w,h\na.jpg,cat,1,1,4,4\nb.jpg,,,,,\n")).records
    assert (first.objects is not None and len(first.objects), second.objects) == (1, ())


def test_boxes_without_labels_are_one_class(tmp_path: Path) -> None:
    assert read(write(tmp_path, "file,x,y,w,h\na.jpg,1,1,4,4\n")).classes == ("object",)


def test_unusual_columns_are_named(tmp_path: Path) -> None:
    root = write(tmp_path, "Foto,breed\na,Bengal\n")
    with pytest.raises(DataError, match=r"has no column of files among \[Foto, breed\]; name it with data.columns="):
        read(root)
    assert labels(read(root, columns={"file": "Foto", "label": "breed"})) == {"a.jpg": ("Bengal",)}
    with pytest.raises(DataError, match=r"has no column 'foto'; did you mean 'Foto'\?"):
        read(root, columns={"file": "foto"})
    with pytest.raises(ConfigError, match=r"data.columns has no 'lable'; did you mean 'label'\?"):
        read(root, columns={"lable": "breed"})


def test_names_below_the_table_or_the_root_with_or_without_ending(tmp_path: Path) -> None:
    rows = "file,label\n../photos/a.jpg,1\nphotos/b,2\nc.png,3\nx/d.jpg,4\n"
    root = write(tmp_path, rows, "photos/a.jpg", "photos/b.jpg", "photos/c.jpg", "lists/x/d.jpg", name="lists/t.csv")
    assert list(labels(read(root, "lists/t.csv")).values()) == [("4",), ("1",), ("2",), ("3",)]


def test_rows_that_are_left_out_are_named_with_their_line(tmp_path: Path, told: Told) -> None:
    write(tmp_path / "outside", "", "secret.jpg")
    rows = ["../outside/secret.jpg,cat,1", "a,cat,1", ",cat,1", "b.jpg,cat,one", "b.jpg,,1"]
    table = "\n".join(["file,label,x,y,w,h", *(f"{row},1,2,2" for row in rows)])
    root = write(tmp_path / "mine", table, "1/a.jpg", "2/a.jpg", "b.jpg", "c.jpg")
    assert told(read(root).problems) == [
        "row whose file is outside data.root: skipped: labels.csv:2 (../outside/secret.jpg)",
        "row whose file's name fits several photos: skipped: labels.csv:3 (a)",
        "row without a file: skipped: labels.csv:4",
        "row whose box is not four numbers: skipped: labels.csv:5",
        "row with a box and without a label: skipped: labels.csv:6",
        "photo that the table does not name: left out (3): 1/a.jpg, 2/a.jpg, c.jpg",
    ]


def test_splits_in_a_column_or_by_the_tables_names(tmp_path: Path) -> None:
    column = read(write(tmp_path / "1", "file,label,split\na.jpg,1,Training\nb.jpg,2,valid\n"))
    assert [record.split for record in column.records] == ["train", "val"]
    for name, photo in (("train.csv", "a"), ("val.csv", "b")):
        write(tmp_path / "2", f"file,label\n{photo},1\n", name=name)
        write(
            tmp_path / "3",
            f"file,label\n{photo}.jpg,1\n",
            f"{name[:-4]}/{photo}.jpg",
            name=f"{name[:-4]}/_annotations.csv",
        )
    for folder in ("2", "3"):
        assert [record.split for record in read(tmp_path / folder).records] == ["train", "val"]
    with pytest.raises(DataError, match=r"labels.csv:2 has the split 'dev'; write train, val or test"):
        read(write(tmp_path / "4", "file,label,split\na.jpg,1,dev\n"))
    with pytest.raises(DataError, match=r"labels.csv:3 puts a.jpg into the split val, an earlier row into train"):
        read(write(tmp_path / "5", "file,label,split\na.jpg,1,train\na.jpg,1,val\n"))


def test_of_several_tables_one_must_be_named(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write(tmp_path, f"file,label\na.jpg,{name}\n", name=f"{name}.csv")
    with pytest.raises(DataError, match=r"has 2 tables \(one.csv, two.csv\); name one with data.table=one.csv"):
        read(tmp_path)
    assert labels(read(tmp_path, "two.csv")) == {"a.jpg": ("two",)}
    for wrong in ("three.csv", "../x.csv"):
        with pytest.raises(DataError, match=r"is no file of"):
            read(tmp_path, wrong)


def test_latin_1_is_read_and_said_so(tmp_path: Path, told: Told) -> None:
    root = write(tmp_path, "file,label\nKöter.jpg,Hündin\n".encode("latin-1"), "Köter.jpg")
    listing = read(root)
    assert labels(listing) == {"Köter.jpg": ("Hündin",)}
    assert told(listing.problems, "note") == ["table that is not UTF-8: read as Latin-1: labels.csv"]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("", r"labels.csv has no header row; write one such as file,label"),
        ("a.jpg,cat\nb.jpg,dog\n", r"no column of files among \[a.jpg, cat\]; .* write a header row if there is none"),
        ("file,label\na.jpg,cat,dog\n", r"labels.csv:2 has 3 cells, and the header 2; put quotes around commas"),
    ],
)
def test_tables_that_cannot_be_read(table: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        read(write(tmp_path, table))


def test_a_folder_without_a_table(case: Case, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has no table \(.csv, .tsv\); name the file with data.table="):
        read(case("masks_suffix"))
    assert recognize(tmp_path / "masks_suffix") is None
    assert recognize(write(tmp_path / "1", "epoch,loss\n1,2\n")) is None
    assert recognize(write(tmp_path / "2", "name,label\nx,2\n")) is None


def test_each_record_says_where_it_stands(tmp_path: Path) -> None:
    record: Record = read(write(tmp_path, "file,label\nb.jpg,x\na.jpg,y\n")).records[0]
    assert (record.name, record.annotation, record.objects) == ("a.jpg", "labels.csv:3", None)
