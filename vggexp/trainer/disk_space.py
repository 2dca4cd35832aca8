"""Whether a run's checkpoints fit on its disk, found before training."""

from collections.abc import Mapping
from typing import Any

from torch import nn

from vggexp.distributed.whole import free_bytes
from vggexp.errors import DataError
from vggexp.learner.learner import Learner
from vggexp.run_folder import RunFolder

_REST = 2**20
"""Bytes for what else a run writes; pictures come on top."""


def check_space(config: Mapping[str, Any], folder: RunFolder, learner: Learner) -> None:
    """DataError if the disk of the run folder is too full for the run's checkpoints.

    At most ``last.ckpt`` and the one before it, ``best.ckpt`` and its successor lie there at a time.
    """
    last, best = expected_bytes(config, learner)
    need = 2 * (last + best) + _REST
    own = sum(path.stat().st_size for path in (folder.last, folder.previous, folder.best) if path.exists())
    if need > (free := free_bytes(folder.path)) + own:
        raise DataError(
            f"{folder.path}: the run's checkpoints take about {need / 2**20:,.0f} MiB (last.ckpt {last / 2**20:,.0f}, "
            f"best.ckpt {best / 2**20:,.0f}, each with its successor), and {free / 2**20:,.0f} MiB are free on its "
            "disk; free some, or choose another run.dir"
        )


def expected_bytes(config: Mapping[str, Any], learner: Learner) -> tuple[int, int]:
    """The sizes of ``last.ckpt`` and ``best.ckpt``: weights, the optimizer's state, an average of the weights."""
    network: nn.Module = learner
    weights = sum(one.nbytes for one in (*network.parameters(), *network.buffers()))
    trained = learner.freezing.trained(config["trainer"]["max_epochs"])
    own = sum(one.nbytes for (_, one), trains in zip(learner.freezing.parameters, trained, strict=True) if trains)
    averaged = weights if config["trainer"]["ema"] is not None else 0
    start = own if config["optimizer"].get("l2_sp") else 0
    last = weights + _moments(config["optimizer"]) * own + averaged + start
    return last, last if averaged else weights


def _moments(optimizer: Mapping[str, Any]) -> int:
    """Tensors of a parameter's size that the optimizer keeps for it."""
    if "betas" in optimizer or "Adam" in str(optimizer.get("_target_")):
        return 2
    return 1 if optimizer.get("momentum") else 0
