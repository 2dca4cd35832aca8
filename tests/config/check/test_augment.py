"""Recipes that cannot keep box or mask with the image, and words that cannot take effect."""

from collections.abc import Callable
from typing import Any

import pytest

from vggexp.config.check.augment import check_augment, check_mix
from vggexp.errors import ConfigError

Vggexp = Callable[..., tuple[int, str, str]]


def config(needed: str, *recipe: Any) -> dict[str, Any]:
    return {
        "choice": {"task": "mine", "data": "digits"},
        "task": {"needs": [needed]},
        "head": {"gives": "any"},
        "data": {"train_transform": [*recipe], "batch_size": 2},
        "trainer": {"overfit_batches": 0},
    }


@pytest.mark.parametrize("step", ["AugMix", {"RandomErasing": {"p": 0.5}}])
def test_a_step_that_leaves_box_and_mask_behind_is_for_labels_only(step: Any) -> None:
    check_augment(config("label", step))
    for target in ("box", "mask"):
        check_augment(config(target, "RandAugment", {"RandomApply": {"transforms": ["ColorJitter"]}}))
        for recipe in ([step], [{"RandomApply": {"transforms": ["RandomHorizontalFlip", step]}}]):
            with pytest.raises(
                ConfigError, match=f"a {target} fits only one|in its {target}; leave it out for task=mi"
            ):
                check_augment(config(target, *recipe))


def test_what_is_no_recipe_is_left_to_the_builder() -> None:
    for recipe in (None, "RandomErasing", [3], [{"RandomApply": None}]):
        check_augment(config("mask") | {"data": {"train_transform": recipe}})


def test_labels_are_mixed_and_nothing_else() -> None:
    for needed, is_fine in (("label", True), ("box", False), ("mask", False)):
        mixing = config(needed) | {"choice": {"task": "mine", "mix": "cutmix"}}
        if is_fine:
            check_mix(mixing)
            continue
        with pytest.raises(ConfigError, match=f"task=mine needs {needed}; choose mix=none"):
            check_mix(mixing)
    check_mix(config("mask") | {"choice": {"task": "a run of before"}})


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["augment=lihgt"], "augment has no option 'lihgt'; did you mean 'light'?"),
        (["augment=light", "data.train_transform=[]"], "augment=light has no effect: data.train_transform is given"),
        (["augment=light", "trainer.overfit_batches=2"], "augment=light has no effect with trainer.overfit_batches"),
        (
            ["mix=mixup", "task=segmentation"],
            "mix=mixup mixes whole images and their labels, and task=segmentation needs",
        ),
        (["mix=cutmix", "task=multitask"], "and task=multitask needs box; choose mix=none, or task=classification"),
        (["mix=mosaic"], "mix=mosaic lays images with their objects side by side, and task=classification needs label"),
        (["mix=mixup", "task=detection"], "and task=detection needs objects; choose mix=none, or task=classification"),
        (["mix=mixup", "data.batch_size=1"], "data.batch_size=1 gives one; give 2 or more"),
        (["mix=mixup", "mix.alpha=0"], "mix.alpha=0 is not a number above 0"),
        (["mix=mixup_cutmix", "mix.switch=1.5"], "mix.switch=1.5 is not a number from 0 to 1"),
        (["data.sampling=balance"], "data.sampling=balance is not known; did you mean 'balanced'?"),
        (
            ["data.sampling=balanced", "task=segmentation"],
            "task=segmentation does not read it; choose data.sampling=shuffle",
        ),
        (["data.sampling=balanced", "trainer.overfit_batches=2"], "data.sampling=balanced has no effect with trainer"),
        (["task=segmentation", "data.train_transform=[RandomErasing]"], "RandomErasing erases a part of the image"),
    ],
)
def test_a_word_without_effect_is_refused_in_one_line(words: list[str], expected: str, vggexp: Vggexp) -> None:
    code, out, errors = vggexp(*words)
    assert (code, out, errors.count("\n")) == (2, "", 1)
    assert expected in errors


def test_the_help_of_a_recipe_shows_its_steps(vggexp: Vggexp) -> None:
    code, out, _ = vggexp("augment=trivial", "--help")
    assert code == 0
    assert "TrivialAugmentWide" in out
    assert "augment      light  none  randaugment  standard  strong  trivial" in vggexp("--help")[1]
