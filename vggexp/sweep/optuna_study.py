"""A search by Optuna: creates the study, asks it for trials, and tells it the results of the runs.

Akiba et al., arXiv 1907.10902. A study is stored in a database; opening it again continues it.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vggexp.errors import ConfigError, first_line, require_known
from vggexp.run_folder import RunFolder
from vggexp.sweep.journal import Entry

SAMPLERS = {"tpe": "TPESampler", "random": "RandomSampler", "qmc": "QMCSampler"}
FOLDER = "folder"
"""The user attribute of a trial that holds its run folder."""

Space = Mapping[str, Any]
"""Optuna's distribution of each searched key."""


@contextmanager
def open_study(
    name: str, storage: str | None, mode: str, *, sampler: str, seed: int, startup: int, batch: int
) -> Iterator[Any]:
    """The study of this name, made if it is not there yet; its database is closed when the context ends.

    Args:
        mode: direction of the objective, "min" or "max".
        sampler: "tpe", "random" or "qmc".
        startup: number of random trials before TPE starts to choose.
        batch: trials that run at once; with more than one, TPE assumes the worst value for those still running.

    Raises:
        ConfigError: optuna is not installed, the sampler is unknown, or the storage cannot be opened.
    """
    try:
        import optuna
    except ModuleNotFoundError as error:
        raise ConfigError("hydra/sweeper=optuna is not installed; pip install 'vggexp[optuna]'") from error
    require_known("hydra.sweeper.sampler", sampler, SAMPLERS)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    database = _database(storage) if storage else None
    try:
        direction = {"min": "minimize", "max": "maximize"}[mode]
        study = optuna.create_study(storage=database, study_name=name, direction=direction, load_if_exists=True)
        # With the same seed each time, a continued study would draw its first values again.
        settings: dict[str, Any] = {"seed": seed + len(study.trials)}
        if sampler == "tpe":
            settings |= {"n_startup_trials": startup, "constant_liar": batch > 1}
        study.sampler = getattr(optuna.samplers, SAMPLERS[sampler])(**settings)
        yield study
    finally:
        if database is not None:  # Optuna leaves its connections to the garbage collector
            database.remove_session()
            database.engine.dispose()


def _database(storage: str) -> Any:
    from optuna.storages import RDBStorage

    if storage.startswith("sqlite:///"):
        Path(storage.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    try:
        return RDBStorage(storage)
    except Exception as error:  # SQLAlchemy and the database drivers raise many kinds
        raise ConfigError(f"hydra.sweeper.storage={storage} cannot be opened: {first_line(error)}") from error


def requeue_interrupted(study: Any) -> None:
    """Queue the trials that an interrupted command left running; the same overrides find their run folders."""
    from optuna.trial import TrialState

    for trial in study.get_trials(states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)
        study.enqueue_trial(trial.params, skip_if_exists=False)


def finished(study: Any) -> list[Any]:
    """The trials with a result: complete or pruned."""
    from optuna.trial import TrialState

    return list(study.get_trials(states=(TrialState.COMPLETE, TrialState.PRUNED)))


def folders(study: Any) -> tuple[str, ...]:
    """The run folders of the study's finished trials."""
    return tuple(trial.user_attrs[FOLDER] for trial in finished(study) if FOLDER in trial.user_attrs)


def ask(study: Any, space: Space, count: int) -> list[Any]:
    """Ask the study for ``count`` new trials."""
    return [study.ask(fixed_distributions=dict(space)) for _ in range(count)]


def words(trial: Any) -> list[str]:
    """A trial's values as overrides. A quoted value stands for several: ``freeze='stage freeze.stages=2'``."""
    found: list[str] = []
    for key, value in trial.params.items():
        first, *more = _several(value)
        found += [f"{key}={first}", *more]
    return found


def keys(space: Space) -> tuple[str, ...]:
    """The keys that a search varies: those of the space, and those of further words in quoted values."""
    values = (value for one in space.values() for value in getattr(one, "choices", ()))
    more = (word.partition("=")[0] for value in values for word in _several(value)[1:])
    return tuple(dict.fromkeys((*space, *more)))


def _several(value: Any) -> list[Any]:
    """A value, and the further words in it."""
    is_quoted = isinstance(value, str) and len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    return value[1:-1].split() if is_quoted and "=" in value else [value]


def tell(study: Any, trial: Any, value: float, entry: Entry | None, metric: str) -> None:
    """Tell the study a trial's state (complete with its value, pruned or failed) and its curve."""
    from optuna.trial import TrialState

    if entry is None or entry.status in ("failed", "running", "stopped") or value != value:
        study.tell(trial, state=TrialState.FAIL)
        return
    if entry.folder:
        trial.set_user_attr(FOLDER, entry.folder)
        for epoch, score in RunFolder(entry.folder).curve(metric).items():
            trial.report(score, epoch)
    if entry.status == "pruned":
        study.tell(trial, state=TrialState.PRUNED)
    else:
        study.tell(trial, value)


def best(study: Any, keys: Sequence[str]) -> str:
    """One line about the best trial; '' if no trial is complete."""
    from optuna.trial import TrialState

    if not study.get_trials(states=(TrialState.COMPLETE,)):
        return ""
    trial = study.best_trial
    chosen = " ".join(f"{key}={trial.params[key]}" for key in keys if key in trial.params)
    return f"best of {len(finished(study))} trials: {trial.value:.4g}  {chosen}  {trial.user_attrs.get(FOLDER, '')}"
