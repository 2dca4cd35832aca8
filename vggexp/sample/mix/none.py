"""No mixing."""

from vggexp.types import Batch, Mixed


class Unmixed:
    """Every batch as it is."""

    def __call__(self, batch: Batch, seed: int) -> Mixed:
        """The batch."""
        return [(1.0, batch)]
