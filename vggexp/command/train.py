"""``train``: train one run, in this process or in several ranks."""

from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from vggexp.distributed.claim import claim
from vggexp.distributed.launcher import agree, start
from vggexp.distributed.processes import adopt_slurm, place_in_run, to_start


def run(config: Mapping[str, Any], go_on: bool = False) -> int:
    """Train one run from its resolved config. All its files go to its run folder.

    Args:
        go_on: take up the folder's last checkpoint, as if the run had never stopped.
    """
    adopt_slurm()
    is_writer = place_in_run()[0] == 0  # of the processes that torchrun or srun started, the first writes the folder
    with claim(Path(config["run"]["dir"])) if is_writer else nullcontext():
        if count := to_start(config):
            return start(config, go_on, count)
        from vggexp.trainer.training import train  # a parent that only starts others does without Lightning

        return train(*agree(config, go_on))
