"""Weights & Biases, a mirror of ``metrics.jsonl``: online if a key is configured, otherwise offline, without a prompt.

Each run has one W&B run, with any number of processes and interruptions: the checkpoints hold its id.
"""

import json
import netrc
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlparse

import wandb
from lightning_fabric.loggers.logger import rank_zero_experiment
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers import WandbLogger
from pytorch_lightning.utilities import rank_zero_only
from wandb.errors import AuthenticationError, CommError

from vggexp.errors import ConfigError, first_line, require_at_least, require_known
from vggexp.logger.keep_id import KeepId
from vggexp.logger.run_name import run_name
from vggexp.logger.wandb_media import WandbMedia
from vggexp.logger.wandb_model import Watch, log_best
from vggexp.run_folder import RunFolder

STEP = "trainer/global_step"
"""Lightning's name of the optimizer step, the x axis of every curve."""
INTERRUPTED = 255
"""The exit code that W&B shows as a run that a user stopped."""
_CLOUDS = ("api.wandb.ai", "api.forge.coreweave.com")
"""W&B's own hosts: ``wandb login`` stores the key under the first one, and since wandb 0.31 under the second."""
_PATIENCE = 30
"""Seconds to wait for the network before a run with mode "auto" continues offline."""
_EARLIER_MODES = {"dryrun": "offline", "run": "online", "": "auto"}
"""What W&B's earlier words for WANDB_MODE mean, and an empty variable."""
_COSTS = ("parameters", "trainable_parameters", "seconds", "images_per_second", "peak_memory_mib", "epoch",
          "baseline", "drift")  # fmt: skip
"""Keys of ``summary.json`` that W&B's table of runs shows, beside the metrics."""


class OneRun(WandbLogger):
    """Lightning's logger for one W&B run, with the best direction of each metric, and an explicit start and end.

    Lightning cannot tell when the run ends, because a test follows the training.

    Args:
        folder: the run folder.
        may_go_offline: whether to continue offline if W&B does not answer.
        directions: "max" or "min" by metric; default: "min" for losses, "max" for the others.
        media_every: epochs between logging validation images; None: log no images, tables or charts.
        watch: "gradients", "parameters" or "all" as histograms every ``watch_every`` batches; None: neither.
        artifact: whether to log the best checkpoint as a model.
    """

    def __init__(
        self,
        folder: RunFolder,
        may_go_offline: bool,
        directions: Mapping[str, str],
        media_every: int | None,
        watch: str | None = None,
        watch_every: int = 100,
        artifact: bool = False,
        **settings: Any,
    ) -> None:
        # Absolute, because W&B's writer process does not follow a change of this process's working directory.
        super().__init__(save_dir=folder.path.absolute(), **settings)
        self._wandb_init.pop("anonymous", None)  # Lightning still passes it, and W&B warns about it
        media = [WandbMedia(self, folder, media_every)] if media_every else []
        watching = [Watch(self, watch, watch_every)] if watch else []
        self.callbacks: list[Callback] = [KeepId("wandb", self), *media, *watching]
        """Callbacks that the trainer must run with this logger."""
        self._folder, self._may_go_offline, self._directions = folder, may_go_offline, dict(directions)
        self._logs_best = artifact
        self._defined: set[str] = set()

    @property
    @rank_zero_experiment
    def experiment(self) -> Any:
        """The W&B run, started at the first access; a dummy on all ranks except 0."""
        if self._experiment is None:
            self._experiment = self._begin()
            self._experiment.define_metric(STEP)
            self._experiment.define_metric("*", step_metric=STEP, step_sync=True)
        return self._experiment

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Log one row; first define new metrics with their step and best direction."""
        for name in metrics.keys() - self._defined:
            self._defined.add(name)
            if best := self.direction(name):
                self.experiment.define_metric(name, step_metric=STEP, step_sync=True, summary=best)
        super().log_metrics(metrics, step)

    def direction(self, metric: str) -> str | None:
        """Whether "max" or "min" of a metric is its best value; None for values without one: "epoch", "test/top1"."""
        split, _, name = metric.partition("/")
        if split not in ("train", "val"):
            return None
        return self._directions.get(name, "min" if name.startswith("loss") else "max")

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Resume the W&B run of a checkpoint; call it before logging anything."""
        self._wandb_init["id"] = self._id = state["id"]

    def close(self, summary: Mapping[str, Any], error: BaseException | None = None) -> None:
        """Finish the W&B run, as failed if there was an error, and write or upload the remaining data."""
        run, self._experiment = self._experiment, None
        if run is None:
            return
        run.summary.update({key: summary[key] for key in _COSTS if key in summary})
        run.summary.update(self._best())
        if self._logs_best and error is None and self._folder.best.exists():
            log_best(run, self._folder, summary)
        run.finish(exit_code=_exit_code(error))
        if error is None and not run.disabled:
            print(f"W&B, offline: wandb sync {self._kept_in(run)}" if run.offline else f"W&B: {run.url}")

    def _begin(self) -> Any:
        try:
            return wandb.init(**self._wandb_init)
        except AuthenticationError as error:
            raise ConfigError(f"logger=wandb: {first_line(error)}; logger.wandb.mode=offline needs no key") from error
        except CommError as error:
            if not self._may_go_offline:
                raise ConfigError(
                    f"logger=wandb: {first_line(error)}; logger.wandb.mode=offline needs no network"
                ) from error
            print(f"W&B does not answer ({first_line(error)}): this run continues offline", file=sys.stderr)
            return wandb.init(**{**self._wandb_init, "mode": "offline"})

    def _kept_in(self, run: Any) -> Path:
        return self._folder.path / "wandb" / Path(run.dir).parent.name

    def _best(self) -> dict[str, dict[str, float]]:
        """The best values of all rows: in a resumed run W&B itself has seen only the rows since the last resume."""
        rows = self._folder.metrics.read_text(encoding="utf-8").splitlines() if self._folder.metrics.exists() else []
        best: dict[str, dict[str, float]] = {}
        for name, value in (pair for row in rows for pair in json.loads(row).items()):
            if (way := self.direction(name)) and value is not None:
                known = best.get(name, {}).get(way, value)
                best[name] = {way: max(known, value) if way == "max" else min(known, value)}
        return best


