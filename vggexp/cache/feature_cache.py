"""Computes the features of the frozen first stages once, so that later epochs and later runs start from them.

The cache is used only if it does not change the result: those stages are frozen for the whole run, buffers included
(or for several epochs, see ``moving``), and the transform is not random, or ``cache.views`` limits it to a fixed number
of augmented views.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

from vggexp.cache.cached_split import CachedSplit
from vggexp.cache.columns import read_once
from vggexp.cache.eligible import deepest_entrance, first_frozen, is_random, refusal
from vggexp.cache.object_columns import packed, size_of, unpacked
from vggexp.cache.settings import CacheSettings
from vggexp.cache.sweep_features import SweepFeatures
from vggexp.config.check import needs
from vggexp.distributed.device import device_kind, resolve_precision
from vggexp.distributed.memory import give_back_freed_memory
from vggexp.errors import ConfigError
from vggexp.learner.freeze_check import network_hashes
from vggexp.learner.learner import Learner
from vggexp.sample.column_store import is_kept, read_columns, write_columns
from vggexp.sample.limits import images_read
from vggexp.sample.loader import Collate, Seeded, as_it_is, collate, workers_for
from vggexp.sample.reading import Reading
from vggexp.sweep.journal import runs_job
from vggexp.types import Batch, Sample

Config = Mapping[str, Any]
UNSEEN = ("batch_size", "workers", "timeout", "sampling", "cache", "cache_max_gb", "cache_dir", "index_dir")
"""Keys of the data config that do not change the samples."""
SWEEP_FEATURES = SweepFeatures()
"""Those that this process has computed for the job of a sweep that it ran last."""
_DTYPES = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}


@dataclass(frozen=True)
class FeatureCache:
    """Replaces a run's images by the features of its frozen stages."""

    learner: Learner
    config: Config
    settings: CacheSettings
    stage: int
    """The stage that the features come from, from 1."""
    sweep: SweepFeatures | None = None
    """What the next job of the sweep can use again; None: the features serve this run alone."""
    epochs: int | None = None
    """How many epochs read the features; None: all of the run."""

    @property
    def serves_others(self) -> bool:
        """Whether later runs read these features too, so that it pays to have them of a split that is read once."""
        return self.sweep is not None or self.settings.mode == "disk"

    def split(
        self,
        source: Dataset[Sample],
        name: str,
        augment: bool,
        together: Collate = collate,
        images: CachedSplit | None = None,
    ) -> Dataset[Sample]:
        """The split with its features in place of images; the split itself where they would be too large.

        Args:
            source, name: the split.
            augment: whether it is to train on.
            together: makes a batch of its samples.
            images: the same split, if its images are kept in memory.
        """
        moves = augment and is_random(self.config["data"]["train_transform"])
        views = self._views(augment)
        key = self._key(name, views, augment, moves) if self.serves_others else ""
        where = self._folder(key)
        if where is not None and is_kept(where):
            return CachedSplit(source, unpacked(read_columns(where)), views)
        if self.sweep is not None and (found := self.sweep.find(name, key)) is not None:
            print(f"cache: stage {self.stage} of {name}: as in an earlier job of the sweep")
            return CachedSplit(source, found, views)
        count = views * len(source)  # type: ignore[arg-type]
        if (reads := self._reads(name, source)) < count and not self.serves_others:
            whose = (
                f"the run reads {reads:,} images of {name}, fewer than the {count:,} whose features it would compute"
            )
            print(f"cache: {whose}: not cached")
            return source
        size = self._size(source, views)
        text = f"{count:,} images, {size / 2**20:,.0f} MiB"
        if self.settings.too_large(size):
            if where is not None:
                raise ConfigError(f"the features of {name} are {text}; give cache.max_gb={size / 2**30:.1f} or more")
            print(f"cache: the features of {name} are {text}, more than cache.max_gb: not cached")
            return source
        print(f"cache: stage {self.stage} of {name}: {text}" + (f" in {where}" if where else ""))
        if images is None:
            seed = self.config["seed"] if moves else None
            workers = workers_for(self.config["data"]["workers"], source)
            columns = self._compute(Reading(source, name), views, seed, together, workers)
        else:
            columns = self._compute(images, 1, None, as_it_is, 0)
        give_back_freed_memory()
        kept = columns if where is None else unpacked(write_columns(where, packed(columns)))
        if self.sweep is not None:
            self.sweep.keep(name, key, kept)
        return CachedSplit(source, kept, views)

    def in_memory(self, name: str, source: Dataset[Sample], augment: bool) -> int:
        """Bytes of memory that the features of a split will take: none on disk, or where the split stays as it is."""
        views = self._views(augment)
        size, count = self._size(source, views), views * len(source)  # type: ignore[arg-type]
        is_kept = self.serves_others or self._reads(name, source) >= count
        return 0 if self.settings.mode == "disk" or self.settings.too_large(size) or not is_kept else size

    def _reads(self, name: str, source: Dataset[Sample]) -> int:
        """The images of a split that are read while its features hold; a trial run with limits reads few."""
        if name == "test":
            return images_read(self.config, name, len(source), 1)  # type: ignore[arg-type]
        epochs = self.config["trainer"]["max_epochs"] if self.epochs is None else self.epochs
        return images_read(self.config, name, len(source), epochs)  # type: ignore[arg-type]

    def _views(self, augment: bool) -> int:
        moves = augment and is_random(self.config["data"]["train_transform"])
        return (self.settings.views or 1) if moves else 1

    def _size(self, source: Dataset[Sample], views: int) -> int:
        return views * len(source) * self._bytes(source[0])  # type: ignore[arg-type]

    def _compute(
        self, source: Dataset[Sample], views: int, seed: int | None, together: Collate, workers: int
    ) -> dict[str, Any]:
        """Every view of every sample through the frozen stages, in evaluation mode and in the run's precision."""
        count = len(source)  # type: ignore[arg-type]
        dataset = source if seed is None else Seeded(source, seed)
        places: list[Any] = [
            index if seed is None else (view, index) for view in range(views) for index in range(count)
        ]
        batch_size = self.config["data"]["batch_size"]
        return read_once(dataset, places, together, self._changed, batch_size=batch_size, workers=workers)

    def _changed(self, batch: Batch) -> dict[str, Any]:
        """A batch with features in place of images."""
        found: dict[str, Any] = {name: value for name, value in batch.items() if name != "image"}
        return {**found, "feature": self._features(batch["image"]).cpu()}

    @torch.inference_mode()
    def _features(self, images: Tensor) -> Tensor:
        backbone, config = self.learner.backbone, self.config
        assert isinstance(backbone, torch.nn.Module)
        device = device_kind(config["trainer"]["gpus"])
        backbone.to(device).eval()
        dtype = _DTYPES.get(resolve_precision(config["trainer"]["precision"], device))
        layout = torch.channels_last if config["trainer"]["channels_last"] else torch.contiguous_format
        with torch.autocast(device, dtype, enabled=dtype is not None):
            x = backbone.normalize(images.to(device).contiguous(memory_format=layout))
            for stage in backbone.stages()[: self.stage]:
                x = stage(x)
        return x

    def _bytes(self, sample: Sample) -> int:
        """Bytes of a sample's features and targets."""
        feature = self._features(sample["image"].unsqueeze(0))
        return feature.nbytes + sum(size_of(value) for name, value in sample.items() if name != "image")

    def _folder(self, key: str) -> Path | None:
        """A split's folder on disk; None unless mode is "disk"."""
        if self.settings.mode != "disk" or self.settings.dir is None:
            return None
        return Path(self.settings.dir).expanduser() / key

    def _key(self, name: str, views: int, augment: bool, moves: bool) -> str:
        """A hash of all that a split's features depend on; of random views also the seed."""
        config = self.config
        own = {key: value for key, value in config["data"].items() if key not in UNSEEN}
        trainer = config["trainer"]
        depends = {
            "network": [config["backbone"]["_target_"], self._hashes],
            "statistics": [config["backbone"].get(key) for key in ("net", "mean", "std", "local_response_norm")],
            "data": [own, self._data_files, sorted(needs(config)), name],
            "views": [views, augment, config["seed"] if moves else None],
            "numbers": [trainer["precision"], trainer["channels_last"], device_kind(trainer["gpus"])],
            "targets": 2,  # 1: masks half a pixel off
            "version": [torch.__version__, torch.get_num_threads()],
        }
        digest = hashlib.blake2b(json.dumps(depends, sort_keys=True, default=str).encode(), digest_size=16)
        return digest.hexdigest()

    @cached_property
    def _hashes(self) -> list[Any]:
        """The hashes of the frozen stages' tensors, which no step changes."""
        hashes = network_hashes(self.learner.freezing, [f"stage{k}" for k in range(1, self.stage + 1)])
        return [*hashes.values()]

    @cached_property
    def _data_files(self) -> str:
        return _files(self.config["data"].get("root"))


