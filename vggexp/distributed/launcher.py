"""Starts a run's processes with torch's elastic launcher, waits for them, and reports which one failed and why.

Processes that torchrun or srun started agree on one config here.
"""

import json
import logging
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vggexp.distributed.processes import place_in_run, threads_each
from vggexp.distributed.signals import Terminated
from vggexp.errors import ConfigError, DataError, UserError

_stores: list[Any] = []  # kept alive: processes that join late still read rank 0's store


def start(config: Mapping[str, Any], go_on: bool, count: int) -> int:
    """Run ``count`` processes of ``vggexp.trainer.worker`` on this machine, all with one resolved config.

    Ctrl-C or the failure of one process ends all of them.

    Raises:
        UserError: with the first failing process's message and exit code.
        KeyboardInterrupt: the user pressed Ctrl-C.
    """
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import elastic_launch

    for name in logging.root.manager.loggerDict:
        if name.startswith(("torch.distributed.elastic", "torch.distributed.launcher")):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # ``_explain`` reports their errors in one line
    with _threads_for(count), tempfile.TemporaryDirectory(prefix="vggexp-") as folder:
        request = Path(folder, "request.json")
        request.write_text(json.dumps({"config": config, "go_on": go_on, "parent": os.getpid()}))
        launch = elastic_launch(_plan(config, count, folder), sys.executable)
        try:
            launch("-m", "vggexp.trainer.worker", str(request))
        except ChildFailedError as error:
            rank, failure = error.get_first_failure()
            raise _explain(rank, failure) from error
        except SignalException as error:
            raise (Terminated if error.sigval == signal.SIGTERM else KeyboardInterrupt) from error
    return 0


@contextmanager
def _threads_for(count: int) -> Iterator[None]:
    """Set OMP_NUM_THREADS so that the processes share the cores, unless the user has set it; unset it afterwards."""
    said = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = said or str(threads_each(count))
    try:
        yield
    finally:
        if said is None:
            del os.environ["OMP_NUM_THREADS"]


def _plan(config: Mapping[str, Any], count: int, folder: str) -> Any:
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, Std
    from torch.distributed.launcher.api import LaunchConfig

    trainer = config["trainer"]
    nodes, meeting = trainer.get("nodes") or 1, trainer.get("rendezvous")
    return LaunchConfig(
        min_nodes=nodes,
        max_nodes=nodes,
        nproc_per_node=count,
        run_id=str(meeting or os.getpid()),
        rdzv_backend="c10d",
        rdzv_endpoint=meeting or "127.0.0.1:0",
        max_restarts=0,
        monitor_interval=0.1,
        local_addr=None if meeting else "127.0.0.1",
        logs_specs=DefaultLogsSpecs(
            log_dir=folder, redirects=dict.fromkeys(range(1, count), Std.ALL), local_ranks_filter={0}
        ),
    )


def _explain(rank: int, failure: Any) -> UserError:
    """The error of the first process that failed: its own message, or the signal that ended it."""
    if failure.exitcode < 0:
        return DataError(f"process {rank} was ended by {_signal(-failure.exitcode)}; {_AFTER}")
    told = failure.message["message"] if isinstance(failure.message, dict) else str(failure.message)
    name, _, message = told.partition(": ")
    kinds: dict[str, type[UserError]] = {kind.__name__: kind for kind in UserError.__subclasses__()}
    if (kind := kinds.get(name)) is None:
        return DataError(f"process {rank} failed: {told}; {_AFTER}")
    return kind(message if issubclass(kind, ConfigError) else f"{message} (process {rank})")


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # Windows knows six
        return f"signal {number}"


_AFTER = "the others were stopped; python -m vggexp resume RUN continues from the last checkpoint"


def agree(config: Mapping[str, Any], go_on: bool) -> tuple[dict[str, Any], bool]:
    """Give every process rank 0's config, and whether to resume its run.

    The processes' clocks, and so their folder names, may differ; and rank 0 may have created the folder already.
    """
    agreed, goes_on = share("config", [config, go_on])
    return dict(agreed), bool(goes_on)


def share(name: str, value: Any) -> Any:
    """Rank 0's value in every process of the run, before torch connects them: plain types, as JSON gives them back."""
    if place_in_run()[1] == 1:
        return value
    store, rank, _, key = _store(name)
    if rank == 0:
        store.set(key, json.dumps(value))
    return json.loads(store.get(key))


def least_of_all(number: int) -> int:
    """The smallest of the numbers that the processes of a run give."""
    if place_in_run()[1] == 1:
        return number
    store, rank, count, key = _store("least")
    store.set(f"{key}/{rank}", str(number))
    return min(int(store.get(f"{key}/{other}")) for other in range(count))


def _store(name: str) -> tuple[Any, int, int, str]:
    """A store that the processes of the run share, this process, of how many, and a key that no other call uses."""
    from torch.distributed.rendezvous import rendezvous

    store, rank, count = next(rendezvous("env://"))
    key = f"vggexp/{name}/{len(_stores)}"  # a sweep under an outer torchrun has several jobs
    _stores.append(store)
    return store, rank, count, key
