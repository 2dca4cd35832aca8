"""What a run's caches will hold in memory once they are full: ``data.batch_size=auto`` leaves room for it."""

from collections.abc import Mapping
from contextlib import redirect_stdout
from typing import Any

from torch.utils.data import Dataset

from vggexp.cache.feature_cache import feature_cache
from vggexp.cache.moving import moving_cache
from vggexp.cache.settings import CacheSettings
from vggexp.config.check import needs
from vggexp.learner.learner import Learner
from vggexp.sample.data_contract import open_split
from vggexp.sample.decoded import decoded_bytes
from vggexp.sample.files import Files
from vggexp.trainer.build import build
from vggexp.types import Data, Sample

Config = Mapping[str, Any]
SPLITS = {"train": True, "val": False}
"""The splits that are kept in memory, and whether each is trained on."""


def kept_bytes(config: Config, data: Data, learner: Learner) -> int:
    """Bytes that decoded images and features of frozen stages will take in this process.

    The learner's ``entrance`` stays as it was.
    """
    whole = {name: open_split(data, name, needs(config), trains) for name, trains in SPLITS.items()}
    before = learner.entrance
    with redirect_stdout(None):  # the run tells which caches it uses
        features, is_constant = _features(config, learner, whole)
    learner.entrance = before
    # Where the same stages are frozen all along, their features come in place of decoded images.
    return features if features and is_constant else features + _decoded(config, whole)


def _features(config: Config, learner: Learner, whole: Mapping[str, Dataset[Sample]]) -> tuple[int, bool]:
    """Bytes of features, and whether they are the same in all epochs."""
    if "cache" not in config:  # configs of older runs lack the group
        return 0, False
    settings: CacheSettings = build("cache", config["cache"])
    if cache := feature_cache(learner, config, settings):
        return sum(cache.in_memory(name, whole[name], trains) for name, trains in SPLITS.items()), True
    if moving := moving_cache(learner, config, settings):
        return moving.in_memory(whole, SPLITS), False
    return 0, False


def _decoded(config: Config, whole: Mapping[str, Dataset[Sample]]) -> int:
    data = config["data"]
    if data.get("cache", "none") != "memory":  # configs of older runs lack the key
        return 0
    return sum(decoded_bytes(split, data["cache_max_gb"]) for split in whole.values() if isinstance(split, Files))
