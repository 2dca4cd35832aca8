"""``train``: train one run, in this process or in several ranks."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vggexp.distributed.claim import claim
from vggexp.distributed.launcher import agree, start
from vggexp.distributed.processes import adopt_slurm, to_start


def run(config: Mapping[str, Any], go_on: bool = False) -> int:
    """Train one run from its resolved config. All its files go to its run folder.

    Args:
        go_on: take up the folder's last checkpoint, as if the run had never stopped.
    """
    adopt_slurm()
    with claim(Path(config["run"]["dir"])):
        if count := to_start(config):
            return start(config, go_on, count)
        from vggexp.trainer.training import train  # a parent that only starts others does without Lightning

        return train(*agree(config, go_on))
