"""One network divided between devices: each holds a share of every parameter, of its gradient and of its moments.

Rajbhandari et al., "ZeRO", arXiv 1910.02054, stage 3; Zhao et al., "PyTorch FSDP", arXiv 2304.11277. torch's
``fully_shard`` puts a DTensor in each parameter's place. A layer is whole for as long as it computes.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.strategies import ModelParallelStrategy
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import StateDictOptions, set_model_state_dict
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.optim import Optimizer

from vggexp.types import Backbone, Head


def shard(backbone: Backbone, head: Head, mesh: DeviceMesh) -> None:
    """Divide both along the first dimension of each parameter; a stage's parameters travel together, and the head's.

    Dividing what is divided changes nothing.

    Args:
        mesh: one-dimensional, of the devices that share them.
    """
    assert isinstance(backbone, nn.Module)
    assert isinstance(head, nn.Module)
    if isinstance(backbone, FSDPModule):
        return
    for part in (backbone, head):
        part.to(memory_format=torch.contiguous_format)  # torch divides no others; images may still be NHWC
    for stage in backbone.stages():  # slices, made anew at each call: their layers are what stays
        fully_shard([layer for layer in stage.modules() if [*layer.parameters(recurse=False)]], mesh=mesh)
    fully_shard(backbone, mesh=mesh)
    fully_shard(head, mesh=mesh)


def full_tensor(tensor: Tensor) -> Tensor:
    """All of a tensor, from all devices if it is divided: every process must ask for it then."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def load_full(module: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Load whole tensors into a module that may be divided, all of them or none."""
    set_model_state_dict(module, dict(state), options=StateDictOptions(full_state_dict=True))


class Fsdp(ModelParallelStrategy):
    """Lightning's strategy of one network in shares, with the checkpoints that every other strategy writes and reads.

    Lightning's own hands a frozen parameter's missing moments to torch as an error, and names moments its own way.
    """

    def __init__(self, world_size: int, backend: str) -> None:
        super().__init__(world_size, 1, save_distributed_checkpoint=False, process_group_backend=backend)

    @property
    def lightning_restore_optimizer(self) -> bool:
        """Lightning shall ask for it."""
        return True

    def optimizer_state(self, optimizer: Optimizer) -> dict[str, Any]:
        """The optimizer's state in whole tensors, on the CPU; empty but in the first process."""
        found, states = optimizer.state_dict(), {}
        for place, state in found["state"].items():
            put_together = {key: full_tensor(value).cpu() for key, value in state.items()}
            if self.is_global_zero:
                states[place] = put_together
        return {**found, "state": states}

    def load_checkpoint(self, checkpoint_path: str | Path, weights_only: bool | None = None) -> dict[str, Any]:
        """Read the file, in every process; the next two take their shares. Nothing but plain types is unpickled."""
        return self.checkpoint_io.load_checkpoint(checkpoint_path, weights_only=True)

    def load_model_state_dict(self, checkpoint: Mapping[str, Any], strict: bool = True) -> None:
        """Each share of the weights."""
        assert self.lightning_module is not None
        load_full(self.lightning_module, checkpoint["state_dict"])

    def load_optimizer_state_dict(self, checkpoint: Mapping[str, Any]) -> None:
        """Each share of the moments; what has not trained yet has none."""
        for optimizer, found in zip(self.optimizers, checkpoint["optimizer_states"], strict=True):
            places = (place for group in found["param_groups"] for place in group["params"])
            parameters = (parameter for group in optimizer.param_groups for parameter in group["params"])
            states = {
                place: {key: _share(value, parameter) for key, value in found["state"][place].items()}
                for place, parameter in zip(places, parameters, strict=True)
                if place in found["state"]
            }
            optimizer.load_state_dict({**found, "state": states})


def _share(value: Tensor, parameter: Tensor) -> Tensor:
    """This process's share of a moment, divided as its parameter is; a count of steps stays as it is."""
    if not isinstance(parameter, DTensor) or value.shape != parameter.shape:
        return value
    return distribute_tensor(value, parameter.device_mesh, parameter.placements, src_data_rank=None)


def gather(*parts: object) -> None:
    """Hold parts whole until ``scatter``: processes that compute different numbers of batches need not wait then.

    The first process's batch statistics go for all, as under DDP. Parts that are not divided stay as they are.
    """
    for module in _divided(parts):
        module.unshard()
        module.set_reshard_after_forward(False, recurse=False)
    for part in parts:
        if isinstance(part, FSDPModule) and isinstance(part, nn.Module):
            for buffer in part.buffers():
                torch.distributed.broadcast(buffer, src=0)


def scatter(*parts: object) -> None:
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


def _divided(parts: Iterable[object]) -> list[FSDPModule]:
    modules = (module for part in parts if isinstance(part, nn.Module) for module in part.modules())
    return [module for module in modules if isinstance(module, FSDPModule)]
