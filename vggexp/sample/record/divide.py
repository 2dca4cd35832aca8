"""Determines the split of every photo from the layout and the user's keys, and collects problems."""

from collections.abc import Mapping, Sequence
from typing import Any

from vggexp.errors import ConfigError, did_you_mean
from vggexp.sample.record.class_cover import with_every_class
from vggexp.sample.record.problem import Problem
from vggexp.sample.record.record import Record
from vggexp.sample.record.split_file import read_splits
from vggexp.sample.record.splits import SPLITS, SplitRule, drawn_splits, drawn_units, split_of_each

Classes = Mapping[str, frozenset[str]]
"""By photo: the names of its classes in use."""


def divided(
    records: Sequence[Record], split: Mapping[str, Any] | str | None, fold: int | None, folds: int | None,
    classes_of: Classes,
) -> tuple[dict[str, str], list[Problem]]:  # fmt: skip
    """The split of every photo by its name, and the problems with it.

    Raises:
        ConfigError, DataError: as ``SplitRule``, ``split_of_each`` and ``read_splits``.
    """
    if isinstance(split, str):
        if fold is not None:
            raise ConfigError(f"data.fold and data.split={split} both divide the photos; leave one out")
        return read_splits(split, records)
    rule = split_rule(split or {}, fold, folds)
    splits = split_of_each(records, rule)
    with_any: dict[frozenset[str], frozenset[str]] = {}  # all photos share the class "", so no split is empty by chance
    none = frozenset[str]()
    any_photo = {
        photo: with_any.get(own := classes_of.get(photo, none)) or with_any.setdefault(own, own | {""})
        for photo in splits
    }
    splits = with_every_class(splits, any_photo, drawn_units(records, rule), drawn_splits(records, rule))
    return splits, _missing_classes(splits, classes_of)


def split_rule(words: Mapping[str, Any], fold: int | None, folds: int | None) -> SplitRule:
    """The rule that the keys under ``data.split`` describe."""
    known = ("val", "test", "seed")
    for key in words:
        if key not in known:
            raise ConfigError(f"data.split has no {key!r}{did_you_mean(str(key), known)}")
    return SplitRule(**words, fold=fold, folds=folds)


def _missing_classes(splits: Mapping[str, str], classes_of: Classes) -> list[Problem]:
    """A warning for each class that a split has no photo of, where the split has photos."""
    found: dict[str, set[str]] = {split: set() for split in splits.values()}
    for photo, names in classes_of.items():
        if photo in splits:
            found[splits[photo]] |= names
    every = set().union(*found.values()) if found else set()
    problems = []
    for split in SPLITS:
        for name in sorted(every - found[split]) if split in found else ():
            what = "class without a photo to train on" if split == "train" else f"class without a photo in {split}"
            problems.append(Problem("warning", what, name))
    return problems
