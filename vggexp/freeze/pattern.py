"""Freeze the parameters whose names match a regular expression."""

import re
from collections.abc import Sequence

from vggexp.types import ParameterInfo


class Pattern:
    """Parameters whose name matches a pattern (``re.search``) are frozen.

    Args:
        patterns: one regular expression, or a list; names look like "backbone.features.0.weight".
        invert: freeze all others instead.

    Raises:
        ValueError: an invalid or no regular expression; in ``check``, one that matches nothing.
    """

    constant = True

    def __init__(self, patterns: str | Sequence[str], invert: bool = False) -> None:
        self.patterns = [patterns] if isinstance(patterns, str) else list(patterns)
        self.invert = invert
        try:
            self._compiled = [re.compile(pattern) for pattern in self.patterns]
        except re.error as error:
            raise ValueError(f"freeze.patterns: '{error.pattern!s}' is not a regular expression ({error})") from error
        if not self._compiled:
            raise ValueError("freeze.patterns is empty; freeze=none freezes nothing")

    def check(self, parameters: Sequence[ParameterInfo]) -> None:
        """ValueError for a pattern that matches no parameter: it is mistyped."""
        for pattern in self._compiled:
            if not any(pattern.search(parameter.name) for parameter in parameters):
                raise ValueError(
                    f"freeze.patterns: '{pattern.pattern}' matches no parameter; "
                    f"the names run from {parameters[0].name} to {parameters[-1].name}"
                )

    def __call__(self, epoch: int, parameter: ParameterInfo) -> float:
        """Factor 0 for parameters that match, 1 for others; the reverse with ``invert``."""
        found = any(pattern.search(parameter.name) for pattern in self._compiled)
        return 0.0 if found != self.invert else 1.0
