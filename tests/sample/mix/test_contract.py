"""What every way of mixing promises, tried on each YAML in conf/mix: a new one is covered once its files exist."""

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from hydra.utils import instantiate
from torch import Tensor
from torch.nn import functional

from vggexp.loss.cross_entropy import CrossEntropy
from vggexp.trainer.build import METADATA
from vggexp.types import Batch, Mix, ObjectList, Objects

FOLDER = Path(__file__).parents[3] / "conf" / "mix"
OPTIONS = sorted(path.stem for path in FOLDER.glob("*.yaml"))
OF_LABELS = [option for option in OPTIONS if option != "mosaic"]  # of objects: test_mosaic.py
MIXING = [option for option in OF_LABELS if option != "none"]
SEEDS = range(40)


def build(option: str, **changes: Any) -> Mix:
    config = yaml.safe_load((FOLDER / f"{option}.yaml").read_text())
    mix: Mix = instantiate({**{key: value for key, value in config.items() if key not in METADATA["mix"]}, **changes})
    return mix


def batch(count: int = 5) -> Batch:
    images = torch.randint(0, 256, (count, 12, 16, 3), dtype=torch.uint8).permute(0, 3, 1, 2)
    objects = ObjectList(Objects(torch.tensor([[2.0, 2, 9, 9]]), torch.tensor([place])) for place in range(count))
    return {"image": images, "index": torch.arange(count), "label": torch.arange(count) % 3, "objects": objects}


def plain(mixed: list[tuple[float, Batch]]) -> list[Tensor]:
    return [each[key] for _, each in mixed for key in ("image", "label")]  # type: ignore[literal-required]


def test_that_options_are_found() -> None:
    assert {"none", "mixup", "cutmix", "mixup_cutmix"} <= set(OPTIONS)


@pytest.mark.parametrize("option", OPTIONS)
def test_a_mixed_batch_depends_on_its_seed_alone_and_leaves_the_batch_as_it_was(option: str) -> None:
    given = batch()
    before = {key: value.clone() for key, value in given.items() if isinstance(value, Tensor)}
    mix, found = build(option), []
    for seed in SEEDS:
        torch.manual_seed(seed)
        state = torch.get_rng_state()
        mixed = mix(given, seed)
        assert torch.equal(torch.get_rng_state(), state)
        again = build(option)(given, seed)
        assert [share for share, _ in mixed] == [share for share, _ in again]
        assert all(torch.equal(a, b) for a, b in zip(plain(mixed), plain(again), strict=True))
        found.append(tuple(share for share, _ in mixed))
    assert all(torch.equal(given[key], before[key]) for key in before)  # type: ignore[literal-required]
    if option == "mosaic":
        assert all(sum(share for share, _ in build(option)(given, seed)) == 1 for seed in SEEDS)
        return
    # Rectangles are of whole pixels, so some shares occur twice.
    assert len(set(found)) == 1 if option == "none" else len(set(found)) > len(SEEDS) / 2


@pytest.mark.parametrize("option", OF_LABELS)
def test_shares_sum_to_1_over_batches_of_one_set_of_images(option: str) -> None:
    given = batch()
    for seed in SEEDS:
        mixed = build(option)(given, seed)
        assert sum(share for share, _ in mixed) == pytest.approx(1)
        assert all(0 <= share <= 1 for share, _ in mixed)
        first = mixed[0][1]
        assert first["label"] is given["label"]
        assert first["image"].dtype == torch.uint8
        assert first["image"].stride() == given["image"].stride()
        for _, each in mixed:
            assert each["image"] is first["image"]
            assert each["index"] is given["index"]


@pytest.mark.parametrize("option", MIXING)
def test_the_probability_is_of_batches(option: str) -> None:
    given = batch()
    assert all(build(option, probability=0.0)(given, seed) == [(1.0, given)] for seed in SEEDS)
    half = [len(build(option, probability=0.5)(given, seed)) for seed in range(400)]
    assert 160 < half.count(2) < 240


@pytest.mark.parametrize("option", MIXING)
def test_the_loss_is_that_of_soft_targets(option: str) -> None:
    """Torch's cross-entropy of probabilities, with class weights and smoothing, as vggexp averages it."""
    given, weight, smoothing = batch(), torch.tensor([0.5, 1.0, 3.0]), 0.1
    outputs = torch.randn(5, 3)
    loss = CrossEntropy(smoothing, weight.tolist())
    for seed in SEEDS:
        mixed = build(option)(given, seed)
        soft = sum(share * functional.one_hot(each["label"], 3) for share, each in mixed)
        assert isinstance(soft, Tensor)
        total = functional.cross_entropy(outputs, soft, weight, label_smoothing=smoothing, reduction="sum")
        found = sum(share * loss(outputs, each["label"]) for share, each in mixed)
        torch.testing.assert_close(found, total / (soft @ weight).sum())


@pytest.mark.parametrize(
    ("option", "changes", "message"),
    [
        ("mixup", {"alpha": 0}, "mix.alpha=0 is not a number above 0"),
        ("cutmix", {"probability": 2}, "mix.probability=2 is not a number from 0 to 1"),
        ("mixup_cutmix", {"switch": -1}, "mix.switch=-1 is not a number from 0 to 1"),
    ],
)
def test_an_argument_that_cannot_be_is_named(option: str, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(Exception, match=message):
        build(option, **changes)
