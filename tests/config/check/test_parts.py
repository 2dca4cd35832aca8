"""Which targets a config needs, and which part of a parallel head is at fault."""

from typing import Any

import pytest

from vggexp.config.check.parts import _check_one_classifier, check_data, check_sizes, needs
from vggexp.errors import ConfigError


def test_a_box_a_class_needs_the_label_too() -> None:
    task = {"needs": ["box"]}
    assert needs({"task": task, "head": {"gives": "box"}}) == {"box"}
    assert needs({"task": task, "head": {"gives": "box_per_class"}}) == {"box", "label"}


def test_parts_need_what_each_of_those_that_are_chosen_needs() -> None:
    part = {"a": {"needs": ["label"]}, "b": {"needs": ["mask"]}, "c": {"needs": ["box"]}}
    head = {"gives": "several", "part": {name: {"gives": "any"} for name in part}}
    assert needs({"task": {"needs": [], "parts": ["a", "b"], "part": part}, "head": head}) == {"label", "mask"}


@pytest.mark.parametrize(
    ("chosen", "clash"),
    [(["a", "b"], "from label, another from labels"), (["b", "c"], "from labels, another from objects"),
     (["c", "d"], "from objects, another from objects"), (["a", "c"], None), (["c"], None), (["b"], None)],
)  # fmt: skip
def test_no_two_parts_name_their_scores_alike(chosen: list[str], clash: str | None) -> None:
    part = {
        "a": {"needs": ["label"]},
        "b": {"needs": ["labels"]},
        "c": {"needs": ["objects"]},
        "d": {"needs": ["objects"]},
    }
    config = {"task": {"parts": chosen, "part": part}}
    if clash is None:
        _check_one_classifier(config)
        return
    with pytest.raises(ConfigError, match=clash):
        _check_one_classifier(config)


def test_a_window_too_large_is_named_by_the_key_that_sets_it() -> None:
    config: dict[str, Any] = {
        "choice": {"task": "multitask", "data": "digits"},
        "task": {"parts": ["mask"], "part": {"mask": {"needs": ["mask"]}}},
        "backbone": {},
        "head": {"gives": "several", "part": {"mask": {"gives": "pixel_logits", "window": 7}}},
        "data": {"provides": ["mask"], "image_size": [224, 224]},
    }
    check_data(config)
    config["data"]["image_size"] = [224, 64]
    with pytest.raises(ConfigError, match=r"give head\.part\.mask\.window=2 or less"):
        check_data(config)


def test_a_resize_that_no_step_has_is_refused() -> None:
    recipe: list[Any] = [{"Fit": {"size": [64, 64], "mode": "letterbox"}}]
    config = {
        "task": {},
        "backbone": {},
        "head": {},
        "data": {"image_size": [64, 64], "resize": "letterbox", "eval_transform": recipe},
    }
    check_sizes(config)
    config["data"]["eval_transform"] = [{"Resize": {"size": [64, 64]}}]
    with pytest.raises(
        ConfigError, match=r"data\.resize=letterbox has no effect: data\.eval_transform has no step Fit"
    ):
        check_sizes(config)
    config["data"]["resize"] = "crob"
    with pytest.raises(ConfigError, match=r"data\.resize=crob is not known; did you mean 'crop'"):
        check_sizes(config)