def build_logger(
    save_dir: Path,
    objective: Mapping[str, str],
    project: str = "vggexp",
    entity: str | None = None,
    mode: str = "auto",
    name: str | None = None,
    group: str | None = None,
    job_type: str | None = None,
    tags: Sequence[str] = (),
    media: bool = True,
    media_every: int = 5,
    watch: Literal["gradients", "parameters", "all"] | None = None,
    watch_every: int = 100,
    artifact: bool = False,
) -> OneRun:
    """A Lightning logger for one W&B run, kept under ``save_dir``.

    Args:
        objective: ``metric`` and ``mode`` ("min" or "max") of the run's objective.
        project, entity, mode, name, group: the YAML takes them from WANDB_PROJECT ... where these are set, maybe to "".
        mode: "online", "offline", "disabled", or "auto": online if a key is configured and the network answers.
        name: name of the W&B run; None: the path of the run folder below runs/.
        group: name shared by runs that belong together, such as a study or a sweep.
        job_type: kind of run within its group, such as the task.
        tags: tags to filter by.
        media: whether to log images, tables and charts from the files of callback=diagnostics.
        media_every: epochs between logging validation images.
        watch: histograms of the gradients, of the parameters, or of all; None: of neither.
        watch_every: batches between two of them.
        artifact: whether to log the best checkpoint as a model.

    Raises:
        ConfigError: an unknown mode, or a number below 1. At the first row: W&B refuses the key, or does not answer.
    """
    mode = _EARLIER_MODES.get(mode, mode)
    require_known("logger.wandb.mode", mode, ("auto", "online", "offline", "disabled"))
    require_at_least("logger.wandb.media_every", media_every, 1)
    require_at_least("logger.wandb.watch_every", watch_every, 1)
    chosen = mode if mode != "auto" else ("online" if has_key() else "offline")
    # Offline runs flush every 15 s by default, so a killed short run would lose everything.
    # Always create a new W&B run: the jobs of a sweep share a process, and would all log into the first job's run.
    settings = wandb.Settings(silent=True, console="off", x_transaction_log_flush_interval=1, reinit="create_new")
    if mode == "auto":
        settings.init_timeout = _PATIENCE
    return OneRun(
        RunFolder(save_dir),
        may_go_offline=mode == "auto",
        directions={objective["metric"]: objective["mode"]},
        media_every=media_every if media else None,
        watch=watch,
        watch_every=watch_every,
        artifact=artifact,
        name=name or run_name(save_dir),
        project=project or "vggexp",
        entity=entity or None,
        group=group,
        job_type=job_type,
        tags=list(tags),
        mode=chosen,
        settings=settings,
    )


def has_key() -> bool:
    """Whether an API key is configured: in WANDB_API_KEY, or in the netrc file that ``wandb login`` writes."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    own = urlparse(os.environ.get("WANDB_BASE_URL", "")).hostname
    hosts = (own,) if own and own not in _CLOUDS else _CLOUDS
    path = Path(os.environ.get("NETRC", Path.home() / ".netrc"))
    try:
        known = netrc.netrc(path).hosts if path.is_file() else {}
    except (netrc.NetrcParseError, OSError):
        return False
    return not known.keys().isdisjoint(hosts)


def _exit_code(error: BaseException | None) -> int:
    if error is None:
        return 0
    return INTERRUPTED if isinstance(error, KeyboardInterrupt) else int(getattr(error, "code", None) or 1)
