"""Linear CKA between the stages of two networks, from batches of images.

Kornblith et al., "Similarity of Neural Network Representations Revisited", ICML 2019 (arXiv 1905.00414), with the
unbiased estimate of HSIC that Nguyen et al. (ICLR 2021, arXiv 2010.15327, section 2) average over batches, so that the
value does not depend on how large a batch is.
"""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from vggexp.types import Backbone, Batch

LEAST = 4
"""Images without which HSIC_1 is not defined."""


def hsic1(one: Tensor, other: Tensor) -> Tensor:
    """The unbiased estimate HSIC_1 of two Gram matrices (n, n), n at least 4 (Song et al., JMLR 2012, equation 5)."""
    count = len(one)
    a, b = (gram - torch.diag(gram.diagonal()) for gram in (one, other))
    product = (a * b).sum()  # the trace of a @ b, for symmetric matrices
    sums = a.sum() * b.sum() / ((count - 1) * (count - 2))
    cross = 2 / (count - 2) * (a.sum(0) @ b.sum(1))
    return (product + sums - cross) / (count * (count - 3))


def gram(features: Tensor) -> Tensor:
    """The Gram matrix (n, n), float64, of n images' features (n, ...), of which their mean was taken off.

    HSIC_1 does not change with the mean; without it, less is lost by rounding.
    """
    rows = features.flatten(1)
    rows = rows - rows.mean(0)
    return (rows @ rows.T).double()


class CKA:
    """Linear CKA between every stage of one network and every stage of another.

    Args:
        stages: the number of stages of each.
    """

    def __init__(self, stages: tuple[int, int]) -> None:
        self._cross = torch.zeros(stages, dtype=torch.float64)
        self._own = [torch.zeros(count, dtype=torch.float64) for count in stages]
        self.images = 0
        """How many images were seen."""

    def update(self, first: Sequence[Tensor], second: Sequence[Tensor]) -> None:
        """Add a batch: of each network, the features (n, ...) of its stages. Fewer than 4 images add nothing."""
        if len(first[0]) < LEAST:
            return
        grams = [[gram(one) for one in features] for features in (first, second)]
        self._cross += torch.stack([torch.stack([hsic1(a, b) for b in grams[1]]) for a in grams[0]]).cpu()
        for own, each in zip(self._own, grams, strict=True):
            own += torch.stack([hsic1(a, a) for a in each]).cpu()
        self.images += len(first[0])

    def compute(self) -> Tensor:
        """(stages of the first, stages of the second), about 0 to 1; NaN where features are constant."""
        scale = self._own[0].clamp(min=0).sqrt()[:, None] * self._own[1].clamp(min=0).sqrt()
        return self._cross / scale


@torch.no_grad()
def stage_cka(networks: tuple[Backbone, Backbone], batches: Iterable[Batch], images: int) -> CKA:
    """CKA on the first images of a split; both networks, in eval mode, get the same pixels.

    Args:
        images: the most images to read.
    """
    for network in networks:
        assert isinstance(network, nn.Module)
        network.eval()
    found: CKA | None = None
    seen = 0
    for batch in batches:
        pixels = batch["image"][: images - seen]
        seen += len(pixels)
        first, second = (network(network.normalize(pixels)).stages for network in networks)
        if found is None:
            found = CKA((len(first), len(second)))
        found.update(first, second)
        if seen >= images:
            break
    assert found is not None
    return found
