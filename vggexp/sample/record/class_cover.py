"""Moves a few photos between drawn splits so that no split lacks a class by chance."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from vggexp.sample.record.splits import SPLITS, uniform


def with_every_class(
    splits: Mapping[str, str],
    classes_of: Mapping[str, Iterable[str]],
    unit_of: Mapping[str, str],
    drawn: Iterable[str],
) -> dict[str, str]:
    """The splits with each class in each of them as far as its photos allow, train first, and the rarest class first.

    Args:
        splits: the split of each photo.
        classes_of: the classes of each photo.
        unit_of: by photo that may move, what it moves with: its group, or itself. Photos of a layout's lists stay.
        drawn: the splits that photos are drawn into.
    """
    if _is_covered(splits, classes_of, unit_of, drawn):
        return dict(splits)
    cover = _Cover(splits, classes_of, unit_of)
    for split in [split for split in SPLITS if split in set(drawn)]:
        for name in cover.rarest_first():
            if not cover.count[split][name] and (unit := cover.unit_to_move(name, split)) is not None:
                cover.move(unit, split)
    return {photo: cover.split_of[unit_of[photo]] if photo in unit_of else split for photo, split in splits.items()}


def _is_covered(
    splits: Mapping[str, str], classes_of: Mapping[str, Iterable[str]], unit_of: Mapping[str, str], drawn: Iterable[str]
) -> bool:
    """Whether every class is in every split already, as in most large folders; a quick test."""
    found: dict[str, set[str]] = {split: set() for split in {*splits.values(), *drawn}}
    for photo, split in splits.items():
        found[split].update(classes_of.get(photo, ()))
    movable = set().union(*(classes_of.get(photo, ()) for photo in unit_of))
    return all(movable <= found[split] for split in drawn)


class _Cover:
    """Which units are in which split, and how often each class is there."""

    def __init__(
        self, splits: Mapping[str, str], classes_of: Mapping[str, Iterable[str]], unit_of: Mapping[str, str]
    ) -> None:
        self.split_of: dict[str, str] = {}
        self.count: dict[str, Counter[str]] = defaultdict(Counter)
        """By split and class: the units and the fixed photos that show it."""
        self.classes: dict[str, set[str]] = defaultdict(set)
        """By unit."""
        self.units: dict[str, set[str]] = defaultdict(set)
        """By class."""
        for photo, split in splits.items():
            names = set(classes_of.get(photo, ()))
            if (unit := unit_of.get(photo)) is None:
                self.count[split].update(names)
                continue
            self.split_of[unit] = split
            self.count[split].update(names - self.classes[unit])
            self.classes[unit] |= names
            for name in names:
                self.units[name].add(unit)

    def rarest_first(self) -> list[str]:
        return sorted(self.units, key=lambda name: (len(self.units[name]), name))

    def unit_to_move(self, name: str, split: str) -> str | None:
        """The unit of a class that a split gets: from where most of them are, and there the first by its hash.

        Train takes what it needs. The other splits take a unit only if each of its classes stays where it was.
        """
        units = [unit for unit in self.units[name] if self.split_of[unit] != split]
        if split != "train":
            units = [unit for unit in units if self._can_spare(unit)]
        return min(units, key=lambda unit: (-self.count[self.split_of[unit]][name], uniform(unit)), default=None)

    def _can_spare(self, unit: str) -> bool:
        left = self.count[self.split_of[unit]]
        return all(left[name] > 1 for name in self.classes[unit])

    def move(self, unit: str, split: str) -> None:
        self.count[self.split_of[unit]].subtract(self.classes[unit])
        self.count[split].update(self.classes[unit])
        self.split_of[unit] = split
