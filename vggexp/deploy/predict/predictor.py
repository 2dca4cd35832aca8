"""A learner that only predicts: on the device and in the precision that its run's config says."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

from vggexp.distributed.device import resolve_devices, resolve_precision
from vggexp.errors import ConfigError
from vggexp.learner.learner import Learner
from vggexp.types import Prediction

_TYPES = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}


class Predictor:
    """Batches at the network's size to predictions on the CPU.

    Args:
        learner: is moved to the device, and set to evaluation.
        gpus: as ``trainer.gpus``: None uses a GPU if there is one; of several, one is used.
        precision: as ``trainer.precision``.

    Raises:
        ConfigError: a GPU is asked for, and there is none; or no such precision.
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
        """uint8 (N, 3, H, W) to one prediction an image, as its task makes them: nothing is laid back on a photo."""
        with self._autocast():
            outputs = self.learner(images.to(self.device, non_blocking=True))
            batch = {name: value.cpu() for name, value in self.learner.task.predict(outputs).items()}
        return [{name: value[place] for name, value in batch.items()} for place in range(len(images))]

    def _autocast(self) -> AbstractContextManager[object]:
        if self.precision not in _TYPES:
            return nullcontext()
        return torch.autocast(self.device.type, _TYPES[self.precision])
