"""``hydra/sweeper=optuna``: runs Optuna's trials as jobs of a sweep. Hydra finds sweepers only in this package.

Hydra's own plugin (hydra-optuna-sweeper 1.3.0) requires Optuna below 3, which fails with current SQLAlchemy.
"""

import math
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import IntervalSweep, Override, RangeSweep
from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from vggexp.config.naming import digest
from vggexp.errors import ConfigError
from vggexp.sweep.journal import Journal, Plan


class OptunaSweeper(Sweeper):
    """Runs jobs in batches of ``n_jobs`` until the study has ``n_trials`` finished ones, or its time is over.

    Arguments: see its YAML.
    """

    def __init__(
        self,
        n_trials: int,
        n_jobs: int,
        storage: str | None,
        study: str | None,
        sampler: str,
        startup: int,
        seed: int,
        params: dict[str, str] | None = None,
        seconds: float | None = None,
    ) -> None:
        self.n_trials, self.n_jobs, self.params = n_trials, n_jobs, params or {}
        self.study, self.storage, self.seconds = study, storage, seconds
        self.sampling: dict[str, Any] = {"sampler": sampler, "seed": seed, "startup": startup}
        self.launcher: Launcher | None = None
        self.config: Any = None

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Called by Hydra before ``sweep``."""
        self.hydra_context, self.config = hydra_context, config
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> None:
        """Ask for trials, launch them and tell their results, until the study has ``n_trials``."""
        words = [*(f"{key}={value}" for key, value in self.params.items()), *arguments]
        loader = self.hydra_context.config_loader if self.hydra_context else None
        parsed = OverridesParser.create(loader).parse_overrides(words)
        overrides = {override.get_key_element(): override for override in parsed}
        fixed = [f"{key}={one.get_value_element_as_str()}" for key, one in overrides.items() if not _is_swept(one)]
        with self._open(fixed, [key for key, one in overrides.items() if _is_swept(one)], digest(words)) as study:
            space = {key: distribution(override) for key, override in overrides.items() if _is_swept(override)}
            self._search(study, space, fixed)

    def _search(self, study: Any, space: dict[str, Any], fixed: list[str]) -> None:
        from vggexp.sweep import optuna_study

        optuna_study.requeue_interrupted(study)
        left = max(self.n_trials - len(optuna_study.finished(study)), 0)
        journal = Journal(Path(self.config.hydra.callbacks.sweep.path).absolute())
        end = math.inf if self.seconds is None else time.monotonic() + self.seconds
        plan = replace(journal.plan() or Plan(left), jobs=left, earlier=optuna_study.folders(study))
        until = None if self.seconds is None else time.time() + self.seconds
        journal.begin(replace(plan, varies=optuna_study.keys(space), until=until))
        for first in range(0, left, self.n_jobs):
            if time.monotonic() >= end:
                print(f"\nhydra.sweeper.seconds={self.seconds} are over; the same command goes on", flush=True)
                break
            trials = optuna_study.ask(study, space, min(self.n_jobs, left - first))
            self._run(study, trials, fixed, first, journal)
        if best := optuna_study.best(study, list(space)):
            print(f"\n{best}", flush=True)

    def _open(self, fixed: list[str], keys: list[str], digested: str) -> AbstractContextManager[Any]:
        from vggexp.sweep.optuna_study import open_study

        if not keys:
            raise ConfigError("hydra/sweeper=optuna has nothing to search; give KEY=interval(LOW,HIGH) or KEY=A,B")
        name = self.study or f"{'-'.join(keys)}-{digested}"
        mode = str(OmegaConf.select(self.config, "objective.mode"))
        return open_study(name, self.storage, mode, batch=self.n_jobs, **self.sampling)

    def _run(self, study: Any, trials: Sequence[Any], fixed: list[str], first: int, journal: Journal) -> None:
        """Launch a batch of trials and tell the study their results."""
        from vggexp.sweep.optuna_study import tell, words

        batch = [[*fixed, *words(trial)] for trial in trials]
        self.validate_batch_is_legal(batch)
        assert self.launcher is not None
        returns = self.launcher.launch(batch, initial_job_idx=first)
        entries = {entry.number: entry for entry in journal.entries()}
        metric = f"val/{OmegaConf.select(self.config, 'objective.metric')}"
        for place, (trial, job) in enumerate(zip(trials, returns, strict=True)):
            value = job.return_value
            tell(study, trial, math.nan if value is None else float(value), entries.get(first + place), metric)


def _is_swept(override: Override) -> bool:
    return bool(override.is_sweep_override())


def distribution(override: Override) -> Any:
    """Optuna's distribution for Hydra's sweep: ``a,b``, ``range(1,5)``, ``interval(1e-4,1e-2)``, ``tag(log, ...)``."""
    from optuna.distributions import CategoricalDistribution

    value: Any = override.value()
    if isinstance(value, IntervalSweep):
        return _numbers(value.start, value.end)(value.start, value.end, log="log" in value.tags)
    if isinstance(value, RangeSweep):
        steps = list(value.range())
        return _numbers(*steps)(steps[0], steps[-1], **({"log": True} if "log" in value.tags else {"step": value.step}))
    return CategoricalDistribution(list(override.sweep_string_iterator()))


def _numbers(*values: Any) -> Any:
    from optuna.distributions import FloatDistribution, IntDistribution

    return IntDistribution if all(isinstance(value, int) for value in values) else FloatDistribution
