"""``trainer.compile``: the network's forward and backward through torch.compile, where it repays its start."""

import warnings

import torch
from torch import nn

REPAID_BY = 2_000_000
"""Images of 224 x 224 after which "auto" compiles. An assumption, not measured: a minute of compiling, a step that is a
tenth shorter, 3,000 images a second."""
RECOMPILATIONS = 64
"""Each set of frozen parameters, evaluation and a last, smaller batch need their own code, and torch gives up after 8.
freeze=gradual has six sets, and each two sizes of batch to train on and up to three to be scored on: 30."""


def pays(asked: str | bool, on_gpu: bool, images: int, size: tuple[int, int]) -> bool:
    """Whether to compile.

    Args:
        asked: true, false or "auto".
        on_gpu: "auto" never compiles on a CPU.
        images: that the run trains on, each epoch's counted.
        size: their height and width.

    >>> pays("auto", True, 4_000_000, (224, 224)), pays("auto", True, 50_000, (224, 224))
    (True, False)
    """
    if str(asked).lower() != "auto":
        return str(asked).lower() == "true"
    return on_gpu and images * size[0] * size[1] >= REPAID_BY * 224 * 224


def compile_in_place(backbone: object, head: object, divided: bool = False) -> None:
    """Compile the calls of both; names, parameters, hooks and checkpoints stay as they are.

    Each size of batch gets code of its own: what was compiled first would otherwise decide how the next is computed,
    and a run that goes on in the middle of an epoch meets them in another order.

    Args:
        divided: whether the network will be divided between devices: then the head alone is compiled. Within a
            backbone torch puts each stage together as it is reached, and compiles no loop that it has to leave.
    """
    torch._dynamo.reset()  # networks of a sweep's former runs
    torch._dynamo.config.recompile_limit = max(torch._dynamo.config.recompile_limit, RECOMPILATIONS)
    # Tracing looks at the gradient of what one part hands the other; nobody else does.
    warnings.filterwarnings("ignore", ".*grad attribute of a Tensor that is not a leaf.*")
    what = "the head alone, for trainer.strategy=fsdp divides the backbone; " if divided else ""
    print(f"trainer.compile: {what}the first step of each kind takes longer, up to a minute")
    for part in (head,) if divided else (backbone, head):
        assert isinstance(part, nn.Module)
        part.compile(dynamic=False, options={"fallback_random": True})  # dropout drops what it drops uncompiled
