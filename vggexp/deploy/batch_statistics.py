"""The statistics of batch normalisation, estimated anew for weights that no training has seen.

The statistics that two trainings kept do not fit weights between theirs: activations there have a smaller variance
(Jordan et al., "REPAIR", arXiv 2211.08403). So they are estimated on training images, as for weights averaged over one
training (Izmailov et al., arXiv 1803.05407, section 3.2).
"""

from collections.abc import Collection, Iterable, Sequence

import torch
from torch import nn

from vggexp.learner.learner import Learner
from vggexp.transfer.average import State
from vggexp.types import Batch

_Norm = nn.modules.batchnorm._BatchNorm


def moved_norms(learner: Learner, states: Sequence[State]) -> list[str]:
    """The names of the batch-normalisation layers that fit other inputs in each of the states.

    From the first layer of which a tensor differs on, every layer's input differs. Those before it were frozen, and
    keep the statistics that they have.
    """
    first = states[0]
    differs = [name for name in first
               if any(not torch.equal(first[name], state[name]) for state in states[1:])]  # fmt: skip
    layers = [name for name, _ in learner.named_modules()]
    owners = {layers.index(name.rpartition(".")[0]) for name in differs if name.rpartition(".")[0] in layers}
    start = min(owners, default=len(layers))
    return [name for place, (name, layer) in enumerate(learner.named_modules())
            if place >= start and isinstance(layer, _Norm) and layer.track_running_stats]  # fmt: skip


@torch.no_grad()
def estimate(learner: Learner, batches: Iterable[Batch], names: Collection[str], images: int) -> None:
    """Set these layers' statistics to the mean over batches of the batches' own; all other layers are in eval mode.

    Args:
        batches: training images as evaluation sees them.
        images: the most images to read.
    """
    learner.eval()
    layers = [layer for name, layer in learner.named_modules() if name in names and isinstance(layer, _Norm)]
    if not layers:
        return
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.reset_running_stats()
        layer.train()
        layer.momentum = None  # a cumulative mean over batches
    seen = 0
    for batch in batches:
        if len(batch["image"]) > 1:
            learner(batch["image"].to(learner.device))
        seen += len(batch["image"])
        if seen >= images:
            break
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.eval()
        layer.momentum = momentum
