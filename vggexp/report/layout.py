"""What the figures of all pages share: plotly's layout, in colours that fit light and dark, and the names of types."""

from collections.abc import Mapping
from typing import Any

from vggexp.report.palette import Accent

Figure = dict[str, Any]

Places = Mapping[str, int]
"""By run name: its place in the page's list of runs."""
Accents = Mapping[str, Accent]

GRAY = "#808080"
_GRID = "rgba(128,128,128,0.25)"


def layout(title: str, **more: Any) -> Figure:
    """The common layout: transparent background, so that figures fit light and dark pages."""
    axis = {"gridcolor": _GRID, "zerolinecolor": _GRID, "automargin": True}
    axes = {name: {**axis, **value} for name, value in more.items() if name.startswith(("xaxis", "yaxis"))}
    rest = {name: value for name, value in more.items() if name not in axes}
    return {
        "title": {"text": title, "font": {"size": 15}},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": GRAY, "family": "system-ui, sans-serif"},
        "margin": {"l": 60, "r": 20, "t": 16, "b": 70},
        "legend": {"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom"},
        "hoverlabel": {"namelength": -1},
        "height": 420,
        **axes,
        **rest,
    }
