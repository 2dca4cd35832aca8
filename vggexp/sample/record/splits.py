"""Which photo is for training, which for validation, which for the test.

A layout's own splits are kept. What they lack is drawn by a hash of each photo's name, or of its group, so a photo's
split depends on no other photo: photos that are added later move none. Shares therefore hold on average only: of 40
photos at a share of 0.15, 6 +- 2 go to val.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from vggexp.errors import ConfigError, DataError, require_at_least, require_share
from vggexp.sample.record.record import Record

SPLITS = ("train", "val", "test")
SHARE = 0.15
"""Of val and of test, where neither the layout nor the user says."""


@dataclass(frozen=True)
class SplitRule:
    """The words ``data.split``, ``data.fold`` and ``data.folds``.

    Args:
        val, test: shares of the photos, 0 to 1. None: the layout's own split; where it divides nothing, ``SHARE``.
        seed: another seed draws other photos.
        fold, folds: validate on the fold-th of ``folds`` parts of train and val, and train on the others.

    Raises:
        ConfigError: a share, a fold or a sum that cannot be.
    """

    val: float | None = None
    test: float | None = None
    seed: int = 0
    fold: int | None = None
    folds: int | None = None

    def __post_init__(self) -> None:
        for key in ("val", "test"):
            if getattr(self, key) is not None:
                require_share(f"data.split.{key}", getattr(self, key), below_one=True)
        if (self.val or 0) + (self.test or 0) >= 1:
            raise ConfigError(f"data.split: val={self.val} and test={self.test} leave nothing to train on")
        if (self.fold is None) != (self.folds is None):
            raise ConfigError("data.fold and data.folds go together, such as data.fold=0 data.folds=5")
        if self.fold is not None and self.folds is not None:
            require_at_least("data.folds", self.folds, 2)
            require_at_least("data.fold", self.fold, 0)
            if self.fold >= self.folds:
                raise ConfigError(f"data.fold={self.fold} is not one of {self.folds} folds; they count from 0")
            if self.val is not None:
                raise ConfigError("data.fold makes val of one fold; leave out data.split.val")


def split_of_each(records: Sequence[Record], rule: SplitRule) -> dict[str, str]:
    """The split of every photo, by its name.

    Raises:
        DataError: the layout gives one group two splits.
    """
    given = {record.name: record.split for record in records if record.split is not None}
    shares = _shares(rule, set(given.values()))
    splits: dict[str, str] = {}
    for record in records:
        own = given.get(record.name)
        if own is None and given:
            continue  # the layout's lists leave it out
        splits[record.name] = _drawn(record.group or record.name, own, shares, rule)
    _check_groups(records, splits)
    return splits


def _shares(rule: SplitRule, given: set[str]) -> dict[str, float]:
    """The share of each split that is drawn; one that is absent stays as the layout gives it."""
    shares = {key: share for key, share in (("test", rule.test), ("val", rule.val)) if share is not None}
    if not given and rule.folds is None:
        shares = {"test": SHARE, "val": SHARE} | shares
    elif given and "val" not in given | shares.keys() and rule.folds is None:
        shares["val"] = SHARE
    return shares


def drawn_units(records: Sequence[Record], rule: SplitRule) -> dict[str, str]:
    """By photo whose split is drawn, what it is drawn by: its group, or its name."""
    given = {record.split for record in records} - {None}
    shares = _shares(rule, {str(split) for split in given})
    divides = bool(shares) or rule.folds is not None
    return {
        record.name: record.group or record.name
        for record in records
        if (record.split is None and not given) or (divides and record.split and _is_drawn(record.split, shares, rule))
    }


def drawn_splits(records: Iterable[Record], rule: SplitRule) -> set[str]:
    """The splits that photos are drawn into."""
    given = {record.split for record in records} - {None}
    shares = _shares(rule, {str(split) for split in given})
    drawn = {split for split, share in shares.items() if share} | ({"val"} if rule.folds is not None else set())
    return drawn | {"train"} if drawn or not given else set()


def _is_drawn(own: str | None, shares: Mapping[str, float], rule: SplitRule) -> bool:
    """Whether photos of a layout's own split are divided again: train, and what is drawn anew."""
    return own is None or own == "train" or own in shares or (own == "val" and rule.folds is not None)


def _drawn(identity: str, own: str | None, shares: Mapping[str, float], rule: SplitRule) -> str:
    """A photo's split: the layout's own, or the one that the hash draws."""
    if not _is_drawn(own, shares, rule):
        return str(own)
    place = uniform(f"{rule.seed}/{identity}")
    reached = 0.0
    for split, share in shares.items():
        reached += share
        if place < reached:
            return split
    if rule.folds is not None:
        return "val" if int(uniform(f"fold {rule.seed}/{identity}") * rule.folds) == rule.fold else "train"
    return "train"


def uniform(text: str) -> float:
    """A number from 0 to below 1 that depends on the text alone, the same on every machine."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) / 2**64


def _check_groups(records: Iterable[Record], splits: Mapping[str, str]) -> None:
    first: dict[str, Record] = {}
    for record in records:
        if record.group is None or record.name not in splits:
            continue
        other = first.setdefault(record.group, record)
        if splits[other.name] != splits[record.name]:
            raise DataError(
                f"group {record.group!r} is in two splits: {other.name} is in {splits[other.name]}, {record.name} in "
                f"{splits[record.name]}; correct the lists, or leave out data.group"
            )


def group_by(pattern: str) -> Callable[[Record], str]:
    r"""The group of a photo by a regular expression over its name: the first bracket's text, or the whole match.

    >>> from pathlib import Path
    >>> group_by(r"(patient\d+)_")(Record(Path("x"), "a/patient7_2.jpg"))
    'patient7'

    Raises:
        ConfigError: the expression is none.
        DataError: when called: a name that it does not match.
    """
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise ConfigError(f"data.group={pattern} is not a regular expression ({error})") from error

    def group(record: Record) -> str:
        found = compiled.search(record.name)
        if found is None:
            raise DataError(f"data.group={pattern} does not match {record.name}; every photo needs a group")
        return next(iter(found.groups()), None) or found.group()

    return group
