"""What the caches of a run will take, told before they are filled, is what they take."""

from collections.abc import Mapping
from typing import Any

import pytest
import torch

from vggexp.cache.cached_split import CachedSplit
from vggexp.cache.feature_cache import feature_cache
from vggexp.cache.kept_images import kept_images
from vggexp.cache.settings import CacheSettings
from vggexp.config.check import needs
from vggexp.config.compose import defaults
from vggexp.sample.data_contract import open_split
from vggexp.sample.decoded import Decoded, keep_decoded
from vggexp.sample.loader import collate
from vggexp.trainer.kept_memory import kept_bytes
from vggexp.trainer.learner import build_learner
from vggexp.trainer.network import build_data

SMALL = (
    "backbone=vgg11_bn", "backbone.width=0.05", "data.image_size=[32,32]", "head.hidden=8", "head.pool=1",
    "trainer.gpus=0", "trainer.precision=32", "run.name=run",
)  # fmt: skip
DIGITS = ("data.size=[16,30]", "data.train_transform=[]")


def composed(*words: str) -> dict[str, Any]:
    return {"choice": {"mix": "none", "head": "mlp", "task": "classification"}, **defaults("train", *SMALL, *words)}


def told(config: dict[str, Any]) -> int:
    data = build_data(config)
    learner = build_learner(config, data.info)
    before = learner.entrance
    found = kept_bytes(config, data, learner)
    assert learner.entrance == before
    return found


def bytes_of(columns: Mapping[str, Any]) -> int:
    return sum(column.nbytes for column in columns.values() if isinstance(column, torch.Tensor))


def test_features_of_frozen_stages() -> None:
    config = composed(*DIGITS, "freeze=backbone")
    data = build_data(config)
    learner = build_learner(config, data.info)
    cache = feature_cache(learner, config, CacheSettings("auto", None, None, None))
    assert cache is not None
    taken = 0
    for name in ("train", "val"):
        split = cache.split(open_split(data, name, needs(config), name == "train"), name, name == "train")
        assert isinstance(split, CachedSplit)
        taken += bytes_of(split._columns)
    assert told(config) == taken > 0


@pytest.mark.parametrize("words", [(), ("freeze=backbone", "cache=off"), ("freeze=backbone", "cache.max_gb=0.00001")])
def test_where_nothing_is_kept(words: tuple[str, ...]) -> None:
    assert told(composed(*DIGITS, *words)) == 0


def test_a_changing_policy_keeps_the_features_of_its_longest_frozen_part() -> None:
    constant = told(composed(*DIGITS, "freeze=backbone"))
    assert told(composed(*DIGITS, "freeze=linear_probe", "freeze.epochs=3", "trainer.max_epochs=6")) == constant


def test_a_changing_policy_also_keeps_the_images_of_files(tree: Any) -> None:
    files = ("data=pets", "data.root=.", "data.train_transform=[{Resize:{size:[32,32]}}]")
    moving = composed(*files, "freeze=linear_probe", "freeze.epochs=3", "trainer.max_epochs=6")
    taken = 0
    for name in ("train", "val"):
        split = open_split(build_data(moving), name, needs(moving), False)
        kept = kept_images(split, name, moving["data"], CacheSettings("auto", None, None, None), collate)
        assert kept is not None
        taken += bytes_of(kept._columns)
    assert told(moving) == told(composed(*files, "freeze=backbone")) + taken


def test_decoded_images(tree: Any) -> None:
    config = composed("data=pets", "data.root=.", "data.cache=memory")
    data = build_data(config)
    taken = 0
    for name in ("train", "val"):
        kept = keep_decoded(data.split(name, needs(config), augment=name == "train"), name, "memory", ".", 1.0)  # type: ignore[call-arg]
        assert isinstance(kept.reader, Decoded)
        taken += bytes_of(kept.reader._columns)
    assert told(config) == taken > 0
