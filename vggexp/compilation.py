"""``trainer.compile``: the network's forward and backward through torch.compile, where it repays its start."""

import warnings

import torch
from torch import nn

REPAID_BY = 2_000_000
"""Images of 224 x 224 after which "auto" compiles. An assumption, not measured: a minute of compiling, a step that is a
tenth shorter, 3,000 images a second."""
RECOMPILATIONS = 64
"""Freezing, evaluation and a last, smaller batch each need their own code; torch gives up after 8."""


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


def compile_in_place(*parts: nn.Module) -> None:
    """Compile each part's call; names, parameters, hooks and checkpoints stay as they are."""
    torch._dynamo.config.recompile_limit = max(torch._dynamo.config.recompile_limit, RECOMPILATIONS)
    # Tracing looks at the gradient of what one part hands the other; nobody else does.
    warnings.filterwarnings("ignore", ".*grad attribute of a Tensor that is not a leaf.*")
    for part in parts:
        part.compile()
