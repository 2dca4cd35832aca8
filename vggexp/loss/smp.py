"""Losses from segmentation-models-pytorch (MIT), which dice, focal and lovasz call.

``apply`` wraps the call because in smp 0.6, on a batch of only VOID, FocalLoss is NaN and LovaszLoss is an empty
tensor instead of a scalar. LovaszLoss(per_image=True) fails on one such image, so it is not offered.
"""

from importlib import import_module

from torch import Tensor, nn

from vggexp.errors import ConfigError
from vggexp.types import VOID

IGNORED = -100
"""The library's value for VOID pixels: 255 can be a class label of an image."""


def library_loss(name: str, word: str, mode: str = "multiclass", **arguments: float | bool | None) -> nn.Module:
    """The library's loss ``name``, over exclusive classes unless ``mode`` is "binary"; ``word`` as in ``loss=``."""
    try:
        losses = import_module("segmentation_models_pytorch.losses")
    except ImportError as error:
        raise ConfigError(
            f"loss={word} needs segmentation-models-pytorch; pip install 'vggexp[smp]' ({error})"
        ) from error
    loss: nn.Module = getattr(losses, name)(mode, ignore_index=IGNORED, **arguments)
    return loss


def apply(loss: nn.Module, outputs: Tensor, target: Tensor) -> Tensor:
    """The library's loss of float32 logits; 0, with zero gradients, where every pixel is VOID."""
    outputs, target = outputs.float(), target.long()
    if outputs.ndim > 2:
        target = target.masked_fill(target == VOID, IGNORED)
    if not (target != IGNORED).any():
        return outputs.sum() * 0
    value: Tensor = loss(outputs, target)
    return value
