"""A plain LightningModule and Trainer with our network, data, precision, layout and memory: shows our overhead."""

import tempfile
from itertools import chain, repeat
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from vggexp.benchmark.plan import Job
from vggexp.benchmark.rounds import Rounds
from vggexp.benchmark.setting import Config, config_of, criterion_of, info_of, network_of
from vggexp.benchmark.step_timer import StepTimer
from vggexp.config.check import needs
from vggexp.distributed.device import device_kind, resolve_precision
from vggexp.distributed.memory import keep_freed_memory
from vggexp.sample.loader import collate
from vggexp.trainer.network import build_data
from vggexp.types import Batch, Sample


class Plain(pl.LightningModule):
    """A minimal module: a step, a loss, an optimizer."""

    def __init__(self, config: Config, segments: bool) -> None:
        super().__init__()
        self.network = network_of(config, info_of(config)).to(memory_format=torch.channels_last)
        self.criterion = criterion_of(config)
        self.rate = config["optimizer"]["lr"]
        self.target = "mask" if segments else "label"

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The loss of a batch."""
        loss: Tensor = self.criterion(self.outputs(batch), batch[self.target].long())  # type: ignore[literal-required]
        self.log("train/loss", loss, on_step=False, on_epoch=True, batch_size=len(batch["image"]))
        return loss

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        """Loss and accuracy."""
        outputs, target = self.outputs(batch), batch[self.target].long()  # type: ignore[literal-required]
        scores = {"loss": self.criterion(outputs, target), "top1": (outputs.argmax(1) == target).float().mean()}
        self.log_dict(scores, batch_size=len(target))

    def outputs(self, batch: Batch) -> Tensor:
        """The network's outputs for uint8 images."""
        images = batch["image"].contiguous(memory_format=torch.channels_last)
        normalize: Any = self.network.backbone.normalize
        outputs: Tensor = self.network(normalize(images))
        return outputs

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Fused SGD, as in vggexp."""
        trained = [parameter for parameter in self.parameters() if parameter.requires_grad]
        return torch.optim.SGD(trained, self.rate, momentum=0.9, fused=True)


def steps(job: Job, rounds: Rounds) -> None:
    """One training, paused after each round of steps."""
    config = config_of(job.words)
    step_timer = StepTimer(rounds, job.batches, config["data"]["batch_size"])
    with tempfile.TemporaryDirectory() as folder:
        trainer = _trainer(config, folder, step_timer)
        trainer.fit(Plain(config, job.segments), _loader(config, "train"))


def evaluate(job: Job, rounds: Rounds) -> None:
    """Evaluate on the test split."""
    config = config_of(job.words)
    network, batches = Plain(config, job.segments), _loader(config, "test")
    with tempfile.TemporaryDirectory() as folder:
        for is_warm in chain([False], repeat(True)):
            trainer = _trainer(config, folder, limit_test_batches=1.0 if is_warm else 1)
            if is_warm:
                rounds.begin()
            trainer.test(network, batches, verbose=False)
            if is_warm:
                rounds.end(len(batches.dataset))  # type: ignore[arg-type]


def _trainer(config: Config, folder: str, *callbacks: pl.Callback, limit_test_batches: int | float = 1.0) -> pl.Trainer:
    keep_freed_memory()
    kind = device_kind(config["trainer"]["gpus"])
    return pl.Trainer(
        accelerator=kind, devices=1, max_epochs=1, callbacks=list(callbacks),
        precision=resolve_precision(config["trainer"]["precision"], kind), default_root_dir=folder, logger=False,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=0,
        limit_test_batches=limit_test_batches,
    )  # fmt: skip


def _loader(config: Config, split: str) -> DataLoader[Sample]:
    is_train = split == "train"
    dataset = build_data(config).split(split, needs(config), augment=is_train)
    return DataLoader(dataset, config["data"]["batch_size"], shuffle=is_train, collate_fn=collate)
