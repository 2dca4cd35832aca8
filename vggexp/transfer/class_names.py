"""Class names that must be the same wherever trained weights meet a data set, or another run's weights.

A label is a number; only the list of names says what it stands for. With another list, or the same names in another
order, every score is one of wrong labels.
"""

from collections.abc import Collection, Sequence

from vggexp.errors import ConfigError
from vggexp.types import DataInfo

LISTS = {"label": ("classes", "classes"), "mask": ("mask_classes", "pixel classes")}
"""By the target that reads it: the list of names in ``DataInfo``, and what a message calls it."""
SHOWN = 12
"""Names of a list that a message shows."""


def require_same_names(
    ours: DataInfo, theirs: DataInfo, targets: Collection[str], where: tuple[str, str], advice: str
) -> None:
    """ConfigError with both lists unless two lists of class names are the same, in the same order.

    Args:
        ours, theirs: the names on the two sides.
        targets: of "label", "box" and "mask", those that matter; a box reads no names.
        where: what the two sides are called.
        advice: what would be right.
    """
    for target, (field, words) in LISTS.items():
        mine, others = tuple(getattr(ours, field)), tuple(getattr(theirs, field))
        if target in targets and mine != others:
            how = "in another order" if sorted(mine) == sorted(others) else "other names"
            raise ConfigError(
                f"the {words} of {where[0]} are {listed(mine, others)}, those of {where[1]} "
                f"{listed(others, mine)} ({how}); {advice}"
            )


def listed(names: Sequence[str], other: Sequence[str]) -> str:
    """The names in brackets; of a long list, those around the first one that the other list has not in its place.

    >>> listed(["cat", "dog"], ["dog", "cat"])
    '[cat, dog]'
    """
    names = [str(name) for name in names]
    if len(names) <= SHOWN:
        return f"[{', '.join(names)}]"
    pairs = zip(names, map(str, other), strict=False)
    first = next((place for place, (a, b) in enumerate(pairs) if a != b), min(len(names), len(other)))
    shown = ", ".join(f"{place}: {names[place]}" for place in range(first, min(first + SHOWN // 2, len(names))))
    return f"{len(names)} names, of them [{shown}]" if shown else f"{len(names)} names"
