"""What the values of VOC's SegmentationClass mean: palette indices, or the colours of CVAT's ``labelmap.txt``."""

from collections.abc import Sequence
from pathlib import Path

from vggexp.errors import ConfigError
from vggexp.sample.record.mask_labels import BACKGROUND
from vggexp.sample.record.problem import Problem
from vggexp.sample.record.record import MaskValues

Color = tuple[int, int, int]
BORDER: Color = (224, 224, 192)
"""VOC's colour of borders and of objects that are hard to tell: the palette's 255, without ground truth."""
LABELMAP = "labelmap.txt"


def mask_values(
    root: Path, classes: Sequence[str], named: Sequence[str] | None, problems: list[Problem]
) -> MaskValues:  # fmt: skip
    """The classes of masks, by value or by colour; what was understood is added to the problems.

    Args:
        root: the folder that may hold ``labelmap.txt``.
        classes: the classes of objects.
        named: the classes of the values 0, 1, 2 ..., if the user gives them.

    Raises:
        ConfigError: a class is named twice, or there are more than 255.
    """
    if named is None and (root / LABELMAP).is_file():
        return _by_labelmap(root / LABELMAP, problems)
    names = tuple(map(str, named)) if named is not None else (BACKGROUND, *classes)
    if len(set(names)) < len(names) or not 0 < len(names) <= 255:
        raise ConfigError(f"data.mask_classes={list(names)} must name 1 to 255 classes, each once")
    if named is None:
        first = ", ".join(f"{value} {name}" for value, name in list(enumerate(names))[:4])
        what = f"the values of masks are read as {first}{', ...' if len(names) > 4 else ''}, and 255 as void"
        problems.append(Problem("note", what, "SegmentationClass", "if they mean others, give data.mask_classes"))
    return MaskValues(names, values=tuple((value,) for value in range(len(names))))


def _by_labelmap(path: Path, problems: list[Problem]) -> MaskValues:
    colors: dict[str, Color] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8-sig", errors="replace").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, rest = line.strip().partition(":")
        color = _color(rest.partition(":")[0])
        if color is None or name in colors or color in colors.values():
            what = f"{LABELMAP} has a line that is not 'class:red,green,blue', with each class and each colour once"
            problems.append(Problem("error", what, f"{LABELMAP}:{number}", "correct it, or give data.mask_classes"))
        else:
            colors[name] = color
    void = {BORDER} - set(colors.values())
    return MaskValues(tuple(colors), colors=tuple(colors.values()), void_colors=frozenset(void))


def _color(text: str) -> Color | None:
    try:
        red, green, blue = (int(part) for part in text.split(","))
    except ValueError:
        return None
    return (red, green, blue) if all(0 <= part <= 255 for part in (red, green, blue)) else None