def feature_cache(learner: Learner, config: Config, settings: CacheSettings) -> FeatureCache | None:
    """The feature cache of a run whose freeze policy is constant; None if the run cannot use one.

    A printed line gives the reason. ``moving`` has the cache of policies that change.

    It also sets the learner's ``entrance``: the stage at which cached features enter the backbone.
    """
    found = _feature_cache(learner, config, settings)
    if found is None or found.sweep is None:
        SWEEP_FEATURES.clear()  # this job has no use for them, and may need the memory
    return found


def _feature_cache(learner: Learner, config: Config, settings: CacheSettings) -> FeatureCache | None:
    if settings.mode == "off" or not learner.freezing.settled:
        return None
    if not (frozen := first_frozen(learner, 0)):
        return None
    stage = min(frozen, deepest_entrance(learner.head))
    if refusal(learner, config, settings, stage):
        return None
    height, width = config["data"]["image_size"]
    learner.entrance = (stage, (height, width))
    shares = settings.mode == "auto" and settings.share and runs_job()
    return FeatureCache(learner, config, settings, stage, SWEEP_FEATURES if shares else None)


def _files(root: str | None) -> str:
    """A hash of the names, sizes and modification times of all files in a data set's folder."""
    if root is None:
        return ""
    found = sorted(path for path in Path(root).expanduser().rglob("*") if path.is_file())
    facts = [(str(path), (stat := path.stat()).st_size, stat.st_mtime_ns) for path in found]
    return hashlib.blake2b(repr(facts).encode(), digest_size=16).hexdigest()
