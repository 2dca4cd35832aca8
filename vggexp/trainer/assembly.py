"""The objects that a training uses, built from its config."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vggexp.cache.feature_cache import feature_cache
from vggexp.cache.moving import moving_cache
from vggexp.cache.settings import CacheSettings
from vggexp.callback.freeze_ledger import FreezeLedger
from vggexp.callback.stopwatch import Stopwatch
from vggexp.learner.learner import Learner
from vggexp.run_folder import RunFolder
from vggexp.trainer.build import build
from vggexp.trainer.learner import build_learner
from vggexp.trainer.network import Network
from vggexp.trainer.splits import Splits
from vggexp.types import Data


@dataclass(frozen=True)
class Training:
    """The objects that a training uses."""

    config: Mapping[str, Any]
    """The resolved config."""
    folder: RunFolder
    learner: Learner
    splits: Splits
    stopwatch: Stopwatch
    freeze_ledger: FreezeLedger
    knows_start: bool = True
    """Whether the weights that the run began with are known; they may have come from a source that is gone."""


def assemble(config: Mapping[str, Any], data: Data, network: Network) -> Training:
    """Build the learner, its callbacks and the splits. Writes nothing.

    Args:
        network: as ``network.start_network`` built it.
    """
    learner = build_learner(network.config, data.info, recorded=config, network=network)
    learner.check_arguments(config["trainer"]["max_epochs"])
    folder = RunFolder(config["run"]["dir"])
    stopwatch, freeze_ledger = Stopwatch(), FreezeLedger(folder.freeze, learner.freezing)
    splits = Splits(config, data, *feature_caches(learner, config))
    return Training(config, folder, learner, splits, stopwatch, freeze_ledger, network.knows_start)


def feature_caches(learner: Learner, config: Mapping[str, Any]) -> Sequence[Any]:
    """The cache for a constant freeze policy, and the one for a policy that changes; at most one is not None."""
    if "cache" not in config:  # configs of older runs lack the group
        return None, None
    settings: CacheSettings = build("cache", config["cache"])
    return feature_cache(learner, config, settings), moving_cache(learner, config, settings)
