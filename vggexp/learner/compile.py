"""``trainer.compile``: torch.compile for the network, if the run is long enough to make up for the compile time."""

import warnings

import torch
from torch import nn

REPAID_BY = 2_000_000
"""Number of 224 x 224 images from which "auto" compiles. An estimate, not a measurement: it assumes one minute of
compile time, 10 % shorter steps and 3,000 images a second."""
RECOMPILATIONS = 64
"""Limit of recompilations; torch's default is 8. Each set of frozen parameters, each mode and each batch size is
compiled separately: freeze=gradual has six sets, each with two training and up to three evaluation batch sizes, 30."""


def pays(asked: str | bool, on_gpu: bool, images: int, size: tuple[int, int]) -> bool:
    """Whether to compile.

    Args:
        asked: ``trainer.compile``: true, false or "auto".
        on_gpu: "auto" never compiles on a CPU.
        images: training images over all epochs.
        size: height and width of the images, pixels.

    >>> pays("auto", True, 4_000_000, (224, 224)), pays("auto", True, 50_000, (224, 224))
    (True, False)
    """
    if str(asked).lower() != "auto":
        return str(asked).lower() == "true"
    return on_gpu and images * size[0] * size[1] >= REPAID_BY * 224 * 224


def compile_in_place(backbone: object, head: object, divided: bool = False) -> None:
    """Compile the forward of backbone and head; names, parameters, hooks and checkpoints do not change.

    Each batch size is compiled separately (``dynamic=False``). With dynamic shapes the code depends on the batch size
    seen first, and a run resumed within an epoch sees the sizes in another order, so its results would differ.

    Args:
        divided: whether the network is sharded over devices. If so, only the head is compiled: FSDP gathers each stage
            in a hook, which breaks the graph inside the backbone's loop, and torch does not compile such a loop.
    """
    torch._dynamo.reset()  # drop the networks of a sweep's earlier runs
    torch._dynamo.config.recompile_limit = max(torch._dynamo.config.recompile_limit, RECOMPILATIONS)
    # Tracing reads .grad of the backbone's outputs, which are no leaf tensors; no other code does.
    warnings.filterwarnings("ignore", ".*grad attribute of a Tensor that is not a leaf.*")
    what = "only the head, because trainer.strategy=fsdp shards the backbone; " if divided else ""
    print(f"trainer.compile: {what}the first step of each kind takes longer, up to a minute")
    for part in (head,) if divided else (backbone, head):
        assert isinstance(part, nn.Module)
        part.compile(dynamic=False, options={"fallback_random": True})  # same dropout masks as without compile
