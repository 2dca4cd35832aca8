"""Steps on a network and on samples of their own, by which a batch's memory is measured. They leave the run as it is.

Everything is built from the config once more, and thrown away. Random states are set afterwards, when the run begins.
"""

import gc
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext, redirect_stdout
from typing import Any

import torch

from vggexp.config.check import needs
from vggexp.distributed.device import device_kind, resolve_precision
from vggexp.distributed.memory import give_back_freed_memory, peak_memory_mib, reset_peak_memory, resident_bytes
from vggexp.learner.freezing import Freezing
from vggexp.sample.contract import Contract
from vggexp.sample.data_contract import check_ends, open_split
from vggexp.sample.loader import workers_for
from vggexp.sample.reading import Reading
from vggexp.trainer.kept_memory import kept_bytes
from vggexp.trainer.learner import build_learner
from vggexp.trainer.network import build_data
from vggexp.types import Batch

SAMPLES = 16
"""Samples of the training split that the batches consist of, over and over."""
_DTYPES = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}


class Trial:
    """Training and validation steps of any batch, as the run's own, in the epoch that trains most."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._start = resident_bytes()
        kind = device_kind(config["trainer"]["gpus"])
        self._device = torch.device(f"cuda:{os.environ.get('LOCAL_RANK', 0)}" if kind == "cuda" else kind)
        self._dtype = _DTYPES.get(resolve_precision(config["trainer"]["precision"], kind))
        self._deterministic = bool(config["trainer"]["deterministic"])
        torch.manual_seed(config["seed"])
        data, needed = build_data(config), needs(config)
        whole = open_split(data, "train", needed, augment=True)
        self._contract = Contract("train", data.info, needed)
        check_ends(self._contract, whole)
        self.images = len(whole)
        samples = Reading(whole, "train")
        self._samples = [samples[place] for place in range(min(SAMPLES, self.images))]
        ready = 2 * workers_for(config["data"]["workers"], whole)  # batches; each loading process is two ahead
        self.waiting = ready * _bytes(self._contract.together(self._samples[:1]))
        """Bytes of an image in the batches that loading processes hold ready."""
        self._build(config, data.info)
        self.kept = 0 if kind == "cuda" else kept_bytes(config, data, self._learner)
        """Bytes that the run's caches will take of the memory that its steps take."""

    def _build(self, config: Mapping[str, Any], info: Any) -> None:
        one = {**config, "baseline": False, "data": {**config["data"], "batch_size": 1}}
        with redirect_stdout(None):  # the run tells which weights were loaded
            learner = build_learner(one, info)
        epochs = config["trainer"]["max_epochs"]
        learner.freezing.apply(heaviest(learner.freezing, epochs))
        learner.to(self._device)
        learner.log_dict = lambda *_, **__: None  # type: ignore[method-assign]
        self._learner, self._optimizer = learner, learner.optimizer(epochs)
        for group in self._optimizer.param_groups:
            group["lr"] = 0.0  # the weights stay finite, however often a batch is repeated
        ema = config["trainer"]["ema"] is not None
        self._average = [one.detach().clone() for one in learner.parameters()] if ema else []

    def need(self, size: int) -> float:
        """Bytes that steps of ``size`` images take at most, the network and the data included."""
        give_back_freed_memory()
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(self._device)
            self._steps(self._batch(size))
            return float(torch.cuda.max_memory_reserved(self._device))
        reset_peak_memory()
        self._steps(self._batch(size))
        return peak_memory_mib() * 2**20 - self._start + size * self.waiting

    def end(self) -> None:
        """Let go of everything."""
        self.__dict__.clear()
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _batch(self, size: int) -> Batch:
        batch = self._contract.together([self._samples[row % len(self._samples)] for row in range(size)])
        moved: Any = {name: value.to(self._device) for name, value in batch.items()}  # type: ignore[attr-defined]
        return moved  # type: ignore[no-any-return]

    def _steps(self, batch: Batch) -> None:
        """Two training steps, the second with the optimizer's state and the gradients of the first; a validation's."""
        learner = self._learner
        try:
            with self._benchmarked():
                learner.train()
                for _ in range(2):
                    with self._autocast():
                        loss = learner.training_step(batch, 0)
                    assert loss is not None
                    loss.backward()  # type: ignore[no-untyped-call]
                    self._optimizer.step()
                learner.eval()
                with torch.inference_mode(), self._autocast():
                    learner.validation_step(batch, 0)
        finally:
            for table in learner.scoring.network.values():
                table.reset()  # type: ignore[operator]
            self._optimizer.zero_grad(set_to_none=True)

    def _autocast(self) -> AbstractContextManager[Any]:
        return torch.autocast(self._device.type, self._dtype) if self._dtype else nullcontext()

    def _benchmarked(self) -> AbstractContextManager[Any]:
        """As in the run: the fastest convolutions may take more memory."""
        wanted = self._device.type == "cuda" and not self._deterministic
        flags: Any = torch.backends.cudnn.flags
        return flags(enabled=True, benchmark=True) if wanted else nullcontext()


def heaviest(freezing: Freezing, epochs: int) -> int:
    """The epoch whose steps keep most: from the shallowest part that trains on, and of those the most parameters."""

    def load(epoch: int) -> tuple[int, int]:
        trained = [one for one, factor in zip(freezing.parameters, freezing.factors(epoch), strict=True) if factor]
        shallowest = min((info.stage or 6 for info, _ in trained), default=6)
        return -shallowest, sum(parameter.numel() for _, parameter in trained)

    return 0 if freezing.constant else max(range(epochs), key=load)


def _bytes(batch: Batch) -> int:
    return sum(value.nbytes for value in batch.values() if isinstance(value, torch.Tensor))
