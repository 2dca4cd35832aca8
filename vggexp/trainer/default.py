"""Builds a Lightning trainer from plain arguments, for a CPU, one GPU or several GPUs, with mixed precision."""

import logging
import os
import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, EMAWeightAveraging
from pytorch_lightning.loggers import Logger
from pytorch_lightning.plugins.io import TorchCheckpointIO
from pytorch_lightning.strategies import DDPStrategy, Strategy
from torch.distributed.algorithms.ddp_comm_hooks import default_hooks
from torch.distributed.fsdp import FSDPModule

from vggexp.callback.best import Best, Patience
from vggexp.distributed.device import resolve_devices, resolve_precision
from vggexp.distributed.fsdp import Fsdp
from vggexp.distributed.processes import place_in_run
from vggexp.transfer.checkpoint import write_checkpoint
from vggexp.types import Objective


def build_trainer(
    folder: Path,
    objective: Objective,
    loggers: Sequence[Logger] = (),
    callbacks: Sequence[Callback] = (),
    standing: bool = True,
    changing: bool = False,
    gpus: int | None = None,
    strategy: str = "ddp",
    compress: str = "none",
    bucket_mb: int = 25,
    precision: str | int = "auto",
    max_epochs: int = 15,
    accumulate: int = 1,
    clip: float | None = None,
    ema: float | None = None,
    early_stopping: int | None = None,
    val_every: int = 1,
    log_every: int = 10,
    deterministic: bool = False,
    limit_train_batches: int | float = 1.0,
    limit_val_batches: int | float = 1.0,
    limit_test_batches: int | float = 1.0,
    overfit_batches: int | float = 0,
) -> pl.Trainer:
    """Build the trainer of one run.

    Args:
        folder: the run folder; the best checkpoint is written to ``checkpoint/``.
        objective: the metric that selects the best checkpoint, and "min" or "max".
        loggers, callbacks: added to those that every training has.
        standing: true for a training: save the best checkpoint, and apply ``ema`` and ``early_stopping``.
        changing: whether the freeze policy changes during training.
        gpus: None: all GPUs, or the CPU if there are none; 0: the CPU; n: exactly n GPUs.
        strategy: "ddp": every device holds the full network; "fsdp": every parameter is sharded over the devices.
        compress: data type in which DDP all-reduces gradients: "none" (their own), "fp16" or "bf16".
        bucket_mb: size of a DDP gradient bucket, MiB.
        precision: "auto", 32, "bf16-mixed" or "16-mixed".
        accumulate: batches per optimizer step.
        clip: maximum gradient norm.
        ema: decay of an exponential moving average of the weights; if given, the average is evaluated and saved.
        early_stopping: patience in epochs.
        val_every: epochs between validations; a run that is shorter is validated after its last epoch.

    The other arguments are those of ``pl.Trainer`` with the same names.
    """
    _quiet_lightning()
    accelerator, devices = resolve_devices(gpus)
    on_gpu = accelerator == "cuda"
    world_size = place_in_run()[1]
    if on_gpu:
        torch.set_float32_matmul_precision("high")  # TF32 for matrix products that autocast keeps in float32
    trainer = pl.Trainer(
        accelerator=accelerator,
        devices=devices,
        num_nodes=world_size // devices if world_size > 1 else 1,
        strategy=_strategy(strategy, on_gpu, changing, compress, bucket_mb) if world_size > 1 else "auto",
        precision=resolve_precision(precision, accelerator),
        max_epochs=max_epochs,
        accumulate_grad_batches=accumulate,
        gradient_clip_val=clip,
        check_val_every_n_epoch=max(min(val_every, max_epochs), 1),
        log_every_n_steps=log_every,
        deterministic=deterministic,
        benchmark=on_gpu and not deterministic,
        use_distributed_sampler=False,  # loader.Order splits the batches between ranks, without padding
        limit_train_batches=limit_train_batches,
        limit_val_batches=limit_val_batches,
        limit_test_batches=limit_test_batches,
        overfit_batches=overfit_batches,
        num_sanity_val_steps=0,
        inference_mode=strategy != "fsdp",  # FSDP: evaluation gathers parameters that must stay trainable
        logger=list(loggers),
        enable_checkpointing=standing,
        callbacks=[
            *(_training_callbacks(folder, objective, ema, early_stopping, val_every) if standing else []),
            *callbacks,
        ],
        plugins=[DirectCheckpointIO()],
        default_root_dir=folder,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    _leave_signals_alone(trainer)
    return trainer


def _leave_signals_alone(trainer: pl.Trainer) -> None:
    """Lightning would only note a SIGTERM and go on, on SLURM requeue by itself; ``distributed/signals.py`` does it."""
    connector = trainer._signal_connector

    def remember() -> None:
        connector._original_handlers = connector._get_current_signal_handlers()  # for its teardown after Ctrl-C

    connector.register_signal_handlers = remember  # type: ignore[method-assign]


class DirectCheckpointIO(TorchCheckpointIO):
    """Writes a checkpoint directly to disk. Lightning serialises it to memory first, a gigabyte for VGG16."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | os.PathLike[str], storage_options: Any = None
    ) -> None:
        """Write the checkpoint to a temporary file, then rename it; of ``last.ckpt`` the one before is kept too."""
        is_last = Path(path).name == "last.ckpt"
        write_checkpoint(Path(path), checkpoint, keep=Path(path).with_name("previous.ckpt") if is_last else None)


def _strategy(name: str, on_gpu: bool, changing: bool, compress: str, bucket_mb: int) -> Strategy:
    if name == "fsdp":
        if not hasattr(FSDPModule, "reset_iter_state"):
            raise ValueError(f"trainer.strategy=fsdp: torch {torch.__version__} is too old (2.15 is not); choose ddp")
        return Fsdp(place_in_run()[1], "nccl" if on_gpu else "gloo")
    if name != "ddp":
        raise ValueError(f"trainer.strategy={name} is not known; choose from: ddp, fsdp")
    return _ddp(on_gpu, changing, compress, bucket_mb)


def _ddp(on_gpu: bool, changing: bool, compress: str, bucket_mb: int) -> DDPStrategy:
    """DDP. If the freeze policy changes, some parameters get no gradient, so DDP must look for unused parameters."""
    hooks = {"none": None, "fp16": default_hooks.fp16_compress_hook, "bf16": default_hooks.bf16_compress_hook}
    if compress not in hooks:
        raise ValueError(f"trainer.compress={compress} is not known; choose from: {', '.join(hooks)}")
    return DDPStrategy(
        process_group_backend="nccl" if on_gpu else "gloo",
        find_unused_parameters=changing,
        gradient_as_bucket_view=True,
        bucket_cap_mb=bucket_mb,
        ddp_comm_hook=hooks[compress],
    )


def _training_callbacks(
    folder: Path, objective: Objective, ema: float | None, early_stopping: int | None, val_every: int
) -> list[Callback]:
    metric, mode = objective
    callbacks: list[Callback] = [
        Best(
            folder / "checkpoint",
            "best",
            monitor=metric,
            mode=mode,
            save_on_train_epoch_end=False,
            # No run resumes from it, so it needs no optimizer state. With EMA, Lightning saves the averaged weights
            # only in a full checkpoint.
            save_weights_only=ema is None,
            enable_version_counter=False,
        )
    ]
    if ema is not None:
        callbacks.append(_average(ema))
    if early_stopping is not None:
        callbacks.append(Patience(metric, mode, early_stopping, val_every))
    return callbacks


def _average(decay: float) -> EMAWeightAveraging:
    """Lightning's average, in which a tensor that does not move stays as it is, bit for bit.

    Lightning adds two products, whose rounding moves frozen weights and the mean of the images by a last digit.
    """
    callback = EMAWeightAveraging(decay=decay)
    callback._kwargs["avg_fn"] = partial(_moved, 1 - decay)
    return callback


def _moved(share: float, average: torch.Tensor, current: torch.Tensor, _count: object) -> torch.Tensor:
    """The average moved by a share of its distance; a count is the current one."""
    return average.lerp(current, share) if average.is_floating_point() else current


def _quiet_lightning() -> None:
    """Silence Lightning's banners and the warnings that do not apply here."""
    for name in ("pytorch_lightning", "lightning_fabric", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for advice in _ADVICE:
        warnings.filterwarnings("ignore", advice)


_ADVICE = (
    ".*does not have many workers.*",  # data in memory needs no workers
    ".*Checkpoint directory .* exists and is not empty.*",
    ".*The number of training batches .* is smaller than the logging interval.*",
    ".*`isinstance\\(treespec, LeafSpec\\)` is deprecated.*",
    ".*in eval mode at the start of training.*",  # frozen parts are in eval mode on purpose
    ".*It is recommended to use .*sync_dist=True.*",  # torchmetrics has already reduced the scores over ranks
    ".*all_gather is deprecated.*",
    ".*lr_scheduler.step.*before.*optimizer.step.*",
    ".*`training_step` returned `None`.*",  # trainer.on_nan=skip
    ".*ReduceLROnPlateau conditioned on metric .*",  # an epoch without validation
    ".*WeightAveraging callback with a model that overrides.*",  # EMA with FSDP is rejected by the checks
)
