"""A picture as SVG: text stays text, and colours follow the reader's light or dark theme."""

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from vggexp.report.picture.shapes import (
    DARK,
    FROZEN,
    LIGHT,
    TEXTS,
    Colours,
    Group,
    Line,
    Picture,
    Point,
    Polygon,
    Shape,
    Text,
    fills,
)

_FONT = "font-family:system-ui,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"


def svg(picture: Picture) -> str:
    """The text of an SVG file, or of an element in an HTML page."""
    size = f"{picture.width:.0f} {picture.height:.0f}"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" role="img" aria-labelledby="picture-title '
        f'picture-text"><title id="picture-title">{escape(picture.title)}</title>',
        f'<desc id="picture-text">{escape(picture.description)}</desc>',
        f"<style>{_style()}</style>",
        '<defs><pattern id="hatching" width="5" height="5" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><rect class="veil" width="5" height="5"/>'
        '<line class="hatch" y2="5"/></pattern>'
        '<marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        'orient="auto-start-reverse"><path class="tip" d="M0 0L8 4L0 8Z"/></marker></defs>',
        f'<rect class="ground" width="{picture.width:.0f}" height="{picture.height:.0f}"/>',
        *(text for shape in picture.shapes for text in _shape(shape)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _shape(shape: Shape) -> Iterator[str]:
    if isinstance(shape, Polygon):
        yield f'<path class="{shape.style}" d="{_path(shape.points)}Z"/>'
    elif isinstance(shape, Line):
        arrow = ' marker-end="url(#arrow)"' if shape.has_arrow else ""
        yield f'<path class="{shape.style}" d="{_path(shape.points)}"{arrow}/>'
    elif isinstance(shape, Text):
        anchor = "" if shape.anchor == "start" else f' text-anchor="{shape.anchor}"'
        x, y = map(_number, shape.at)
        yield f'<text class="{shape.style}" x="{x}" y="{y}"{anchor}>{escape(shape.text)}</text>'
    elif isinstance(shape, Group):
        inner = "".join(text for one in shape.shapes for text in _shape(one))
        yield f"<g><title>{escape(shape.title)}</title>{inner}</g>"


def _path(points: Sequence[Point]) -> str:
    return "M" + "L".join(f"{_number(x)} {_number(y)}" for x, y in points)


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _style() -> str:
    """The rules of both themes; drawing programs that know no themes show the light one."""
    texts = "".join(
        f".{name}{{font-size:{size:g}px{';font-weight:600' if is_bold else ''}}}"
        for name, (size, is_bold) in TEXTS.items()
    )
    lines = ".trunk,.skip{fill:none;stroke-width:1.5}.skip{stroke-width:1.8}.hatch{stroke-width:1.6}"
    faces = "g path{stroke-width:.6;stroke-linejoin:round}"
    return (
        f"text{{{_FONT}}}{texts}{lines}{faces}.{FROZEN}{{fill:url(#hatching)}}{_theme(LIGHT)}"
        f"@media (prefers-color-scheme:dark){{{_theme(DARK)}}}"
    )


def _theme(colours: Colours) -> str:
    areas = "".join(f".{name}{{fill:{colour}}}" for name, colour in fills(colours).items())
    return (
        f".ground{{fill:{colours.ground}}}text{{fill:{colours.ink}}}.dim{{fill:{colours.dim}}}"
        f".trunk{{stroke:{colours.line}}}.skip{{stroke:{colours.dim}}}.tip{{fill:{colours.dim}}}"
        f".veil{{fill:{colours.ground};fill-opacity:.6}}.hatch{{stroke:{colours.ink};stroke-opacity:.55}}"
        f"g path{{stroke:{colours.ground}}}{areas}"
    )
