"""One network divided between devices: each holds a share of every parameter, of its gradient and of its moments.

Rajbhandari et al., "ZeRO", arXiv 1910.02054, stage 3; Zhao et al., "PyTorch FSDP", arXiv 2304.11277. torch's
``fully_shard`` puts a DTensor in each parameter's place. A layer is whole for as long as it computes.
"""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import StateDictOptions, set_model_state_dict
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor

from vggexp.types import Backbone


def shard(backbone: Backbone, head: nn.Module, mesh: DeviceMesh) -> None:
    """Divide both along the first dimension of each parameter; a stage's parameters travel together, and the head's.

    Dividing what is divided changes nothing.

    Args:
        mesh: one-dimensional, of the devices that share them.
    """
    assert isinstance(backbone, nn.Module)
    if isinstance(backbone, FSDPModule):
        return
    for part in (backbone, head):
        part.to(memory_format=torch.contiguous_format)  # torch divides no others; images may still be NHWC
    for stage in backbone.stages():  # slices, made anew at each call: their layers are what stays
        fully_shard([layer for layer in stage.modules() if [*layer.parameters(recurse=False)]], mesh=mesh)
    fully_shard(backbone, mesh=mesh)
    fully_shard(head, mesh=mesh)


def whole(tensor: Tensor) -> Tensor:
    """All of a tensor, from all devices if it is divided: every process must ask for it then."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def load_whole(module: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Load whole tensors into a module that may be divided, all of them or none."""
    set_model_state_dict(module, dict(state), options=StateDictOptions(full_state_dict=True))


def gather(*parts: nn.Module) -> None:
    """Hold parts whole until ``scatter``: processes that compute different numbers of batches need not wait then.

    Parts that are not divided stay as they are.
    """
    for module in _divided(parts):
        module.unshard()
        module.set_reshard_after_forward(False, recurse=False)


def scatter(*parts: nn.Module) -> None:
    """Hold shares again."""
    for module in _divided(parts):
        module.reshard()
        # As torch sets it: what is outermost is needed first in the backward pass, and stays.
        module.set_reshard_after_forward(module not in parts, recurse=False)
    for part in parts:
        if isinstance(part, FSDPModule):
            # torch notes the order of all forward passes, and fetches in it in the next backward pass: processes that
            # computed different numbers of them would then wait for each other for ever.
            part.reset_iter_state()


def _divided(parts: Iterable[nn.Module]) -> list[FSDPModule]:
    return [module for part in parts for module in part.modules() if isinstance(module, FSDPModule)]
