"""A plain PyTorch training loop, and its rounds."""

import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import islice

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from vggexp.benchmark.pil import Batch, endless, loader
from vggexp.benchmark.plan import Job
from vggexp.benchmark.rounds import Rounds
from vggexp.benchmark.setting import Config, config_of, criterion_of, device_of, info_of, network_of


@dataclass(frozen=True)
class Way:
    """How a loop computes: by default float32 and NCHW; optionally mixed precision and channels-last."""

    amp: bool = False
    channels_last: bool = False


@dataclass
class Loop:
    """A network in training.

    Args:
        network: images to logits.
        config: the config of the training, for learning rate and device.
        way: precision and memory layout.
    """

    network: nn.Module
    config: Config
    way: Way
    optimizer: torch.optim.Optimizer = field(init=False)

    def __post_init__(self) -> None:
        self.device = device_of(self.config)
        self._layout = torch.channels_last if self.way.channels_last else torch.contiguous_format
        self.network = self.network.to(self.device, memory_format=self._layout)  # type: ignore[call-overload]
        self.criterion = criterion_of(self.config)
        trained = [parameter for parameter in self.network.parameters() if parameter.requires_grad]
        self.optimizer = torch.optim.SGD(trained, lr=self.config["optimizer"]["lr"], momentum=0.9)

    def train(self, batches: Iterable[Batch]) -> float:
        """Train one step per batch; return the sum of the losses of all images."""
        self.network.train()
        total = 0.0
        for images, targets in batches:
            images, targets = self._placed(images, targets)
            self.optimizer.zero_grad()
            with self._precision():
                loss = self.criterion(self.network(images), targets)
            loss.backward()
            self.optimizer.step()
            total += loss.item() * len(images)
        return total

    @torch.no_grad()
    def evaluate(self, batches: Iterable[Batch]) -> tuple[float, int]:
        """The sum of the losses of all images, and the number of correct labels (or pixels)."""
        self.network.eval()
        total, right = 0.0, 0
        for images, targets in batches:
            images, targets = self._placed(images, targets)
            with self._precision():
                outputs = self.network(images)
                loss = self.criterion(outputs, targets)
            total += loss.item() * len(images)
            right += int((outputs.argmax(1) == targets).sum())
        return total, right

    def _placed(self, images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        return images.to(self.device, memory_format=self._layout), targets.to(self.device)

    def _precision(self) -> AbstractContextManager[object]:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.way.amp)


def make_loop(job: Job, way: Way) -> Loop:
    """A loop around the same network as vggexp's."""
    config = config_of(job.words)
    return Loop(network_of(config, info_of(config)), config, way)


def take_steps(loop: Loop, job: Job, rounds: Rounds) -> None:
    """A round is a few steps; the first step is the warm-up."""
    batches = endless(loader(loop.config, job, "train"))
    loop.train(islice(batches, 1))
    while True:
        rounds.begin()
        loop.train(islice(batches, job.batches))
        rounds.end(job.batches * loop.config["data"]["batch_size"])


def take_runs(loop: Loop, job: Job, rounds: Rounds) -> None:
    """A round is a sample of one epoch's training and validation, scaled to a whole run; it saves nothing."""
    splits = [(loop.train, loader(loop.config, job, "train")), (loop.evaluate, loader(loop.config, job, "val"))]
    loop.train(islice(splits[0][1], 1))
    epochs = loop.config["trainer"]["max_epochs"]
    while True:
        rounds.begin()
        seconds = sum(_scaled(work, batches, job.sample) for work, batches in splits)
        rounds.end(1, seconds={"": epochs * seconds})


def take_evaluations(loop: Loop, job: Job, rounds: Rounds) -> None:
    """A round is a pass over the test split."""
    batches = loader(loop.config, job, "test")
    loop.evaluate(islice(batches, 1))
    while True:
        rounds.begin()
        loop.evaluate(batches)
        rounds.end(_size(batches))


def _scaled(work: Callable[[Iterable[Batch]], object], batches: DataLoader[Batch], sample: int) -> float:
    """Estimated seconds of a pass over the split, from its first few batches."""
    whole, size = _size(batches), batches.batch_size or 1
    count = -(-min(sample, whole) // size)
    start = time.perf_counter()
    work(islice(batches, count))
    return (time.perf_counter() - start) * whole / min(count * size, whole)


def _size(batches: DataLoader[Batch]) -> int:
    return len(batches.dataset)  # type: ignore[arg-type]
