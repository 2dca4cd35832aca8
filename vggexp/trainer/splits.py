"""The splits of a run's data as batches, read through the caches that its config asks for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils.data import Dataset

from vggexp.cache.feature_cache import CachedSplit, FeatureCache
from vggexp.config.check import needs
from vggexp.sample.decoded import keep_decoded
from vggexp.sample.files import Files
from vggexp.sample.loader import ResumableLoader
from vggexp.trainer.build import build_loader
from vggexp.types import Data, Sample, Task


@dataclass(frozen=True)
class Splits:
    """What a run reads.

    What is met once is worth keeping only for other runs: the test split goes through caches on disk alone.
    """

    config: Mapping[str, Any]
    data: Data
    features: FeatureCache | None
    """What the frozen first stages give, where that can be kept."""

    def loader(self, split: str, *, shuffle: bool = False) -> ResumableLoader:
        """Batches of "train", "val" or "test"; of features where they are kept.

        Args:
            shuffle: in an order that changes with the epoch, and augmented.
        """
        dataset = self.data.split(split, needs(self.config), augment=shuffle)
        if self.features is not None and (split != "test" or self.features.settings.mode == "disk"):
            dataset = self.features.split(dataset, split, augment=shuffle)
        return build_loader(self.config, self._decoded(dataset, split), shuffle=shuffle)

    def observe(self, task: Task, trained: Dataset[Sample]) -> None:
        """Show a task its training targets: what the constant predictor and class balancing are made of.

        Args:
            trained: what the run trains on. If it is cached, and nothing moves its targets, no photo is read for them.
        """
        if self.config["constant"]:
            with torch.inference_mode():
                for batch in build_loader(self.config, self._targets(trained), shared=False):
                    task.observe(batch)
        task.finish_observing()

    def _decoded(self, dataset: Dataset[Sample], split: str) -> Dataset[Sample]:
        own = self.config["data"]
        kept = own.get("cache", "none")  # of a run that was recorded before there was one: none
        if kept == "none" or not isinstance(dataset, Files) or (split == "test" and kept != "disk"):
            return dataset
        return keep_decoded(dataset, split, kept, own["cache_dir"], own["cache_max_gb"])

    def _targets(self, trained: Dataset[Sample]) -> Dataset[Sample]:
        own = self.config["data"]
        if isinstance(trained, CachedSplit) and own.get("train_transform") in ([], own.get("eval_transform", [])):
            return trained.targets()
        return self.data.split("train", needs(self.config))
