"""Numbers on tiles, and the colours of figures, can be read by WCAG's measure."""

import re
from pathlib import Path

import pytest

from vggexp.report import heat_map, page
from vggexp.report.contrast import contrast, rgb
from vggexp.report.palette import COLOURS


def test_the_contrast_is_wcags() -> None:
    """The examples of WebAIM's contrast checker."""
    for one, other, ratio in (("#777", "#fff", 4.48), ("#0000ff", "#ffffff", 8.59), ("#ff0000", "#000000", 5.25)):
        assert contrast(rgb(one), rgb(other)) == pytest.approx(ratio, abs=0.01)


def test_each_number_can_be_read_on_its_tile() -> None:
    values = [step / 500 for step in range(501)]
    assert min(contrast(rgb(heat_map.ink(value)), heat_map.tile(value)) for value in values) >= 4.5
    assert len({heat_map.ink(value) for value in values}) == 2  # neither would do alone


def test_each_number_stands_in_the_trace_whose_colour_can_be_read() -> None:
    z = [[0.0, 1.0, None], [0.004, 0.9, float("nan")]]
    black, white = heat_map.heat_map({"x": ["a", "b", "c"], "y": ["d", "e"], "z": z}, least=0.0)
    assert (black["textfont"]["color"], black["text"]) == ("#000", [[" ", "1.00", " "], [" ", "0.90", " "]])
    assert (white["textfont"]["color"], white["text"]) == ("#fff", [["0.00", " ", " "], ["0.00", " ", " "]])
    assert {colour for _, colour in white["colorscale"]} == {"rgba(0,0,0,0)"}  # what lies under it stays in sight
    assert len(heat_map.heat_map({"x": [], "y": [], "z": []}, is_numbered=False)) == 1


def grounds(name: str) -> list[str]:
    """A colour of the style sheet: of the light page and of the dark one."""
    style = (Path(page.__file__).parent / "page.css").read_text(encoding="utf-8")
    found = re.search(rf"--{name}: light-dark\((#\w+), (#\w+)\)", style)
    assert found
    return list(found.groups())


@pytest.mark.parametrize(("ink", "ground"), [
    *((ink, ground) for ink in ("ink", "dim", "link") for ground in ("ground", "raised")), ("ink", "mark"),
])  # fmt: skip
def test_text_can_be_read_light_and_dark(ink: str, ground: str) -> None:
    ratios = [contrast(rgb(one), rgb(other)) for one, other in zip(grounds(ink), grounds(ground), strict=True)]
    assert min(ratios) >= 4.5


def test_accents_can_be_told_from_both_grounds() -> None:
    assert min(contrast(rgb(colour), rgb(ground)) for colour in COLOURS for ground in grounds("ground")) >= 3.5
