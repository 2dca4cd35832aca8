"""``train``: one training, from its config to its summary. Imports Lightning while the weights are drawn."""

import os
import random
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from importlib import import_module
from itertools import count
from typing import Any

import numpy as np
import torch

from vggexp.distributed.memory import give_back_freed_memory, keep_out_of_collections
from vggexp.sweep.journal import runs_job
from vggexp.trainer.anchor_sizes import with_anchors
from vggexp.trainer.batch_size import with_batch_size
from vggexp.trainer.network import build_data, draws_alone, start_network
from vggexp.trainer.shortage import explained

_TRAININGS = count()
"""How many trainings this process has begun."""


def train(config: Mapping[str, Any], go_on: bool = False) -> int:
    """Train one run from its resolved config in this process, which may be one of several ranks.

    Args:
        go_on: resume from the folder's last checkpoint.
    """
    if (before := next(_TRAININGS)) > 0:
        give_back_freed_memory()  # memory of the sweep's previous run
    if before == 1 and runs_job():
        keep_out_of_collections()
    with explained(config):
        settled = with_batch_size(config, go_on)
    with explained(settled):
        return _train(settled, go_on)


def _train(config: Mapping[str, Any], go_on: bool) -> int:
    _seed_everything(config["seed"])
    data = build_data(config)
    config = config if go_on else with_anchors(config, data)
    with _importing("pytorch_lightning") if draws_alone(config) else nullcontext():
        network = start_network(config, data.info, go_on)
    from vggexp.trainer.fitting import fit_and_test

    return fit_and_test(config, data, network, go_on)


@contextmanager
def _importing(name: str) -> Iterator[None]:
    """Import a package in another thread meanwhile, unless it is imported already.

    What runs meanwhile must import nothing: where two threads import modules that import each other in a circle,
    Python lets one of them see a module that is not complete.
    """
    if name in sys.modules:
        yield
        return
    with ThreadPoolExecutor(1) as thread:
        thread.submit(import_module, name)  # what goes wrong there is told by the import that needs the package
        yield


def _seed_everything(seed: int) -> None:
    """Do what Lightning's function of this name does, before Lightning is imported."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  (the user's transforms may draw from it)
    torch.manual_seed(seed)
    os.environ.update(PL_GLOBAL_SEED=str(seed), PL_SEED_WORKERS="1")
