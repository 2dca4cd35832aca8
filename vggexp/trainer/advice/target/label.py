"""The class of an image."""

from torch import Tensor

from vggexp.trainer.advice.target.contract import Rows
from vggexp.trainer.advice.target.one_class import OneClass
from vggexp.types import Batch


class Label(OneClass):
    """A row is the mean over an image's feature map."""

    metric = "top1"

    def rows(self, maps: tuple[Tensor, ...], batch: Batch) -> Rows:
        """(N, C), with the labels (N,)."""
        return Rows([one.mean((2, 3)) for one in maps], batch["label"], batch["index"])
