"""The device and the precision of a run."""

import os
from typing import Literal

import torch

from vggexp.distributed.processes import place_in_run

Precision = Literal["32-true", "bf16-mixed", "16-mixed"]


def resolve_devices(gpus: int | None) -> tuple[str, int]:
    """Lightning's (accelerator, devices). ``accelerator="auto"`` with n devices would start n CPU processes."""
    present, world_size = torch.cuda.device_count(), place_in_run()[1]
    if gpus is not None and gpus > present:
        raise ValueError(f"trainer.gpus={gpus}, and this machine has {present}; trainer.gpus=0 uses the CPU")
    on_gpu = bool(present if gpus is None else gpus)
    # torchrun starts the processes. If Lightning started them, each would read the whole data set.
    here = int(os.environ.get("LOCAL_WORLD_SIZE", world_size)) if world_size > 1 else 1
    if gpus and gpus != here:
        raise ValueError(f"trainer.gpus={gpus}, and {here} process(es) here: each GPU needs one")
    return ("cuda" if on_gpu else "cpu"), here


def resolve_precision(precision: str | int, on_gpu: bool) -> Precision:
    """Lightning's name of a precision; "auto" is bf16-mixed where the hardware supports bfloat16, and 32 elsewhere."""
    if precision == "auto":
        return "bf16-mixed" if _has_bf16(on_gpu) else "32-true"
    names: dict[str, Precision] = {"32": "32-true", "bf16-mixed": "bf16-mixed", "16-mixed": "16-mixed"}
    if str(precision) not in names:
        raise ValueError(f"trainer.precision={precision} is not known; choose from: auto, 32, bf16-mixed, 16-mixed")
    if precision == "16-mixed" and not on_gpu:
        return "32-true"  # a run trained on a GPU, evaluated on a CPU; the config check refuses to train so
    return names[str(precision)]


def _has_bf16(on_gpu: bool) -> bool:
    if on_gpu:
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
