"""How recipes bring a photo to the network's size, in plain lists and without torch.

The step ``Fit`` has three modes, ``data.resize``: "squash" changes both sides to the network's, whatever that does to
the shapes of things; "letterbox" keeps the shapes, shows the whole photo and pads the rest with gray; "crop" keeps the
shapes, fills the network's input and cuts off what protrudes on two sides.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Step = str | Mapping[str, Mapping[str, Any] | None]
Recipe = Sequence[Step]

RECIPES = ("train_transform", "eval_transform")
"""Keys of a data set's config that hold a recipe."""
MODES = ("squash", "letterbox", "crop")
GRAY = 128
"""The colour of a letterbox's padding, unless the step names one."""
TO_ONE_SIZE = ("Fit", "Resize", "RandomResizedCrop")
"""Steps whose ``size`` is the size of what they give."""
SIZES = (*TO_ONE_SIZE, "CenterCrop")


def plain(name: str, given: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """A step by torchvision's name where it has one that does the same.

    >>> plain("Fit", {"size": [9, 9], "mode": "squash"})
    ('Resize', {'size': [9, 9]})
    >>> plain("Fit", {"size": [9, 9], "mode": "crop", "scale": [0.5, 1.0]})
    ('RandomResizedCrop', {'size': [9, 9], 'scale': [0.5, 1.0]})
    """
    mode, is_drawn = given.get("mode", "squash"), given.get("scale") is not None
    if name != "Fit" or not (mode == "squash" or (mode == "crop" and is_drawn)):
        return name, given
    rest = {key: value for key, value in given.items() if key != "mode" and value is not None}
    return ("RandomResizedCrop" if is_drawn else "Resize"), rest


def plain_recipe(recipe: Recipe) -> list[Any]:
    """A recipe whose steps have torchvision's names where they can; the other steps are as they were."""
    named = [(step, name, plain(name, given) if name else None) for step, name, given in _named(recipe)]
    return [step if same is None or same[0] == name else dict([same]) for step, name, same in named]


def at_size(recipe: Recipe, old: Sequence[int], new: Sequence[int], mode: str | None = None) -> list[Any]:
    """A recipe that gives another size: the steps that gave the size ``old`` give ``new``.

    Args:
        mode: the mode of each ``Fit``; None: as it is.

    >>> at_size([{"Fit": {"size": [64, 64], "mode": "squash"}}], [64, 64], [96, 128], "crop")
    [{'Fit': {'size': [96, 128], 'mode': 'crop'}}]
    """
    found: list[Any] = []
    for step, name, given in _named(recipe):
        changes: dict[str, Any] = {}
        if name in TO_ONE_SIZE and _sides(given.get("size")) == list(old):
            changes["size"] = list(new)
        if name == "Fit" and mode is not None:
            changes["mode"] = mode
        found.append({name: {**given, **changes}} if changes else step)
    return found


def without_size(recipe: Recipe) -> list[Any]:
    """The recipe without its steps that bring a photo to a size.

    >>> without_size([{"Resize": {"size": 256}}, {"CenterCrop": {"size": 224}}, "Grayscale"])
    ['Grayscale']
    """
    return [step for step, name, _ in _named(recipe) if name not in SIZES]


def modes(recipe: Recipe) -> list[str]:
    """The mode of each ``Fit`` of a recipe."""
    return [str(given.get("mode", "squash")) for _, name, given in _named(recipe) if name == "Fit"]


def meaning(recipe: Recipe) -> str:
    """In a sentence, what becomes of a photo's shape; for readers of an exported file.

    >>> meaning([{"Fit": {"size": [32, 48], "mode": "crop"}}]).partition(":")[0]
    'crop'
    """
    found = [(name, given) for _, name, given in _named(plain_recipe(recipe)) if name in SIZES]
    if len(found) == 1 and found[0][0] == "Resize" and len(_sides(found[0][1].get("size"))) == 2:
        return "squash: both sides are scaled to the input's, each by its own factor; shapes change, nothing is cut off"
    if len(found) == 1 and found[0][0] == "Fit" and found[0][1]["mode"] == "crop":
        return (
            "crop: scaled by one factor until it covers the input, then the centre is cut out; "
            "sides are rounded to whole pixels, half up, and an odd rest is cut at the bottom or right"
        )
    if len(found) == 1 and found[0][0] == "Fit":
        gray = found[0][1].get("gray", GRAY)
        return (
            f"letterbox: scaled by one factor until it just fits into the input, centred, padded with ({gray}, {gray}, "
            f"{gray}); sides are rounded to whole pixels, half up, and an odd rest is padded at the bottom or right. "
            "Boxes and masks are of the padded image: take the padding off"
        )
    return "as the steps say" if found else "squash: a photo of another size is scaled to the input's, side by side"


def _sides(size: Any) -> list[Any]:
    return list(size) if isinstance(size, Sequence) and not isinstance(size, str) else [size]


def _named(recipe: Recipe) -> Iterator[tuple[Step, str | None, Mapping[str, Any]]]:
    """Each step, its name and its arguments; no name where it is not written as a step."""
    for step in recipe:
        if isinstance(step, str):
            yield step, step, {}
        elif isinstance(step, Mapping) and len(step) == 1:
            name, given = next(iter(step.items()))
            yield step, str(name), given if isinstance(given, Mapping) else {}
        else:
            yield step, None, {}
