"""One accent for each policy, the same in every figure of every page."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from vggexp.report.compare import Group

# On white and on the dark page's ground each has a contrast of at least 3.5 (WCAG 2.2 asks 3 of graphics), and
# colour-blind people can tell neighbours apart; settings that share a colour differ in symbol and dash.
COLOURS = ("#2b7bca", "#c8740a", "#0a8f68", "#d4472d", "#9a62c7", "#1593a5", "#8d8500", "#c2559d", "#5b6ee1", "#808080",
           "#b05a33", "#4c8a1f")  # fmt: skip
SYMBOLS = ("circle", "square", "diamond", "cross", "x", "triangle-up", "star", "hexagon")
DASHES = ("solid", "dash", "dot", "dashdot")
_KNOWN = ("none", "backbone", "gradual", "stage", "norm", "linear_probe", "bias", "pattern", "auto",
          "surgical", "lora", "ssf", "thaw")  # fmt: skip
"""The built-in policies, in the order of their colours."""


@dataclass(frozen=True)
class Accent:
    """How a setting is drawn."""

    colour: str
    symbol: str = SYMBOLS[0]
    dash: str = DASHES[0]


def accents(groups: Sequence[Group]) -> dict[str, Accent]:
    """An accent for each setting's label.

    The policy decides the colour; if all runs have one policy, the setting does. Settings that share a colour differ
    in their symbol and dash.
    """
    policies = {one.label: str(one.runs[0].choice["freeze"]) for group in groups for one in group.settings}
    if len(set(policies.values())) == 1:
        policies = {label: label for label in policies}
    known = [name for name in _KNOWN if name in policies.values()]
    place = {name: _KNOWN.index(name) for name in known}
    for name in dict.fromkeys(policies.values()):
        place.setdefault(name, next(free for free in range(len(policies) + len(_KNOWN)) if free not in place.values()))
    used: Counter[str] = Counter()
    found = {}
    for label, policy in policies.items():
        turn = used[policy]
        used[policy] += 1
        colour = COLOURS[place[policy] % len(COLOURS)]
        found[label] = Accent(colour, SYMBOLS[turn % len(SYMBOLS)], DASHES[turn % len(DASHES)])
    return found
