"""Grad-CAM: a stage's feature maps, weighed by how much an output rises with them.

Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization", ICCV 2017 (arXiv
1610.02391), computed by captum (BSD). For masks the output is the mean of a class's logits over the pixels (Vinogradova
et al., "Towards Interpretable Semantic Segmentation via Gradient-weighted Class Activation Mapping", AAAI 2020, arXiv
2002.11434).
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from vggexp.errors import ConfigError
from vggexp.learner.learner import Learner
from vggexp.types import Outputs

Target = Callable[[Outputs], Tensor]
"""Outputs of a head to the figure that is explained, one an image: (N,)."""


def require_captum() -> None:
    """ConfigError if captum is not installed."""
    try:
        import captum.attr  # noqa: F401
    except ModuleNotFoundError as error:
        raise ConfigError("explain needs captum; pip install 'vggexp[explain]'") from error


def last_layer(stage: nn.Module) -> nn.Module:
    """The layer that gives the stage's features: the one before the pooling, if a pooling ends the stage."""
    layers = list(stage.children())
    if len(layers) > 1 and isinstance(layers[-1], nn.MaxPool2d):
        return layers[-2]
    return layers[-1] if layers else stage


def grad_cam(learner: Learner, images: Tensor, stage: int, target: Target) -> Tensor:
    """The map (N, h, w) of a stage, at least 0; its size is that of the stage's features before their pooling.

    Args:
        images: uint8 (N, 3, H, W).
        stage: from 1.
        target: what is explained.
    """
    from captum.attr import LayerGradCam

    backbone, head = learner.backbone, learner.head

    def forward(x: Tensor) -> Tensor:
        return target(head(backbone(x, head.reads)))

    pixels = backbone.normalize(images).requires_grad_(True)  # a frozen backbone's parameters need no gradient
    method = LayerGradCam(forward, last_layer(backbone.stages()[stage - 1]))
    found: Tensor = method.attribute(pixels, relu_attributions=True)
    return torch.nan_to_num(found.detach()).squeeze(1)
