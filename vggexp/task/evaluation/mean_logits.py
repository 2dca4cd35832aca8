"""The mean of class probabilities, as logits: losses and predictions take logits."""

from collections.abc import Sequence

import torch
from torch import Tensor

from vggexp.types import Outputs


def mean_logits(views: Sequence[Outputs]) -> Tensor:
    """Logits (N, C, ...) whose softmax is the mean of the softmax of each view's, float32.

    >>> mean_logits([torch.tensor([[0.0, 0.0]]), torch.tensor([[0.0, 100.0]])]).softmax(1)
    tensor([[0.2500, 0.7500]])
    """
    total = torch.zeros(())
    for view in views:
        assert isinstance(view, Tensor)
        share = view.float().softmax(1)
        total = total.to(share.device) + share / len(views)
    return total.clamp(min=torch.finfo(total.dtype).tiny).log()
