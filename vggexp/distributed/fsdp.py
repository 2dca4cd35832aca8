"""A sharded network (FSDP): each rank holds a part of every parameter, of its gradient and of its optimizer state.

Rajbhandari et al., "ZeRO", arXiv 1910.02054, stage 3; Zhao et al., "PyTorch FSDP", arXiv 2304.11277. torch's
``fully_shard`` replaces each parameter by a DTensor, and gathers a layer's full parameters while it computes.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.strategies import ModelParallelStrategy
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.optim import Optimizer

from vggexp.types import Backbone, Head


def shard(backbone: Backbone, head: Head, mesh: DeviceMesh) -> None:
    """Shard both along the first dimension of each parameter; each stage is gathered as one group, and so is the head.

    Modules that are sharded already stay as they are.

    Args:
        mesh: one-dimensional; the devices to shard over.
    """
    assert isinstance(backbone, nn.Module)
    assert isinstance(head, nn.Module)
    if isinstance(backbone, FSDPModule):
        return
    for part in (backbone, head):
        part.to(memory_format=torch.contiguous_format)  # torch shards no other layout; images may still be NHWC
    for stage in backbone.stages():  # each call makes new slices, so shard their layers
        fully_shard([layer for layer in stage.modules() if [*layer.parameters(recurse=False)]], mesh=mesh)
    fully_shard(backbone, mesh=mesh)
    fully_shard(head, mesh=mesh)


def full_tensor(tensor: Tensor) -> Tensor:
    """The full tensor. If it is sharded, every rank must call this."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def load_full(module: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Load full tensors into a module, sharded or not; the names must match exactly."""
    # Imported here, since it takes a tenth of a second, and no run needs it before its first step.
    from torch.distributed.checkpoint.state_dict import StateDictOptions, set_model_state_dict

    set_model_state_dict(module, dict(state), options=StateDictOptions(full_state_dict=True))


class Fsdp(ModelParallelStrategy):
    """Lightning's strategy for a sharded network; its checkpoints have the same form as those of every other strategy.

    Lightning's own strategy fails on frozen parameters, which have no optimizer state, and names the state differently.
    """

    def __init__(self, world_size: int, backend: str) -> None:
        super().__init__(world_size, 1, save_distributed_checkpoint=False, process_group_backend=backend)

    @property
    def lightning_restore_optimizer(self) -> bool:
        """Let Lightning restore the optimizer state through this strategy."""
        return True

    def optimizer_state(self, optimizer: Optimizer) -> dict[str, Any]:
        """The optimizer's state as full tensors on the CPU; empty except on rank 0."""
        found, states = optimizer.state_dict(), {}
        for place, state in found["state"].items():
            full = {key: full_tensor(value).cpu() for key, value in state.items()}
            if self.is_global_zero:
                states[place] = full
        return {**found, "state": states}

    def load_checkpoint(self, checkpoint_path: str | Path, weights_only: bool | None = None) -> dict[str, Any]:
        """Read the file on every rank; the two methods below shard it. Unpickles plain types only."""
        return self.checkpoint_io.load_checkpoint(checkpoint_path, weights_only=True)

    def load_model_state_dict(self, checkpoint: Mapping[str, Any], strict: bool = True) -> None:
        """Load each rank's shard of the weights."""
        assert self.lightning_module is not None
        load_full(self.lightning_module, checkpoint["state_dict"])

    def load_optimizer_state_dict(self, checkpoint: Mapping[str, Any]) -> None:
        """Load each rank's shard of the optimizer state; parameters that have not trained yet have none."""
        for optimizer, found in zip(self.optimizers, checkpoint["optimizer_states"], strict=True):
            places = (place for group in found["param_groups"] for place in group["params"])
            parameters = (parameter for group in optimizer.param_groups for parameter in group["params"])
            states = {
                place: {key: _shard_like(value, parameter) for key, value in found["state"][place].items()}
                for place, parameter in zip(places, parameters, strict=True)
                if place in found["state"]
            }
            optimizer.load_state_dict({**found, "state": states})


def _shard_like(value: Tensor, parameter: Tensor) -> Tensor:
    """This rank's shard of an optimizer state tensor, sharded as its parameter; a step count stays as it is."""
    if not isinstance(parameter, DTensor) or value.shape != parameter.shape:
        return value
    return distribute_tensor(value, parameter.device_mesh, parameter.placements, src_data_rank=None)


def gather(*parts: object) -> None:
    """Keep full parameters until ``scatter``, so that ranks with different numbers of batches need not wait.

    All ranks take rank 0's batch statistics, as under DDP. Parts that are not sharded stay as they are.
    """
    for module in _sharded(parts):
        module.unshard()
        module.set_reshard_after_forward(False, recurse=False)
    for part in parts:
        if isinstance(part, FSDPModule) and isinstance(part, nn.Module):
            for buffer in part.buffers():
                torch.distributed.broadcast(buffer, src=0)


def scatter(*parts: object) -> None:
    """Shard the parameters again."""
    for module in _sharded(parts):
        module.reshard()
        # As torch sets it: the outermost module stays gathered, because the backward pass needs it first.
        module.set_reshard_after_forward(module not in parts, recurse=False)
    for part in parts:
        if isinstance(part, FSDPModule):
            # torch records the order of all forward passes and prefetches in that order in the next backward pass.
            # Ranks that computed different numbers of forward passes would deadlock.
            part.reset_iter_state()


def _sharded(parts: Iterable[object]) -> list[FSDPModule]:
    modules = (module for part in parts if isinstance(part, nn.Module) for module in part.modules())
    return [module for module in modules if isinstance(module, FSDPModule)]
