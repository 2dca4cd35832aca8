"""The tangent kernels against gradients of each image by automatic differentiation."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import RidgeCV
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from vggexp.backbone.vgg import VGG
from vggexp.trainer.advice import tangent as module
from vggexp.trainer.advice import weight_gradient
from vggexp.trainer.advice.tangent import tangent
from vggexp.trainer.advice.target.label import Label
from vggexp.trainer.advice.weight_gradient import LAYERS, counts, weight_gradients

TRAIN, VAL = 6, 3


def learner() -> Any:
    torch.manual_seed(0)
    return SimpleNamespace(backbone=VGG("A", width=0.05, batch_norm=True).eval())


def batches() -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    torch.manual_seed(1)
    images = torch.randint(0, 256, (TRAIN + VAL, 3, 32, 32), dtype=torch.uint8)
    labels = torch.tensor([0, 1, 2, 0, 1, 2, 0, 1, 2])
    return tuple(  # type: ignore[return-value]
        {"image": images[part], "label": labels[part], "index": torch.arange(TRAIN + VAL)[part]}
        for part in (slice(None, TRAIN), slice(TRAIN, None))
    )


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(4, 6, 3, padding=1), nn.Conv2d(4, 6, 3, stride=2),
        nn.Conv2d(4, 6, 3, padding=2, dilation=2, groups=2), nn.Linear(5, 3),
    ],
    ids=["padded", "strided", "dilated groups", "linear"],
)  # fmt: skip
def test_a_layers_gradient_of_each_image(layer: nn.Conv2d | nn.Linear) -> None:
    torch.manual_seed(0)
    x = torch.randn(3, 5) if isinstance(layer, nn.Linear) else torch.randn(3, 4, 9, 7)
    output = layer(x)
    weights = torch.randn_like(output)

    def of(weight: Tensor, one: Tensor, own: Tensor) -> Tensor:
        return (functional_call(layer, {"weight": weight}, (one[None],))[0] * own).sum()

    wanted = vmap(grad(of), (None, 0, 0))(layer.weight.detach(), x, weights)
    torch.testing.assert_close(weight_gradients(layer, x, weights), wanted.flatten(1), rtol=1e-4, atol=1e-4)


def exact(own: Any, images: Tensor, mixtures: Tensor, stage: int) -> Tensor:
    """(N, N): of all weights of a stage's layers; the mean over the mixtures of the outputs."""
    prefix = {id(p): name for name, p in own.backbone.named_parameters()}
    layers = [one for one in own.backbone.stages()[stage].modules() if isinstance(one, LAYERS)]
    weights = {prefix[id(one.weight)]: one.weight.detach() for one in layers}

    def output(some: dict[str, Tensor], image: Tensor, mixture: Tensor) -> Tensor:
        maps = functional_call(own.backbone, some, (own.backbone.normalize(image[None]),)).stages[-1]
        return maps.mean((2, 3))[0] @ mixture

    kernel = torch.zeros(len(images), len(images))
    for mixture in mixtures.T:
        found = vmap(grad(output), (None, 0, None))(weights, images, mixture)
        flat = torch.cat([one.flatten(1) for one in found.values()], 1)
        kernel += flat @ flat.T / mixtures.shape[1]
    return kernel


def test_the_kernels_are_those_of_each_images_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weight_gradient, "CHANNELS", (10**9, 10**9))
    own, (train, val) = learner(), batches()
    found = tangent(own, [train], [val], Label(), images=100)  # type: ignore[list-item]
    images = torch.cat([train["image"], val["image"]])
    with torch.no_grad():
        features = own.backbone(own.backbone.normalize(images)).stages[-1].mean((2, 3))
    assert found.train == TRAIN
    assert found.targets.tolist() == [0, 1, 2, 0, 1, 2, 0, 1, 2]
    np.testing.assert_allclose(found.head, (features @ features.T).numpy(), rtol=1e-4)
    mixtures = module._mixtures(features[:TRAIN], np.eye(3)[train["label"]])
    for stage, kernel in enumerate(found.stages):
        wanted = exact(own, images, mixtures, stage).numpy()
        assert np.abs(wanted).max() > 0
        np.testing.assert_allclose(kernel, wanted, rtol=1e-3, atol=1e-4 * np.abs(wanted).max())
    np.testing.assert_allclose(found.of(5), found.head)
    np.testing.assert_allclose(found.of(3), found.head + found.stages[3] + found.stages[4])


def test_a_mixture_is_a_signed_sum_of_the_ridge_regressions_outputs() -> None:
    features, columns = (
        torch.randn(20, 4, generator=torch.Generator().manual_seed(0)),
        torch.eye(2)[torch.arange(20) % 2],
    )
    found = module._mixtures(features, columns)
    scale = features.std(0, correction=0)
    fit = RidgeCV(alphas=np.logspace(-1, 5, 13)).fit((features - features.mean(0)) / scale, columns)
    one, other = torch.from_numpy(fit.coef_).float() / scale / 2**0.5
    for mixture in found.T:
        near = [torch.allclose(mixture, a * one + b * other, atol=1e-6) for a in (1, -1) for b in (1, -1)]
        assert any(near)


@pytest.mark.parametrize("layer", [nn.Conv2d(40, 70, 3, padding=1), nn.Linear(40, 70)], ids=["convolution", "linear"])
def test_of_alike_channels_some_count_as_all(layer: nn.Conv2d | nn.Linear, monkeypatch: pytest.MonkeyPatch) -> None:
    shape = (3, 1, 5, 5) if isinstance(layer, nn.Conv2d) else (3, 1)
    x, weights = torch.randn(shape).repeat_interleave(40, 1), torch.randn(shape).repeat_interleave(70, 1)
    some = weight_gradients(layer, x, weights)
    assert some.shape == (3, 32 * 16 * layer.weight[0, 0].numel())
    monkeypatch.setattr(weight_gradient, "CHANNELS", (10**9, 10**9))
    every = weight_gradients(layer, x, weights)
    assert every.shape == (3, layer.weight.numel())
    torch.testing.assert_close(some @ some.T, every @ every.T, rtol=1e-3, atol=1e-2)


def test_a_convolution_that_pads_in_its_own_way_does_not_count() -> None:
    class Same(nn.Conv2d):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(nn.functional.pad(x, (1, 2, 1, 2)))

    assert counts(nn.Conv2d(3, 3, 3))
    assert counts(nn.Linear(3, 3))
    assert not counts(Same(3, 3, 3))
    assert not counts(nn.BatchNorm2d(3))
