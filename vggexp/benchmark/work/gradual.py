"""A whole training that unfreezes the stages in six equal phases, with or without the moving feature cache."""

from vggexp.benchmark.plan import Sizes, Work
from vggexp.benchmark.work.linear_probe import moving


def plan(sizes: Sizes) -> Work:
    """Whole runs with ``sizes.images`` and ``sizes.epochs``."""
    return moving(sizes, "freeze=gradual", f"freeze.every={max(1, sizes.epochs // 6)}")
