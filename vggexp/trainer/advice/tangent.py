"""The tangent kernels of a network's stages: what training each of them could change, to first order.

Near its starting weights a network is linear in them, with the gradients of its output as features (the neural tangent
kernel of a finite network: Jacot et al., arXiv 1806.07572; as features for transfer: Mu et al., ICLR 2020). The
kernels of the stages that train add up, so one pass gives an estimate for every number of frozen stages.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vggexp.learner.learner import Learner
from vggexp.trainer.advice.target.contract import Floats, Target
from vggexp.trainer.advice.weight_gradient import counts, weight_gradients
from vggexp.types import Batch

DRAWS = 2
"""Random mixtures of the outputs, of each of which a backward pass is done; the mean kernel over them is unbiased."""


@dataclass(frozen=True)
class Tangent:
    """The kernels of some images, training images first."""

    head: Floats
    """(N, N): of a linear head on the features of the last stage."""
    stages: tuple[Floats, ...]
    """By stage: (N, N)."""
    targets: NDArray[np.generic]
    """(N,) or (N, K)."""
    train: int
    """How many of the N images are training images."""

    def of(self, frozen: int) -> Floats:
        """(N, N): the kernel of what trains while the first ``frozen`` stages, 0 to 5, do not."""
        return self.head + sum(self.stages[frozen:])


def tangent(learner: Learner, train: Iterable[Batch], val: Iterable[Batch], target: Target, images: int) -> Tangent:
    """The kernels at the learner's weights, of one row of each image; of several rows it is one at random.

    The head is the linear one that fits the training rows best (ridge regression): at random weights of a head, the
    gradients of the stages before it would be random too.

    Args:
        images: the most images of each split. Those without a row, such as without objects, do not count.
    """
    backbone = learner.backbone
    assert isinstance(backbone, nn.Module)
    backbone.eval().requires_grad_(False)
    splits = [list(_first(batches, images)) for batches in (train, val)]
    with torch.inference_mode():
        seen = [[_rows(learner, batch, target) for batch in split] for split in splits]
    features = torch.cat([each.features for split in seen for each in split])
    targets = torch.cat([each.targets for split in seen for each in split]).numpy()
    count = sum(len(each.targets) for each in seen[0])
    mixtures = _mixtures(features[:count], target.columns(targets[:count]))
    own = features.double()
    kernels = _kernels(learner, (*splits[0], *splits[1]), target, mixtures)
    return Tangent((own @ own.T).numpy(), kernels, targets, count)


def _first(batches: Iterable[Batch], images: int) -> Iterator[Batch]:
    """The batches up to this number of images."""
    seen = 0
    for batch in batches:
        yield batch
        seen += len(batch["image"])
        if seen >= images:
            return


@dataclass(frozen=True)
class _Rows:
    """One row of each image of a batch that has any."""

    features: Tensor
    """(R, D): of the last stage."""
    targets: Tensor
    """(R,) or (R, K)."""
    places: Tensor
    """(R,): the images' places in the batch."""


def _rows(learner: Learner, batch: Batch, target: Target, grad: bool = False) -> _Rows:
    images = learner.backbone.normalize(batch["image"]).requires_grad_(grad)
    found = target.rows(learner.backbone(images).stages, batch)
    order = torch.randperm(len(found.images), generator=torch.Generator().manual_seed(0)).numpy()
    names, first = np.unique(found.images.numpy()[order], return_index=True)
    one = torch.from_numpy(order[first])
    places = torch.tensor([batch["index"].tolist().index(name) for name in names], dtype=torch.int64)
    return _Rows(found.stages[-1][one], found.targets[one], places)


def _mixtures(features: Tensor, columns: Floats) -> Tensor:
    """(D, DRAWS): random mixtures, with signs, of the linear head's outputs, as weights on the features."""
    from sklearn.linear_model import RidgeCV

    deviation = features.std(0, correction=0)
    scale = torch.where(deviation > 1e-8, 1 / deviation, 0.0)
    fit = RidgeCV(alphas=np.logspace(-1, 5, 13)).fit(((features - features.mean(0)) * scale).numpy(), columns)
    weights = torch.from_numpy(fit.coef_).float().view(-1, features.shape[1]).T * scale.unsqueeze(1)
    draw = torch.Generator().manual_seed(0)
    signs = torch.randint(0, 2, (weights.shape[1], DRAWS), generator=draw).float() * 2 - 1
    mixed: Tensor = weights @ signs / weights.shape[1] ** 0.5
    return mixed


def _kernels(learner: Learner, batches: Iterable[Batch], target: Target, mixtures: Tensor) -> tuple[Floats, ...]:
    """Each stage's kernel, the mean over outputs, each of which is the features times a column of ``mixtures``."""
    layers = [[one for one in stage.modules() if counts(one)] for stage in learner.backbone.stages()]
    kept: dict[nn.Module, list[Tensor]] = {layer: [] for stage in layers for layer in stage}
    handles = [layer.register_forward_hook(_keeper(own)) for layer, own in kept.items()]
    found: dict[nn.Module, list[list[Tensor]]] = {layer: [[] for _ in mixtures.T] for layer in kept}
    count = 0
    try:
        for batch in batches:
            rows = _rows(learner, batch, target, grad=True)
            count += len(rows.places)
            for place, mixture in enumerate(mixtures.T if len(rows.places) else ()):
                (rows.features @ mixture).sum().backward(retain_graph=True)
                for layer, own in kept.items():
                    if own:  # a layer may be used more than once, or not at all
                        found[layer][place].append(torch.stack(own).sum(0)[rows.places])
                    own.clear()
    finally:
        for handle in handles:
            handle.remove()
    nothing = np.zeros((count, count))  # a stage may have no such layer
    return tuple(
        np.sum([nothing, *(_kernel(found[layer]) for layer in stage if found[layer][0])], 0) for stage in layers
    )


def _kernel(gradients: list[list[Tensor]]) -> Floats:
    """The mean over mixtures of the inner products of the images' gradients, which come in batches (N, P)."""
    whole = [torch.cat(batches) for batches in gradients]
    kernel: Floats = torch.stack([one @ one.T for one in whole]).mean(0).double().numpy()
    return kernel


def _keeper(kept: list[Tensor]) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
    """A forward hook that puts the layer's gradients of each image into a list, when a backward pass reaches it."""

    def hook(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if output.requires_grad:
            x = inputs[0].detach()
            output.register_hook(  # type: ignore[no-untyped-call]
                lambda grad: kept.append(weight_gradients(layer, x, grad))
            )

    return hook
