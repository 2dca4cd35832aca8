"""Checks what the trainer needs of this machine: GPUs, processes, a compiler, precision."""

import os
import shutil
import sys
from collections.abc import Mapping
from typing import Any

from vggexp.distributed.processes import is_joined, num_gpus, world_size
from vggexp.errors import ConfigError

Config = Mapping[str, Any]


def check_machine(config: Config) -> None:
    """Check that the requested devices exist and support the settings."""
    trainer = config["trainer"]
    _check_compile(trainer)
    _check_devices(trainer)
    if config["data"]["batch_size"] == "auto":
        _check_auto(trainer)
    _check_effective_batch(trainer, config["data"]["batch_size"])
    _check_precision(trainer)
    _check_strategy(trainer)


def _check_devices(trainer: Config) -> None:
    if trainer["gpus"] and (present := num_gpus()) < trainer["gpus"]:
        raise ConfigError(
            f"trainer.gpus={trainer['gpus']}, and this machine has {present}; trainer.gpus=0 uses the CPU"
        )
    if (trainer.get("processes") or 1) > 1 and trainer["gpus"] not in (0, trainer["processes"]):
        raise ConfigError(
            f"trainer.processes={trainer['processes']}: a GPU has one process; set it on a CPU only (trainer.gpus=0)"
        )
    if trainer.get("nodes", 1) == 1 and trainer.get("rendezvous") and not is_joined():
        where = f"trainer.rendezvous={trainer['rendezvous']}"
        raise ConfigError(f"{where} has no effect with trainer.nodes=1; give the number of machines")
    if trainer.get("nodes", 1) > 1 and not (trainer["rendezvous"] or is_joined()):
        raise ConfigError(
            f"trainer.nodes={trainer['nodes']}: give trainer.rendezvous=HOST:PORT, an address of one of them; "
            f"see docs/scaling.md"
        )


def _check_precision(trainer: Config) -> None:
    if trainer["precision"] == "16-mixed" and not _on_gpu(trainer):
        raise ConfigError("trainer.precision=16-mixed: a CPU trains in bf16-mixed or 32; 16-mixed is for GPUs")


def _check_strategy(trainer: Config) -> None:
    """Reject the settings that torch 2.15 and Lightning 2.6 do not support for a sharded network."""
    if trainer.get("strategy", "ddp") == "ddp":
        return
    refused = {
        "trainer.precision=16-mixed has no loss scaling": trainer["precision"] == "16-mixed",
        f"trainer.ema={trainer['ema']} cannot average a sharded network": trainer["ema"] is not None,
        f"trainer.compress={trainer.get('compress')} works with ddp only": trainer.get("compress", "none") != "none",
        f"trainer.on_nan={trainer.get('on_nan')} works with ddp only": trainer.get("on_nan", "stop") != "stop",
    }
    for what, holds in refused.items():
        if holds:
            raise ConfigError(f"trainer.strategy=fsdp: {what}; remove that setting, or choose trainer.strategy=ddp")


def _check_compile(trainer: Config) -> None:
    if str(trainer.get("compile", False)).lower() != "true":
        return
    variable, default = ("CC", "gcc") if _on_gpu(trainer) else ("CXX", "g++")
    if not shutil.which(compiler := os.environ.get(variable, default)):
        raise ConfigError(
            f"trainer.compile=true needs the compiler {compiler}, which is not installed; install it, name another in "
            f"{variable}, or leave trainer.compile=false"
        )


def _check_auto(trainer: Config) -> None:
    """What ``data.batch_size=auto`` needs: a system that tells its free memory, and a step that one process can try."""
    where = "data.batch_size=auto"
    if trainer.get("strategy", "ddp") == "fsdp":
        raise ConfigError(f"{where} tries steps in one process, which strategy=fsdp divides; give a number")
    if (sys.platform == "darwin" or not _on_gpu(trainer)) and not sys.platform.startswith("linux"):
        raise ConfigError(f"{where} needs CUDA or Linux, which tell how much memory is free; give a number")


def _check_effective_batch(trainer: Config, batch_size: int | str) -> None:
    if (whole := trainer.get("effective_batch")) is None:
        return
    if trainer["accumulate"] != 1:
        raise ConfigError("trainer.effective_batch sets trainer.accumulate itself; give only one of them")
    processes = world_size(trainer)
    if batch_size == "auto":
        if whole % processes:
            raise ConfigError(f"trainer.effective_batch={whole} is not a multiple of the run's {processes} processes")
        return
    assert isinstance(batch_size, int)
    if whole % (together := batch_size * processes):
        raise ConfigError(
            f"trainer.effective_batch={whole} is not a multiple of {together}: data.batch_size={batch_size} times "
            f"{processes} {'process' if processes == 1 else 'processes'}"
        )


def _on_gpu(trainer: Config) -> bool:
    return (num_gpus() if trainer["gpus"] is None else trainer["gpus"]) > 0
