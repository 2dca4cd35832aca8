"""The device and the precision of a run."""

import os
from typing import Literal

import torch

from vggexp.distributed.processes import place_in_run

Precision = Literal["32-true", "bf16-mixed", "16-mixed"]
Kind = Literal["cpu", "cuda", "mps"]


def device_kind(gpus: int | None) -> Kind:
    """What ``trainer.gpus`` computes on: CUDA's devices, else Apple's one GPU (``mps``, untried), else the CPU."""
    if gpus == 0:
        return "cpu"
    if torch.cuda.device_count():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def resolve_devices(gpus: int | None) -> tuple[Kind, int]:
    """Lightning's (accelerator, devices). ``accelerator="auto"`` with n devices would start n CPU processes."""
    kind, world_size = device_kind(gpus), place_in_run()[1]
    present = {"cpu": 0, "cuda": torch.cuda.device_count(), "mps": 1}[kind]
    if gpus is not None and gpus > present:
        raise ValueError(f"trainer.gpus={gpus}, and this machine has {present}; trainer.gpus=0 uses the CPU")
    # torchrun starts the processes. If Lightning started them, each would read the whole data set.
    here = int(os.environ.get("LOCAL_WORLD_SIZE", world_size)) if world_size > 1 else 1
    if gpus and gpus != here:
        raise ValueError(f"trainer.gpus={gpus}, and {here} process(es) here: each GPU needs one")
    return ("cpu" if kind == "mps" and world_size > 1 else kind), here  # Apple's GPU cannot be shared


def resolve_precision(precision: str | int, kind: Kind) -> Precision:
    """Lightning's name of a precision; "auto" is bf16-mixed where the hardware supports bfloat16, and 32 elsewhere.

    On Apple's GPU "auto" is 32 bits: nobody has measured there what bf16 is worth.
    """
    if precision == "auto":
        return "bf16-mixed" if _has_bf16(kind) else "32-true"
    names: dict[str, Precision] = {"32": "32-true", "bf16-mixed": "bf16-mixed", "16-mixed": "16-mixed"}
    if str(precision) not in names:
        raise ValueError(f"trainer.precision={precision} is not known; choose from: auto, 32, bf16-mixed, 16-mixed")
    if precision == "16-mixed" and kind == "cpu":
        return "32-true"  # a run trained on a GPU, evaluated on a CPU; the config check refuses to train so
    return names[str(precision)]


def widest_float() -> torch.dtype:
    """In what long sums are kept: float64; float32 on a Mac with a GPU of Apple's, which has no float64."""
    return torch.float32 if torch.backends.mps.is_available() else torch.float64


def _has_bf16(kind: Kind) -> bool:
    if kind == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return kind == "cpu" and bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
