"""The LightningModule: backbone, head, task and freeze policy.

A training step calls backbone, head, task and loss in this order. The learner has no code for a particular task.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.optim import Optimizer

from vggexp.distributed.fsdp import gather, scatter, shard
from vggexp.errors import ConfigError, first_line
from vggexp.learner.freezing import Freezing
from vggexp.learner.optimizer import Pull, begin_epoch, make_optimizer
from vggexp.learner.scoring import Scoring
from vggexp.learner.windows import slide
from vggexp.sample.loader import seed_of
from vggexp.scheduler import Schedule, Span
from vggexp.types import (
    Backbone,
    Batch,
    DataInfo,
    Evaluation,
    Head,
    Mix,
    Objective,
    Outputs,
    Prediction,
    Slides,
    Task,
    lessons,
)


class Learner(pl.LightningModule):
    """Computes outputs from images, trains the network and scores it.

    Args:
        backbone, head, task: the two parts of the network, and its task; all are ``nn.Module``s.
        freezing: which parameters are frozen in which epoch.
        optimizer: returns an optimizer for parameter groups.
        scheduler: returns a schedule for (optimizer, span).
        objective: name of the validation metric to improve, such as "val/miou", and "min" or "max".
        decay_biases_and_norms: whether weight decay applies to biases and normalisation layers too.
        channels_last: memory format NHWC for weights and images.
        seed: seed of the random numbers in a training step, such as dropout.
        score_baseline: also score the task's baseline; call ``task.observe`` before.
        mix: mixes the images of a training batch; None: they stay as they are.
        config, info: the resolved config and the data set's class names; both are saved in checkpoints.
        pull: which weights are pulled towards their start, in place of weight decay.
    """

    def __init__(
        self,
        backbone: Backbone,
        head: Head,
        task: Task,
        freezing: Freezing,
        optimizer: Callable[..., Optimizer],
        scheduler: Callable[[Optimizer, Span], Schedule],
        objective: Objective,
        decay_biases_and_norms: bool = True,
        channels_last: bool = True,
        seed: int = 0,
        score_baseline: bool = True,
        mix: Mix | None = None,
        config: Mapping[str, Any] | None = None,
        info: DataInfo | None = None,
        pull: Pull | None = None,
    ) -> None:
        super().__init__()
        self.backbone, self.head, self.task, self.freezing = backbone, head, task, freezing
        self.objective = objective
        self._optimizer: Callable[..., Optimizer] = partial(
            make_optimizer, optimizer, decay_biases_and_norms=decay_biases_and_norms, pull=pull or Pull()
        )
        self._scheduler = scheduler
        self._seed, self._mix = seed, mix
        self._is_extended = self._plateaus = False
        self.skips_nan = False
        """Whether a batch without a finite loss is left out."""
        self._counted = 0
        self._statistics: list[tuple[Tensor, Tensor]] = []
        self._groups: list[dict[str, Any]] = []
        self.entrance: tuple[int, tuple[int, int]] = (0, (0, 0))
        """For cached features: the number of stages that computed them, and the (H, W) of their images."""
        self.evaluation: Evaluation | None = None
        """How images are evaluated, if not each once and whole. Their loss is then not computed: it is of one pass."""
        self._config = dict(config or {})
        self.info: dict[str, list[str]] = {}
        """The class names: ``classes`` and ``mask_classes``."""
        if info is not None:
            self.info = {key: list(names) for key, names in asdict(info).items()}
        self._layout = torch.channels_last if channels_last else torch.contiguous_format
        self.scoring = Scoring(task, score_baseline)
        # A changing policy is applied in on_train_start: DDP never reduces parameters that are frozen when it wraps.
        if freezing.constant:
            freezing.apply(0)
        self.to(memory_format=self._layout)

    @property
    def baseline(self) -> dict[str, float]:
        """The baseline's scores on the splits evaluated so far."""
        return self.scoring.baseline

    def forward(self, images: Tensor, *lesson: Mapping[str, Any]) -> Outputs:
        """uint8 images (N, 3, H, W) to the head's outputs; with the targets that it learns from, to its losses."""
        images = images.contiguous(memory_format=self._layout)
        return self.head(self.backbone(self.backbone.normalize(images), self.head.reads), *lesson)

    def outputs(self, batch: Batch) -> Outputs:
        """The head's outputs for a batch, from its cached features if it has them, otherwise from its images.

        In training, of a head that learns from targets, its losses.
        """
        names = lessons(self.head) if self.training else ()
        lesson = ({name: value for name, value in batch.items() if name in names},) if names else ()
        if "feature" not in batch:
            outputs: Outputs = self(batch["image"], *lesson)
            return outputs
        return self.head(self.backbone(batch["feature"], self.head.reads, *self.entrance), *lesson)

    def maps(self, images: Tensor, grid: tuple[int, int]) -> Tensor:
        """uint8 images (N, 3, H, W) to the head's outputs for every window of ``grid`` cells (``Slides``)."""
        assert isinstance(self.head, Slides)
        images = images.to(self.device).contiguous(memory_format=self._layout)
        return self.head.maps(self.backbone(self.backbone.normalize(images), self.head.reads), grid)

    def windows(self, images: Tensor, grid: tuple[int, int]) -> tuple[Tensor, Outputs]:
        """uint8 images (N, 3, H, W) to the places and the outputs of their windows of ``grid`` cells (``slide``)."""
        images = images.to(self.device).contiguous(memory_format=self._layout)
        return slide(self.backbone, self.head, self.backbone.normalize(images), grid)

    def train(self, mode: bool = True) -> "Learner":
        """Set the mode; frozen modules stay in eval mode."""
        super().train(mode)
        self.freezing.set_modes(mode)
        return self

    def configure_model(self) -> None:
        """Shard the network if the trainer has a device mesh (FSDP)."""
        if self.device_mesh is not None:
            shard(self.backbone, self.head, self.device_mesh["data_parallel"])

    def on_train_start(self) -> None:
        """Apply the policy here too: Lightning skips ``on_train_epoch_start`` for a run resumed within an epoch."""
        if self._is_extended:
            self._follow_new_schedule()
        self.on_train_epoch_start()

    def _follow_new_schedule(self) -> None:
        """Place a run whose length was changed on the schedule of its new length, at the step that it has reached.

        Lightning has restored the old schedule, which would end in the middle. ``plateau`` has no length.
        """
        self._is_extended = False
        (optimizer,) = self.trainer.optimizers
        for group, new in zip(optimizer.param_groups, self._groups, strict=True):
            kept = {} if self._plateaus else {"lr": new["lr"]}
            group |= {**{key: value for key, value in new.items() if key != "lr"}, **kept}
        if self._plateaus:
            return
        schedules = self._scheduler(optimizer, self._span())
        for own, schedule in zip(self.trainer.lr_scheduler_configs, schedules, strict=True):
            own.scheduler = schedule["scheduler"]
            for _ in range(self.trainer.global_step):
                own.scheduler.step()  # type: ignore[call-arg]

    def on_train_epoch_start(self) -> None:
        """Apply the freeze policy and the learning-rate factors of this epoch."""
        self.freezing.apply(self.current_epoch)
        begin_epoch(self.trainer.optimizers[0], self.current_epoch)

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Keep frozen modules in eval mode even if ``.train()`` was called on them, and seed the step.

        The seed depends only on the run's seed, the epoch, the batch and the rank, so a resumed run draws the same
        random numbers.
        """
        self.freezing.set_modes(training=True)
        if self.device.type == "cpu":  # torch's own also notes, in half a millisecond, where it is called from
            torch.default_generator.manual_seed(self._seed_of_step(batch_idx))
        else:
            torch.manual_seed(self._seed_of_step(batch_idx))

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor | None:
        """The loss of one batch; of mixed images, the weighted mean of the losses with each of their labels.

        If such batches are skipped and it is not finite, in this process or in another, None: Lightning makes no step.
        Several processes must go backward together, so there the gradient of this loss is 0.
        """
        if self.skips_nan:
            self._statistics = [(one, one.clone()) for part in (self.backbone, self.head) for one in _buffers(part)]
        mixed = [(1.0, batch)] if self._mix is None else self._mix(batch, self._seed_of_step(batch_idx))
        outputs = self.outputs(mixed[0][1])
        losses = _mean([(share, self.task.loss(outputs, each)) for share, each in mixed])
        if self.skips_nan and not self._agree(bool(losses["loss"].isfinite())):
            print(f"step {self.global_step}: the loss is not finite; the batch was skipped", flush=True)
            self.forget_statistics()
            return None if self.trainer.world_size == 1 else _nothing(self)
        self._counted += 1
        self._log_losses("train", losses, batch)
        return losses["loss"]

    def _agree(self, is_finite: bool) -> bool:
        """Whether it is so in all processes."""
        return self.trainer.strategy.reduce_boolean_decision(is_finite, all=True)

    def forget_statistics(self) -> None:
        """Undo what the last batch did to statistics, such as those of batch normalisation."""
        for one, before in self._statistics:
            one.copy_(before)

    def take_counted(self) -> int:
        """How many batches count towards the step that comes next; asked once before each step."""
        counted, self._counted = self._counted, 0
        return counted

    def validation_step(self, batch: Batch, batch_idx: int) -> Prediction:
        """Score one batch of the validation split; the predictions go to the callbacks."""
        return self._score("val", batch)

    def test_step(self, batch: Batch, batch_idx: int) -> Prediction:
        """Score one batch of the test split; the predictions go to the callbacks."""
        return self._score("test", batch)

    def on_validation_epoch_start(self) -> None:
        """Gather the full parameters (FSDP)."""
        gather(self.backbone, self.head)

    def on_test_epoch_start(self) -> None:
        """Gather the full parameters (FSDP)."""
        gather(self.backbone, self.head)

    def on_validation_epoch_end(self) -> None:
        """Log the scores of the validation split."""
        scatter(self.backbone, self.head)
        self.log_dict(self.scoring.close("val"))

    def on_test_epoch_end(self) -> None:
        """Log the scores of the test split."""
        scatter(self.backbone, self.head)
        self.log_dict(self.scoring.close("test"))

    def configure_optimizers(self) -> Any:
        """The optimizer and its learning-rate schedule over the whole run."""
        optimizer = self.optimizer(self.trainer.max_epochs or 1)
        self._groups = [{key: value for key, value in one.items() if key != "params"} for one in optimizer.param_groups]
        schedule = self._scheduler(optimizer, self._span())
        self._plateaus = any("monitor" in one for one in schedule)
        return [optimizer], schedule

    def optimizer(self, epochs: int) -> Optimizer:
        """The optimizer of a run of so many epochs; ConfigError if it refuses its arguments."""
        with refused("optimizer"):
            return self._optimizer(self.freezing, epochs)

    def check_arguments(self, epochs: int) -> None:
        """ConfigError if the optimizer or the schedule refuses its arguments, which show before the data are read."""
        with refused("scheduler"):
            self._scheduler(self.optimizer(epochs), Span(100 * epochs, 100.0, 100, *self.objective))

    def _span(self) -> Span:
        epochs = self.trainer.max_epochs
        steps = int(self.trainer.estimated_stepping_batches)
        per_epoch = steps / epochs if epochs and epochs > 0 else steps
        every = self.trainer.check_val_every_n_epoch or 1
        return Span(steps, per_epoch, int(self.trainer.num_training_batches), *self.objective, every)

    def lr_scheduler_step(self, scheduler: Any, metric: Any | None) -> None:
        """Step a schedule; ``plateau`` only after an epoch that was validated: Lightning repeats the value before."""
        every = self.trainer.check_val_every_n_epoch or 1
        if metric is None or (self.current_epoch + 1) % every == 0:
            super().lr_scheduler_step(scheduler, metric)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Save the config and the class names in plain types, so that the checkpoint works without the run folder."""
        checkpoint["config"], checkpoint["info"] = self._config, self.info
        checkpoint["baseline"] = dict(self.baseline)
        if (policy := self.freezing.measuring) is not None:
            checkpoint["measured"] = [list(row) for row in policy.measured]

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Restore the baseline's scores and what the freeze policy measured; note whether the run's length changed."""
        if (policy := self.freezing.measuring) is not None:
            policy.measured[:] = checkpoint["measured"]
        length = [one.get("trainer", {}).get("max_epochs") for one in (checkpoint.get("config", {}), self._config)]
        self._is_extended = length[0] != length[1]
        self.scoring.baseline = dict(checkpoint.get("baseline", checkpoint.get("constant", {})))  # the older key

    def _seed_of_step(self, batch_idx: int) -> int:
        return seed_of(self._seed, self.current_epoch, batch_idx, self.global_rank)

    def _score(self, split: str, batch: Batch) -> Prediction:
        if self.evaluation is not None:
            prediction = self.evaluation(self, self.task, batch["image"])
        else:
            outputs = self.outputs(batch)
            self._log_losses(split, self.task.loss(outputs, batch), batch)
            prediction = self.task.predict(outputs)
        self.scoring.update(split, prediction, batch, self.task.baseline)
        return prediction

    def _log_losses(self, split: str, losses: Mapping[str, Tensor], batch: Batch) -> None:
        named = {f"{split}/{name}": value.detach() for name, value in losses.items()}
        # A float: Lightning averages the count over ranks, and would truncate the mean of integers.
        count: Any = float(len(batch["index"]))
        self.log_dict(named, on_step=False, on_epoch=True, sync_dist=True, batch_size=count)


@contextmanager
def refused(group: str) -> Iterator[None]:
    """ConfigError for what torch says to arguments that its constructor does not take."""
    try:
        yield
    except (ValueError, TypeError, IndexError, ArithmeticError) as error:
        said = "a list among its arguments is too short" if isinstance(error, IndexError) else first_line(error)
        raise ConfigError(said if said.startswith(f"{group}.") else f"{group}: {said}") from error


def _buffers(part: Any) -> list[Tensor]:
    return list(part.buffers())


def _nothing(network: Learner) -> Tensor:
    """A loss whose gradient is 0 for every parameter that trains."""
    return torch.stack([(one * 0).sum() for one in network.parameters() if one.requires_grad]).sum()


def _mean(losses: Sequence[tuple[float, Mapping[str, Tensor]]]) -> dict[str, Tensor]:
    """The weighted mean of each loss; one alone stays as it is, to the bit."""
    if len(losses) == 1:
        return dict(losses[0][1])
    return {name: torch.stack([share * each[name] for share, each in losses]).sum() for name in losses[0][1]}
