"""Checks that trained weights and a data set, or two runs, have the same class names.

A label is an index into the list of names. With other names, or another order, predictions and scores would be about
wrong labels.
"""

from collections.abc import Collection, Sequence

from vggexp.errors import ConfigError
from vggexp.types import DataInfo

LISTS = {
    "label": ("classes", "classes"),
    "labels": ("classes", "classes"),
    "objects": ("classes", "classes"),
    "mask": ("mask_classes", "pixel classes"),
}
"""By target: the field of ``DataInfo`` with its class names, and the words for it in a message."""
SHOWN = 12
"""Maximum number of names that a message lists."""


def require_same_names(
    ours: DataInfo, theirs: DataInfo, targets: Collection[str], where: tuple[str, str], advice: str
) -> None:
    """ConfigError with both lists unless two lists of class names are the same, in the same order.

    Args:
        ours, theirs: the names on the two sides.
        targets: those of ``types.TARGETS`` to compare; a box has no class names.
        where: names of the two sides for the message.
        advice: what to do instead.
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
    """The names in brackets; of a long list, a few from the first difference between the two lists on.

    >>> listed(["cat", "dog"], ["dog", "cat"])
    '[cat, dog]'
    """
    names = [str(name) for name in names]
    if len(names) <= SHOWN:
        return f"[{', '.join(names)}]"
    pairs = zip(names, map(str, other), strict=False)
    first = next((place for place, (a, b) in enumerate(pairs) if a != b), min(len(names), len(other)))
    shown = ", ".join(f"{place}: {names[place]}" for place in range(first, min(first + SHOWN // 2, len(names))))
    return f"{len(names)} names, among them [{shown}]" if shown else f"{len(names)} names"
