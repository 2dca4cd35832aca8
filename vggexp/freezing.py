"""The one place that applies a freeze policy to a network.

Frozen means: no gradient, in no optimizer group (so under no momentum and no weight decay), and in eval mode, batch
statistics and dropout included, whatever ``.train()`` is called. Applying a policy twice changes nothing.
"""

from collections.abc import Iterator

from torch import nn

from vggexp.types import Backbone, FreezePolicy, ParameterInfo


def parameter_infos(backbone: Backbone, head: nn.Module) -> Iterator[tuple[ParameterInfo, nn.Parameter]]:
    """Every parameter of the network, once, with its name and its stage."""
    assert isinstance(backbone, nn.Module)
    stage_of = {
        id(parameter): number for number, stage in enumerate(backbone.stages(), 1) for parameter in stage.parameters()
    }
    for name, parameter in backbone.named_parameters(prefix="backbone"):
        yield ParameterInfo(name, stage_of[id(parameter)]), parameter
    for name, parameter in head.named_parameters(prefix="head"):
        yield ParameterInfo(name, None), parameter


def frozen_names(policy: FreezePolicy, epoch: int, backbone: Backbone, head: nn.Module) -> set[str]:
    """Names of the parameters that the policy freezes in this epoch."""
    return {info.name for info, _ in parameter_infos(backbone, head) if policy(epoch, info) == 0}


def apply(policy: FreezePolicy, epoch: int, backbone: Backbone, head: nn.Module) -> None:
    """Give or take each parameter's gradient, as the policy says for this epoch."""
    for info, parameter in parameter_infos(backbone, head):
        parameter.requires_grad_(policy(epoch, info) > 0)


def hold_still(backbone: Backbone, head: nn.Module) -> None:
    """Put what is frozen into eval mode; to be called after every change of mode.

    A part (a stage, the head) without a trainable parameter stands still as a whole, with its dropout. Inside a part
    that trains, a layer stands still if all its own parameters are frozen.
    """
    for part in (*backbone.stages(), head):
        parameters = list(part.parameters())
        if parameters and not any(parameter.requires_grad for parameter in parameters):
            part.eval()
            continue
        for layer in part.modules():
            own = list(layer.parameters(recurse=False))
            if own and not any(parameter.requires_grad for parameter in own):
                layer.eval()
