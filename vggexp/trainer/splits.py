"""Loaders over the splits of a run's data, with the caches that the config enables."""

import sys
from collections.abc import Mapping, Sized
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils.data import Dataset

from vggexp.cache.cached_split import CachedSplit
from vggexp.cache.feature_cache import FeatureCache
from vggexp.cache.moving import MovingCache
from vggexp.config.check import needs
from vggexp.sample.balance import labels_of
from vggexp.sample.contract import Contract
from vggexp.sample.data_contract import check_ends, check_truth, open_split
from vggexp.sample.decoded import keep_decoded
from vggexp.sample.files import Files
from vggexp.sample.fingerprint import fingerprint
from vggexp.sample.loader import ResumableLoader
from vggexp.sample.open_check import check_crop, check_files
from vggexp.sample.resize import RECIPES, plain_recipe
from vggexp.trainer.image_size import check_image_size, check_training_size
from vggexp.trainer.length import check_length
from vggexp.trainer.loader import build_loader
from vggexp.types import Data, Sample, Task


@dataclass(frozen=True)
class Splits:
    """The splits that a run reads.

    A run reads the test split once, so only caches that later runs reuse apply to it.
    """

    config: Mapping[str, Any]
    data: Data
    features: FeatureCache | None
    """The cache of the frozen stages' features; None if the run cannot use it."""
    moving: MovingCache | None = None
    """The same where the freeze policy changes during training."""

    @property
    def tests(self) -> bool:
        """Whether the best checkpoint is tested: the config says so, and the data has a test split."""
        return bool(self.config["test"]) and getattr(self.data, "has_test", True)

    def loader(self, split: str, *, shuffle: bool = False) -> ResumableLoader:
        """A loader over "train", "val" or "test"; its batches hold features if these are cached.

        Args:
            shuffle: apply augmentation, and change the order from epoch to epoch.
        """
        dataset, contract = self._open(split, augment=shuffle), self._contract(split)
        if split == "val":
            check_image_size(self.config, dataset)
        if self.features is not None and (split != "test" or self.features.serves_others):
            dataset = self.features.split(dataset, split, shuffle, contract.together)
        balances = shuffle and self.config["data"].get("sampling") == "balanced"  # configs of older runs lack the key
        labels = labels_of(self._open(split)) if balances else None
        decoded = self._decoded(dataset, split)
        loader = build_loader(self.config, decoded, shuffle=shuffle, contract=contract, labels=labels)
        loader.order.is_even |= split == "train"  # also in a fixed order: trainer.overfit_batches
        if self.moving is not None and split != "test":
            self.moving.follow(split, loader, decoded, augment=shuffle, together=contract.together)
        return loader

    def check(self) -> None:
        """DataError unless every split that the run reads can be read, its ends keep the contract, and it has truth.

        ConfigError if a step or a limit does not fit the number of images.
        """
        before = torch.default_generator.get_state()
        for split in ("train", "val", "test") if self.tests else ("train", "val"):
            contract, dataset = self._contract(split), self._open(split, augment=split == "train")
            check_ends(contract, dataset)
            check_truth(contract, dataset)
            if split == "train":
                check_training_size(self.config, dataset[0])
            if isinstance(dataset, Sized):
                check_length(self.config, split, len(dataset))
        torch.default_generator.set_state(before)  # what augmentation drew here, no later step misses

    def check_files(self) -> None:
        """DataError if a file of the run is broken, or contradicts its image, as far as it shows without decoding.

        Training files are left out where ``observe`` reads them.
        """
        splits = [*([] if self.config["baseline"] else ["train"]), "val", *(["test"] if self.tests else [])]
        for split in splits:
            if isinstance(dataset := self._open(split), Files):
                check_files(dataset, split)
                if split != "train" and needs(self.config) & {"box", "objects"}:
                    self._check_crop(dataset, split)

    def _check_crop(self, dataset: Files, split: str) -> None:
        """Tell what the evaluation's crop cuts away; the evaluation's recipe may be another one than the usual."""
        own = self.config["data"]
        if plain_recipe(own["eval_transform"]) == [{"Fit": {"size": list(own["image_size"]), "mode": "crop"}}]:
            height, width = own["image_size"]
            if line := check_crop(dataset, split, (height, width), "box" not in needs(self.config)):
                print(f"vggexp: data: {line}", file=sys.stderr)

    def fingerprints(self) -> dict[str, str]:
        """By split that scores were computed on, what ``verify`` compares the data with."""
        return {split: fingerprint(self._open(split)) for split in ("val", *(["test"] if self.tests else []))}

    def observe(self, task: Task, trained: Dataset[Sample]) -> None:
        """Pass the training targets to the task, which computes the baseline and the class weights from them.

        Args:
            trained: the training split. If its features are cached and the training transform does not change the
                targets, they are read from the cache and no image is decoded.
        """
        if self.config["baseline"]:
            contract = self._contract("train")
            with torch.inference_mode():
                for batch in build_loader(self.config, self._targets(trained), shared=False, contract=contract):
                    task.observe(batch)
        task.finish_observing()

    def _open(self, split: str, augment: bool = False) -> Dataset[Sample]:
        dataset: Dataset[Sample] = open_split(self.data, split, needs(self.config), augment)
        return dataset

    def _contract(self, split: str) -> Contract:
        return Contract(split, self.data.info, needs(self.config))

    def _decoded(self, dataset: Dataset[Sample], split: str) -> Dataset[Sample]:
        own = self.config["data"]
        kept = own.get("cache", "none")  # configs of older runs lack the key
        if kept == "none" or not isinstance(dataset, Files) or (split == "test" and kept != "disk"):
            return dataset
        return keep_decoded(dataset, split, kept, own["cache_dir"], own["cache_max_gb"])

    def _targets(self, trained: Dataset[Sample]) -> Dataset[Sample]:
        own = self.config["data"]
        training, evaluation = (plain_recipe(own[key]) for key in RECIPES)
        if isinstance(trained, CachedSplit) and training in ([], evaluation):
            return trained.targets()
        return self._open("train")
