"""A picture as PDF or PNG, in the light theme (extra: paper). Fonts are embedded in the PDF."""

from pathlib import Path
from typing import Any, Literal

from vggexp.errors import ConfigError
from vggexp.report.picture.shapes import FROZEN, LIGHT, TEXTS, Group, Line, Picture, Polygon, Shape, Text, fills

_INCH = 96.0
"""Units of a picture to the inch, as in a browser."""
_STYLE: Any = {"pdf.fonttype": 42, "font.family": "sans-serif", "hatch.linewidth": 0.7}


def write_plotted(picture: Picture, path: Path, form: Literal["pdf", "png"]) -> None:
    """Write a file.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ConfigError(
            f"a picture as {form} needs matplotlib: pip install 'vggexp[paper]'; svg needs none"
        ) from error
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(picture.width / _INCH, picture.height / _INCH), facecolor=LIGHT.ground)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_xlim(0, picture.width)
        axes.set_ylim(picture.height, 0)
        axes.axis("off")
        for order, shape in enumerate(picture.shapes):
            _add(axes, shape, order)
        # Without a date the same network gives the same bytes.
        metadata = {"CreationDate": None} if form == "pdf" else None
        figure.savefig(path, format=form, dpi=192, metadata=metadata)


def _add(axes: Any, shape: Shape, order: int) -> None:
    if isinstance(shape, Group):
        for one in shape.shapes:
            _add(axes, one, order)
    elif isinstance(shape, Polygon) and shape.style == FROZEN:
        axes.fill(*zip(*shape.points, strict=True), color=LIGHT.ground, alpha=0.6, linewidth=0, zorder=order)
        axes.fill(
            *zip(*shape.points, strict=True), fill=False, hatch="//////", edgecolor=LIGHT.dim, linewidth=0, zorder=order
        )
    elif isinstance(shape, Polygon):
        axes.fill(
            *zip(*shape.points, strict=True), color=fills(LIGHT)[shape.style], edgecolor=LIGHT.ground, linewidth=0.3,
            zorder=order,
        )  # fmt: skip
    elif isinstance(shape, Line):
        colour = LIGHT.line if shape.style == "trunk" else LIGHT.dim
        axes.plot(*zip(*shape.points, strict=True), color=colour, linewidth=1.1, zorder=order)
        if shape.has_arrow:
            arrow = {"arrowstyle": "-|>", "color": colour, "shrinkA": 0, "shrinkB": 0, "linewidth": 0.5}
            axes.annotate("", shape.points[-1], shape.points[-2], arrowprops=arrow, zorder=order)
    elif isinstance(shape, Text):
        size, is_bold = TEXTS[shape.style]
        align = {"start": "left", "middle": "center", "end": "right"}[shape.anchor]
        axes.text(
            *shape.at, shape.text, ha=align, va="baseline", fontsize=size * 72 / _INCH, zorder=order,
            color=LIGHT.dim if shape.style == "dim" else LIGHT.ink, fontweight="bold" if is_bold else "normal",
        )  # fmt: skip
