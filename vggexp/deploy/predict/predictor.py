"""Runs a learner for prediction, on the device and in the precision of its run's config."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

from vggexp.distributed.device import resolve_devices, resolve_precision
from vggexp.errors import ConfigError
from vggexp.learner.learner import Learner
from vggexp.types import Outputs, Prediction

_TYPES = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}


class Predictor:
    """Batches at the network's image size to predictions on the CPU.

    Args:
        learner: moved to the device and set to evaluation mode.
        gpus: as ``trainer.gpus``: None uses a GPU if there is one; never more than one.
        precision: as ``trainer.precision``.

    Raises:
        ConfigError: ``gpus`` asks for a GPU and there is none, or the precision is unknown.
    """

    def __init__(self, learner: Learner, gpus: int | None = None, precision: str | int = "auto") -> None:
        try:
            kind, _ = resolve_devices(min(gpus, 1) if gpus else gpus)
            self.device, self.precision = torch.device(kind), resolve_precision(precision, kind)
        except ValueError as error:
            raise ConfigError(str(error)) from error
        self.learner = learner.to(self.device).eval()

    @torch.inference_mode()
    def __call__(self, images: Tensor) -> list[Prediction]:
        """uint8 (N, 3, H, W) to one prediction per image, relative to the network's image, not to the photo."""
        evaluation, task = self.learner.evaluation, self.learner.task
        with self._autocast():
            found = evaluation(self._forward, task, images) if evaluation else task.predict(self._forward(images))
            batch = {name: value.cpu() for name, value in found.items()}
        return [{name: value[place] for name, value in batch.items()} for place in range(len(images))]

    def _forward(self, images: Tensor) -> Outputs:
        outputs: Outputs = self.learner(images.to(self.device, non_blocking=True))
        return outputs

    def _autocast(self) -> AbstractContextManager[object]:
        if self.precision not in _TYPES:
            return nullcontext()
        return torch.autocast(self.device.type, _TYPES[self.precision])
