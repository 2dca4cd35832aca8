"""Which classes are used, in which order, and which are merged: ``data.classes``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vggexp.errors import ConfigError, did_you_mean
from vggexp.sample.record.problem import Problem

Chosen = str | Sequence[str] | Mapping[str, str | Sequence[str]]
"""One class, a list of classes, or new names with the classes that each is made of."""


@dataclass(frozen=True)
class ClassTable:
    """The classes in use."""

    names: tuple[str, ...]
    """By label."""
    label_of: Mapping[str, int]
    """The label of each class of the layout that is used; several may have the same one."""


def class_table(known: Sequence[str], chosen: Chosen | None, hint: str = "") -> ClassTable:
    """The table for what ``data.classes`` chooses of the classes that the data has; None chooses all.

    >>> class_table(["bus", "car", "dog"], {"vehicle": ["car", "bus"], "dog": "dog"})
    ClassTable(names=('vehicle', 'dog'), label_of={'car': 0, 'bus': 0, 'dog': 1})

    Args:
        hint: more to say of a class that is not there.

    Raises:
        ConfigError: a class that the data does not have, or that is given twice.
    """
    if chosen is None:
        merged: dict[str, Sequence[str]] = {name: [name] for name in known}
    elif isinstance(chosen, Mapping):
        merged = {str(new): _listed(old) for new, old in chosen.items()}
    else:
        names = [str(name) for name in _listed(chosen)]
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise ConfigError(f"data.classes gives {repeated[0]!r} twice; give each class once")
        merged = {name: [name] for name in names}
    label_of: dict[str, int] = {}
    for label, (new, old) in enumerate(merged.items()):
        for name in map(str, old):
            if name not in known:
                raise ConfigError(f"data.classes: the data has no class {name!r}{did_you_mean(name, known)}{hint}")
            if name in label_of:
                first = list(merged)[label_of[name]]
                raise ConfigError(f"data.classes puts {name!r} into {first!r} and into {new!r}; put it into one")
            label_of[name] = label
    if not label_of and chosen is not None:
        raise ConfigError("data.classes is empty; name at least one class, or give null for all")
    return ClassTable(tuple(merged), label_of)


def _listed(names: str | Sequence[str]) -> Sequence[str]:
    return [names] if isinstance(names, str) or not isinstance(names, Sequence) else names


def two_spellings(known: Sequence[str], table: ClassTable) -> Problem | None:
    """The error that two classes in use, of different labels, differ only in capitals or spaces; None if all differ.

    >>> two_spellings(["Cat", "cat"], class_table(["Cat", "cat"], None)).where
    'Cat, cat'
    """
    first: dict[str, str] = {}
    for name in known:
        other = first.setdefault("".join(name.casefold().replace("_", " ").replace("-", " ").split()), name)
        labels = table.label_of.get(other), table.label_of.get(name)
        if other != name and None not in labels and labels[0] != labels[1]:
            remedy = f"merge them with data.classes={{{name}: [{other}, {name}]}}, or rename one"
            return Problem("error", "two spellings of one class", f"{other}, {name}", remedy)
    return None
