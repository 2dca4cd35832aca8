"""Which objects can be used, and which is the target."""

from dataclasses import replace
from pathlib import Path

import pytest

from vggexp.errors import ConfigError, DataError
from vggexp.sample.record.classes import class_table
from vggexp.sample.record.objects import labels_of, target_of, with_usable_objects
from vggexp.sample.record.record import Object, Record

TABLE = class_table(["cat", "dog"], None)
SMALL, LARGE = Object("cat", (0, 0, 4, 4)), Object("dog", (10, 10, 30, 30))
PHOTO = Record(Path("a.jpg"), "a.jpg", objects=(SMALL, LARGE), size=(48, 64), annotation="a.xml")


@pytest.mark.parametrize(
    ("box", "kept", "said"),
    [
        ((20, 10, 20, 34), False, "box without area: skipped"),
        ((44, 34, 20, 10), False, "box with swapped corners: skipped"),
        ((70, 10, 90, 20), False, "box outside its photo: skipped"),
        ((float("nan"), 0, 5, 5), False, "box that is not four finite numbers: skipped"),
        ((50, 30, 90, 70), True, "box that reaches outside its photo: clipped"),
        ((-5, -5, 20, 20), True, "box that reaches outside its photo: clipped"),
    ],
)
def test_a_box_that_means_nothing_is_skipped_and_told(
    box: tuple[float, float, float, float], kept: bool, said: str
) -> None:
    record, problems = with_usable_objects(replace(PHOTO, objects=(SMALL, Object("dog", box))))
    assert len(record.objects or ()) == 1 + kept
    assert [(problem.what, problem.where) for problem in problems] == [(said, "a.xml")]


def test_the_largest_object_is_the_target() -> None:
    target = target_of(PHOTO, TABLE, "largest", difficult=False)
    assert target is not None
    assert (target.label, target.box) == (1, LARGE.box)


def test_single_leaves_photos_with_several_out_and_error_refuses_them() -> None:
    assert target_of(PHOTO, TABLE, "single", difficult=False) is None
    with pytest.raises(DataError, match=r"a\.xml has 2 objects, and data\.select=error allows one"):
        target_of(PHOTO, TABLE, "error", difficult=False)


def test_crowds_and_difficult_objects_are_no_target() -> None:
    crowd, hard = replace(LARGE, crowd=True), replace(LARGE, difficult=True)
    for other in (crowd, hard):
        target = target_of(replace(PHOTO, objects=(SMALL, other)), TABLE, "error", difficult=False)
        assert target is not None
        assert target.box == SMALL.box
    shown = labels_of(replace(PHOTO, objects=(crowd,)), TABLE, difficult=False)
    assert shown == {1}


def test_a_photo_of_several_classes_has_no_single_label() -> None:
    assert target_of(Record(Path("a"), "a", ("cat", "dog")), TABLE, "largest", difficult=False) is None
    assert target_of(Record(Path("a"), "a", ("dog",)), TABLE, "largest", difficult=False) is not None


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        (["cow"], r"the data has no class 'cow'; choose from: cat, dog"),
        (["cat", "cat"], "gives 'cat' twice"),
        ({"a": ["cat"], "b": ["cat"]}, "puts 'cat' into 'a' and into 'b'"),
        ([], "is empty"),
    ],
)
def test_classes_that_cannot_be(chosen: object, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        class_table(["cat", "dog"], chosen)  # type: ignore[arg-type]
