"""The 95 % confidence interval of a mean, by Student's t distribution."""

import math
import statistics
from collections.abc import Sequence


def quantile(degrees: int) -> float:
    """The 0.975 quantile of Student's t with this many degrees of freedom.

    >>> round(quantile(2), 4)
    4.3027
    """
    from scipy.special import stdtrit  # scipy.stats would take longer to import than a small page takes to write

    return float(stdtrit(degrees, 0.975))


def half_width(values: Sequence[float]) -> float | None:
    """Half of the interval's width; None for fewer than two values."""
    if len(values) < 2:
        return None
    return quantile(len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))
