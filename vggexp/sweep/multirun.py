"""A sweep before it starts: how many jobs it has, how many of them at once; and how it stands while others run them."""

import math
import os
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf

from vggexp.distributed.processes import num_cores, num_gpus, place_in_run
from vggexp.sweep.journal import Journal, Plan, line, standing

LOOK_EVERY = 0.5
"""Seconds between two looks at the journal."""


class Announce(Callback):
    """Hydra's word that a sweep begins and ends. It travels to every job's process, so it holds nothing but a path."""

    def __init__(self, path: str) -> None:
        self.path = path

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """Write the plan; if the jobs will run in other processes, watch them."""
        if place_in_run()[0] > 0:
            return
        journal, plan = Journal(Path(self.path).absolute()), plan_of(config)
        journal.begin(plan)
        if plan.apart:
            _watchers.append(Watcher(journal))


def plan_of(config: DictConfig) -> Plan:
    """The plan of a composed config with its ``hydra`` node."""
    node: Any = OmegaConf.to_container(config.hydra, resolve=False)
    launcher, sweeper = node["launcher"], node["sweeper"]
    counts = swept(sweeper.get("params") or {}, node["overrides"]["task"])
    jobs = int(sweeper.get("n_trials") or math.prod(counts.values()))
    batch = int(sweeper.get("max_batch_size") or (sweeper.get("n_jobs") if "n_trials" in sweeper else 0) or jobs)
    at_once, share = width(launcher, min(jobs, batch))
    apart = not launcher["_target_"].endswith("BasicLauncher")
    seen = os.environ.get("CUDA_VISIBLE_DEVICES")
    gpus = tuple(seen.split(",")) if seen else tuple(map(str, range(num_gpus() if apart else 0)))
    threads = os.environ.get("OMP_NUM_THREADS")
    return Plan(jobs, at_once, share, apart, tuple(counts), gpus=gpus, threads=threads)


def swept(params: Mapping[str, Any], words: list[str]) -> dict[str, int]:
    """The keys that a sweep varies, and how many values each has (1 for an interval)."""
    parsed = OverridesParser.create().parse_overrides([*(f"{key}={value}" for key, value in params.items()), *words])
    last = {override.get_key_element().lstrip("+~"): override for override in parsed}
    return {
        key: len(list(override.sweep_iterator())) if override.is_discrete_sweep() else 1
        for key, override in last.items()
        if override.is_sweep_override()
    }


def width(launcher: Mapping[str, Any], batch: int) -> tuple[int, int]:
    """How many jobs of a batch run at once, and how many of those share a machine."""
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
    """Shows a line for each job that ends, and how the sweep stands: in a terminal on a line that is drawn anew."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._told: set[int] = set()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Tell what is left to tell."""
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
        lines, stand = [line(plan, entry) for entry in ended], standing(plan, entries, time.time())
        if sys.stdout.isatty():
            clear = "\r\x1b[2K"
            print("".join(f"{clear}{text}\n" for text in lines) + clear + stand, end="", flush=True)
        elif ended:
            print(*lines, stand, sep="\n", flush=True)


_watchers: list[Watcher] = []


def stop_watching() -> None:
    """The sweep is over."""
    while _watchers:
        _watchers.pop().stop()
