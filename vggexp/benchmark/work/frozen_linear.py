"""A whole training of a linear layer on frozen convolutions; then the same again, as the second run of a sweep."""

from vggexp.benchmark.plan import Sizes, Work
from vggexp.benchmark.work.frozen_mlp import frozen


def plan(sizes: Sizes) -> Work:
    """Whole runs with ``sizes.images`` and ``sizes.epochs``."""
    return frozen(sizes, "head=linear")
