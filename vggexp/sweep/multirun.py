"""Plans a sweep (number of jobs, jobs at once), and shows its progress while other processes run the jobs."""

import math
import os
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf

from vggexp.distributed.processes import num_cores, num_gpus, place_in_run
from vggexp.errors import ConfigError, kind_and_line
from vggexp.sweep.journal import Journal, Plan, line, sweep_status

LOOK_EVERY = 0.5
"""Seconds between two reads of the journal."""


class Announce(Callback):
    """Hydra calls this when a sweep starts. It is pickled into every job's process, so it holds only a path."""

    def __init__(self, path: str) -> None:
        self.path = path

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """Write the plan; if the jobs run in other processes, start to show their progress.

        Hydra would only warn of an exception here and go on without a plan, so an error leaves as SystemExit.
        """
        if place_in_run()[0] > 0:
            return
        journal = Journal(Path(self.path).absolute())
        try:
            journal.begin(plan := plan_of(config))
        except ConfigError as error:
            raise SystemExit from error
        except Exception as error:
            raise SystemExit from ConfigError(f"the sweep cannot be planned: {kind_and_line(error)}")
        if plan.apart:
            _watchers.append(Watcher(journal))


def plan_of(config: DictConfig) -> Plan:
    """The plan of a sweep, from a composed config with its ``hydra`` node."""
    node: Any = OmegaConf.to_container(config.hydra, resolve=False)
    launcher, sweeper = node["launcher"], node["sweeper"]
    counts = swept(sweeper.get("params") or {}, node["overrides"]["task"])
    if empty := [key for key, count in counts.items() if count == 0]:
        raise ConfigError(f"the sweep has no job: {empty[0]} has no value; no option matches, or the range is empty")
    jobs = int(sweeper.get("n_trials") or math.prod(counts.values()))
    batch = int(sweeper.get("max_batch_size") or (sweeper.get("n_jobs") if "n_trials" in sweeper else 0) or jobs)
    at_once, share = width(launcher, min(jobs, batch))
    apart = not launcher["_target_"].endswith("BasicLauncher")
    seen = os.environ.get("CUDA_VISIBLE_DEVICES")
    gpus = tuple(seen.split(",")) if seen else tuple(map(str, range(num_gpus() if apart else 0)))
    threads = os.environ.get("OMP_NUM_THREADS")
    return Plan(jobs, at_once, share, apart, tuple(counts), gpus=gpus, threads=threads)


def swept(params: Mapping[str, Any], words: list[str]) -> dict[str, int]:
    """The keys that a sweep varies, with the number of values of each (1 for an interval)."""
    root = GlobalHydra.instance()  # glob() asks it which options there are
    loader = root.config_loader() if root.is_initialized() else None
    parsed = OverridesParser.create(loader).parse_overrides(
        [*(f"{key}={value}" for key, value in params.items()), *words]
    )
    last = {override.get_key_element().lstrip("+~"): override for override in parsed}
    return {
        key: len(list(override.sweep_iterator())) if override.is_discrete_sweep() else 1
        for key, override in last.items()
        if override.is_sweep_override()
    }


def width(launcher: Mapping[str, Any], batch: int) -> tuple[int, int]:
    """How many jobs of a batch run at once in all, and how many of these on one machine."""
    target = str(launcher["_target_"])
    if "joblib" in target:
        wanted = int(launcher.get("n_jobs", -1))
        cores = num_cores()
        at_once = min(wanted if wanted > 0 else max(cores + 1 + wanted, 1), batch)
        return at_once, at_once
    if target.endswith("LocalLauncher"):
        return batch, batch
    if target.endswith("SlurmLauncher"):
        return min(int(launcher.get("array_parallelism") or batch), batch), 1
    return 1, 1


class Watcher:
    """Prints a line for each job that ends, and the sweep's progress; a terminal shows this on one updated line."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._told: set[int] = set()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Print the lines that are still missing, and end the thread."""
        self._end.set()
        self._thread.join()
        self._look()
        if sys.stdout.isatty():
            print()

    def _watch(self) -> None:
        while not self._end.wait(LOOK_EVERY):
            self._look()

    def _look(self) -> None:
        if (plan := self._journal.plan()) is None:
            return
        entries = self._journal.entries()
        ended = [entry for entry in entries if entry.status != "running" and entry.number not in self._told]
        self._told |= {entry.number for entry in ended}
        lines, status = [line(plan, entry) for entry in ended], sweep_status(plan, entries, time.time())
        if sys.stdout.isatty():
            clear = "\r\x1b[2K"
            print("".join(f"{clear}{text}\n" for text in lines) + clear + status, end="", flush=True)
        elif ended:
            print(*lines, status, sep="\n", flush=True)


_watchers: list[Watcher] = []


def stop_watching() -> None:
    """End the progress display."""
    while _watchers:
        _watchers.pop().stop()
