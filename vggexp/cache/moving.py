"""The feature cache of a freeze policy that changes during training: it follows the boundary of the frozen stages.

While the same first stages are frozen, their features are computed once. When the boundary moves, they are dropped, and
those of the new boundary are computed, from images that stay in memory: epochs that train everything read these too.
Which epochs use features depends on the config alone, of ``freeze=auto`` also on what was measured, which the
checkpoint has; so a resumed run uses them in the same epochs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback
from torch.utils.data import Dataset

from vggexp.cache.cached_split import CachedSplit
from vggexp.cache.eligible import deepest_entrance, first_frozen, is_random, refusal
from vggexp.cache.feature_cache import FeatureCache
from vggexp.cache.kept_images import bytes_of_images, kept_images
from vggexp.cache.settings import CacheSettings
from vggexp.learner.learner import Learner
from vggexp.sample.limits import images_read
from vggexp.sample.loader import Collate, ResumableLoader
from vggexp.types import Sample

Config = Mapping[str, Any]


@dataclass(frozen=True)
class Span:
    """Consecutive epochs in which the same first stages are frozen."""

    stage: int
    """The number of frozen first stages whose features the head can start from; 0: none."""
    start: int
    """The first epoch, from 0."""
    end: int
    """The epoch after the last one."""

    def __len__(self) -> int:
        return self.end - self.start


def spans(stages: Sequence[int]) -> list[Span]:
    """The spans of a run, given the number of frozen first stages in each epoch.

    >>> spans([5, 5, 5, 0])
    [Span(stage=5, start=0, end=3), Span(stage=0, start=3, end=4)]
    """
    found, start = [], 0
    for stage, epochs in groupby(stages):
        end = start + len(list(epochs))
        found.append(Span(stage, start, end))
        start = end
    return found


@dataclass(frozen=True)
class _Followed:
    """A split whose loader gets features in the spans that are long enough."""

    name: str
    source: Dataset[Sample]
    loader: ResumableLoader
    augment: bool
    together: Collate
    passes: int
    """Passes that computing the features costs: one for each view."""
    keeps_images: bool
    """Whether the split is kept in memory, unless it is too large, so that each of its images is decoded once."""


class MovingCache(Callback):
    """Gives the loaders the features of the current boundary at the start of each span.

    A span that reads a split no more often than computing its features would is left as it is.
    """

    def __init__(self, learner: Learner, config: Config, settings: CacheSettings) -> None:
        self._learner, self._config, self._settings = learner, config, settings
        self._spans = self._planned()
        self._followed: list[_Followed] = []
        self._images: dict[str, CachedSplit | None] = {}
        self._current: Span | None = None

    @property
    def pays(self) -> bool:
        """Whether any span can use features, or may once the policy has measured."""
        return self._learner.freezing.measuring is not None or any(span.stage and len(span) > 1 for span in self._spans)

    @property
    def stages(self) -> set[int]:
        """The boundaries whose features some span may keep."""
        if self._learner.freezing.measuring is not None:
            return set(range(1, deepest_entrance(self._learner.head) + 1))
        return {span.stage for span in self._spans if span.stage and len(span) > 1}

    def follow(
        self, name: str, loader: ResumableLoader, source: Dataset[Sample], *, augment: bool, together: Collate
    ) -> None:
        """Give this split's loader features from now on, wherever they pay.

        Args:
            name: "train" or "val".
            loader, source: the loader, and the split that it reads.
            augment: whether the split is trained on.
            together: makes a batch of its samples.
        """
        moves = augment and is_random(self._config["data"]["train_transform"])
        passes = (self._settings.views or 1) if moves else 1
        keeps = self._keeps_images(name, source, augment)
        self._followed.append(_Followed(name, source, loader, augment, together, passes, keeps))

    def in_memory(self, splits: Mapping[str, Dataset[Sample]], trains: Mapping[str, bool]) -> int:
        """Bytes of memory that features and images take together at most.

        Args:
            splits, trains: by name, the splits that are followed, and whether each is trained on.
        """
        caches = [FeatureCache(self._learner, self._config, self._settings, stage) for stage in self.stages]
        features = [
            sum(cache.in_memory(name, split, trains[name]) for name, split in splits.items()) for cache in caches
        ]
        kept = [
            bytes_of_images(split) for name, split in splits.items() if self._keeps_images(name, split, trains[name])
        ]
        return max(features, default=0) + sum(size for size in kept if not self._settings.too_large(size))

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Read the images. Lightning skips ``on_train_epoch_start`` for a run that is resumed within an epoch."""
        data = self._config["data"]
        for split in self._followed:
            if split.keeps_images:
                self._images[split.name] = kept_images(split.source, split.name, data, self._settings, split.together)
        self._move(pl_module.current_epoch)

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Compute the features of a new span, before its first batch."""
        self._move(pl_module.current_epoch)

    def _keeps_images(self, name: str, source: Dataset[Sample], augment: bool) -> bool:
        """Unless they are kept otherwise, or differ from epoch to epoch, or one pass reads as many as the run does."""
        data, count = self._config["data"], len(source)  # type: ignore[arg-type]
        if getattr(source, "in_memory", False) or data.get("cache", "none") != "none" or self._settings.mode != "auto":
            return False
        reads = images_read(self._config, name, count, self._config["trainer"]["max_epochs"])
        return reads > count and not (augment and is_random(data["train_transform"]))

    def _planned(self) -> list[Span]:
        """The spans as far as they are known: of a policy that measures, the last boundary counts for the rest."""
        limit = deepest_entrance(self._learner.head)
        epochs = range(self._config["trainer"]["max_epochs"])
        return spans([min(limit, first_frozen(self._learner, epoch)) for epoch in epochs])

    def _move(self, epoch: int) -> None:
        if self._learner.freezing.measuring is not None:
            self._spans = self._planned()
        span = next(span for span in self._spans if span.start <= epoch < span.end)
        if span == self._current:
            return
        self._current = span
        for split in self._followed:  # all of them, before any is computed: the old features must not stay in memory
            split.loader.features = self._images.get(split.name)
        if not span.stage:
            return
        height, width = self._config["data"]["image_size"]
        self._learner.entrance = (span.stage, (height, width))
        cache = FeatureCache(self._learner, self._config, self._settings, span.stage, epochs=len(span))
        for split in self._followed:
            count = len(split.source)  # type: ignore[arg-type]
            if images_read(self._config, split.name, count, len(span)) > split.passes * count:
                images = self._images.get(split.name)
                found = cache.split(split.source, split.name, split.augment, split.together, images)
                split.loader.features = images if found is split.source else found
        self._learner.train()  # computing them put the backbone into evaluation mode


def moving_cache(learner: Learner, config: Config, settings: CacheSettings) -> MovingCache | None:
    """The cache of a run whose freeze policy changes; None if it cannot use one, with a printed line that says why."""
    if settings.mode == "off" or learner.freezing.settled:
        return None
    cache = MovingCache(learner, config, settings)
    if not cache.pays or refusal(learner, config, settings, deepest_entrance(learner.head)):
        return None
    return cache
