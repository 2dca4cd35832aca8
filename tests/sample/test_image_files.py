"""Which files a user's words mean."""

import time
from pathlib import Path

import pytest

from vggexp.errors import DataError
from vggexp.sample import announce
from vggexp.sample.announce import announced
from vggexp.sample.image_files import find_images


@pytest.fixture
def photos() -> Path:
    for name in ("photos/b.JPG", "photos/a.png", "photos/sub/a.jpg", "photos/notes.txt", "photos/._a.png", "odd.dat"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()
    return Path("photos")


def found(*words: str, leave_out: str | None = None) -> dict[str, str]:
    return {str(file.path): file.name for file in find_images(words, Path(leave_out) if leave_out else None)}


@pytest.mark.usefixtures("photos")
def test_a_folder_gives_its_images_by_name_and_those_below_it() -> None:
    assert found("photos") == {"photos/a.png": "a", "photos/b.JPG": "b", "photos/sub/a.jpg": "sub/a"}


@pytest.mark.usefixtures("photos")
def test_files_folders_and_patterns_in_the_words_order_each_file_once() -> None:
    assert list(found("odd.dat", "photos/sub", "photos")) == [
        "odd.dat", "photos/sub/a.jpg", "photos/a.png", "photos/b.JPG",
    ]  # fmt: skip
    assert found("photos/*.png") == {"photos/a.png": "a"}
    assert found("photos/**/*.jpg") == {"photos/sub/a.jpg": "sub/a"}
    assert found("photos/*") == found("photos")
    assert found(str(Path("photos").absolute()), "photos/a.png") == {
        str(Path(name).absolute()): called for name, called in found("photos").items()
    }
    assert find_images("photos") == find_images(["photos"])


def test_a_name_with_a_bracket_is_a_file_before_it_is_a_pattern() -> None:
    Path("a[1].png").touch()
    assert found("a[1].png") == {"a[1].png": "a[1]"}


def test_names_stay_apart_also_where_capitals_do_not_count() -> None:
    for name in ("x/a.png", "x/a.jpg", "y/A.png", "y/a-2.png"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).touch()
    names = list(found("x/a.png", "x/a.jpg", "y/A.png", "y/a-2.png").values())
    assert names == ["a", "a-2", "A-3", "a-2-2"]


@pytest.mark.usefixtures("photos")
def test_what_is_written_to_is_not_read() -> None:
    assert list(found("photos", leave_out="photos/sub")) == ["photos/a.png", "photos/b.JPG"]
    with pytest.raises(DataError, match="all lie in photos/sub, which is written to"):
        find_images(["photos/sub"], Path("photos/sub"))


@pytest.mark.usefixtures("photos")
@pytest.mark.parametrize(
    ("word", "message"),
    [("photo", "there is no photo; give an image"), ("photos/*.gif", "holds no image"), ("empty", "holds no image")],
)
def test_a_word_that_means_no_image_is_an_error(word: str, message: str) -> None:
    Path("empty").mkdir()
    with pytest.raises(DataError, match=message):
        find_images(["photos", word])


@pytest.mark.parametrize("word", ["", " "])
def test_an_empty_word_is_not_the_current_folder(word: str) -> None:
    Path("a.jpg").touch()
    with pytest.raises(DataError, match="an empty word names no image"):
        find_images([word])


def test_the_systems_own_folders_hold_no_photos(photos: Path) -> None:
    with pytest.raises(DataError, match="/proc is a folder of the system's own, without images"):
        find_images("/proc")
    (photos / "link").symlink_to("/proc")  # from which links lead to the whole disk
    assert found("photos") == {"photos/a.png": "a", "photos/b.JPG": "b", "photos/sub/a.jpg": "sub/a"}


def test_a_long_walk_is_announced(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(announce, "PATIENCE", 0.01)
    with announced("looking for images in photos"):
        time.sleep(0.05)
    line = "vggexp: looking for images in photos, for 0 seconds so far; Ctrl-C stops it\n"
    assert capsys.readouterr().err == line
    with announced("something quick"):
        pass
    assert capsys.readouterr().err == ""
