"""Figures of objects: what kinds of error there are, and what each costs."""

from collections.abc import Sequence
from html import escape

from vggexp.report.diagnostics import Diagnostics
from vggexp.report.layout import Figure, layout
from vggexp.report.palette import COLOURS

KINDS = ("detection", "instance_segmentation")
"""The tasks that find objects."""


def errors(found: Sequence[Diagnostics]) -> Figure | None:
    """Points of AP50 that the errors of each kind cost, one bar per setting; hovering shows their number."""
    traces: list[Figure] = []
    for place, one in enumerate(found):
        parts = [part for kind, part in one.kinds.items() if kind in KINDS and part.get("errors")]
        for part in parts[:1]:
            rows, sure = part["errors"], f"{part['least_score']:g}"
            traces.append({
                "type": "bar", "name": escape(one.setting.label), "marker": {"color": COLOURS[place % len(COLOURS)]},
                "x": [row["kind"] for row in rows],
                "y": [None if row["ap_50"] is None else round(100 * row["ap_50"], 2) for row in rows],
                "customdata": [row["count"] for row in rows],
                "hovertemplate": f"%{{x}}: %{{y}} points of AP50; %{{customdata}} with a score of {sure} or more",
            })  # fmt: skip
    if not traces:
        return None
    return {
        "data": traces,
        "layout": layout(
            "errors by kind: what mending them would add",
            xaxis={"type": "category"},
            yaxis={"title": {"text": "AP50, points"}},
            barmode="group",
            showlegend=True,
        ),
    }
