"""Which runs can use features of their frozen stages, and of which stage."""

from collections.abc import Mapping, Sequence
from typing import Any

from vggexp.cache.settings import CacheSettings
from vggexp.distributed.processes import place_in_run
from vggexp.learner.freezing import DROPOUTS
from vggexp.learner.learner import Learner
from vggexp.sample.resize import plain_recipe
from vggexp.types import Head

Config = Mapping[str, Any]
FIXED = frozenset({"CenterCrop", "Fit", "Grayscale", "Identity", "Pad", "Resize"})
"""Transforms without randomness; ``Fit`` unless it has a ``scale``."""


def deepest_entrance(head: Head) -> int:
    """The deepest stage whose features are enough for a head; 0: it also reads the first stages.

    What comes before a stage's pooling is computed from the output of the stage before it.
    """
    return head.shallowest - bool(head.reads)


def refusal(learner: Learner, config: Config, settings: CacheSettings, stage: int) -> str | None:
    """Why a run with frozen first stages cannot use their features, which it also prints; None if it can."""
    mix = config["choice"].get("mix") or "none"  # configs of older runs lack the group
    why = {
        "the run has several processes": place_in_run()[1] > 1,
        f"mix={mix} mixes images": mix != "none",
        f"head={config['choice']['head']} also reads the first stages": not stage,
        "data.train_transform is random; cache.views=4 would cache four views of each image": bool(
            is_random(config["data"]["train_transform"]) and not settings.views
        ),
    }
    for reason, holds in why.items():
        if holds:
            print(f"cache: off, because {reason}")
            return reason
    return None


def is_random(recipe: Sequence[Any]) -> bool:
    """Whether a training transform may be random: true unless every step is listed in ``FIXED``, and draws no part.

    >>> is_random(["RandomHorizontalFlip"]), is_random([{"Resize": {"size": [224, 224]}}]), is_random([])
    (True, False, False)
    """
    steps = [(step, {}) if isinstance(step, str) else next(iter(step.items())) for step in plain_recipe(recipe)]
    return any(name not in FIXED or (name == "Fit" and given.get("scale") is not None) for name, given in steps)


def first_frozen(learner: Learner, epoch: int) -> int:
    """Number of first stages that are fully frozen in an epoch, buffers included, and have no dropout."""
    freezing, count = learner.freezing, 0
    frozen, tensors = freezing.frozen_tensors(epoch), freezing.tensors()
    for name, part in freezing.parts.items():
        if name == "head" or not frozen.issuperset(tensors[name]):
            break
        if any(isinstance(layer, DROPOUTS) for layer in part.modules()):
            break
        count += 1
    return count
