"""A whole training of a linear layer on the frozen convolutions; and the same again, as a sweep's second run."""

from vggexp.benchmark.plan import Sizes, Work
from vggexp.benchmark.work.frozen_mlp import frozen


def plan(sizes: Sizes) -> Work:
    """Whole runs, of ``sizes.images`` and ``sizes.epochs``."""
    return frozen(sizes, "head=linear")
