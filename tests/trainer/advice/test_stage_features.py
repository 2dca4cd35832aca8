"""The features that are probed are the backbone's own."""

from types import SimpleNamespace
from typing import Any

import torch

from vggexp.backbone.vgg import VGG
from vggexp.trainer.advice.stage_features import stage_features
from vggexp.trainer.advice.target.label import Label


def learner() -> Any:
    torch.manual_seed(0)
    return SimpleNamespace(backbone=VGG("A", width=0.05, batch_norm=True))


def batch() -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    return {"image": torch.randint(0, 256, (3, 3, 32, 32), dtype=torch.uint8), "index": torch.arange(3),
            "label": torch.tensor([2, 0, 1])}  # fmt: skip


LABEL = {"label": Label()}


def test_labels_are_compared_with_the_mean_of_each_stages_map() -> None:
    own, one = learner(), batch()
    found = stage_features(own, [one, one], LABEL, images=3)["label"]  # type: ignore[list-item]
    maps = own.backbone(own.backbone.normalize(one["image"])).stages
    assert len(found.stages) == 5
    for rows, stage in zip(found.stages, maps, strict=True):
        torch.testing.assert_close(torch.from_numpy(rows).float(), stage.mean((2, 3)))
    assert found.targets.tolist() == [2, 0, 1]


def test_a_sources_own_head_is_read_in_the_same_pass() -> None:
    own, one = learner(), batch()
    found = stage_features(
        own,
        [one, one],
        LABEL,
        images=6,
        classifier=lambda features: features.stages[-1].mean((2, 3)).softmax(1),  # type: ignore[list-item]
    )["label"]
    assert found.probabilities is not None
    assert found.probabilities.shape == (6, own.backbone.channels[-1])
    means = torch.from_numpy(found.stages[-1]).softmax(1)
    torch.testing.assert_close(torch.from_numpy(found.probabilities), means, rtol=1e-5, atol=1e-6)
    assert stage_features(own, [one], LABEL, images=3)["label"].probabilities is None  # type: ignore[list-item]
