"""Freeze by name: whatever a regular expression finds."""

import re
from collections.abc import Sequence

from vggexp.types import ParameterInfo


class Pattern:
    """Parameters in whose name a pattern is found (``re.search``) are frozen.

    Args:
        patterns: one regular expression, or several; "backbone.features.0.weight" is a name.
        invert: freeze all others instead.

    Raises:
        ValueError: no regular expression; in ``check``, one that finds nothing.
    """

    constant = True

    def __init__(self, patterns: str | Sequence[str], invert: bool = False) -> None:
        self.patterns = [patterns] if isinstance(patterns, str) else list(patterns)
        self.invert = invert
        try:
            self._compiled = [re.compile(pattern) for pattern in self.patterns]
        except re.error as error:
            raise ValueError(f"freeze.patterns: '{error.pattern!s}' is no regular expression ({error})") from error
        if not self._compiled:
            raise ValueError("freeze.patterns is empty; freeze=none freezes nothing")

    def check(self, parameters: Sequence[ParameterInfo]) -> None:
        """Every pattern must find something, or it was mistyped."""
        for pattern in self._compiled:
            if not any(pattern.search(parameter.name) for parameter in parameters):
                raise ValueError(
                    f"freeze.patterns: '{pattern.pattern}' matches no parameter; "
                    f"the names run from {parameters[0].name} to {parameters[-1].name}"
                )

    def __call__(self, epoch: int, parameter: ParameterInfo) -> float:
        """Factor 0 where a pattern is found, 1 elsewhere; the reverse with ``invert``."""
        found = any(pattern.search(parameter.name) for pattern in self._compiled)
        return 0.0 if found != self.invert else 1.0
