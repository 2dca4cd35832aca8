"""Numbers and words that cannot be meant; as a user meets them in test_door.py."""

from typing import Any

import pytest

from vggexp.config.check.ranges import check_numbers
from vggexp.config.check.words import check_formats, check_words
from vggexp.errors import ConfigError

RECORDED = {"data": {}, "trainer": {"precision": "auto"}, "objective": {"mode": "max"}}
"""What a run knew before the other keys existed."""


def test_a_key_that_a_recorded_run_never_had_is_no_mistake() -> None:
    check_words(RECORDED)


@pytest.mark.parametrize(
    ("trainer", "message"),
    [
        ({"precision": 16}, "trainer.precision=16 is not known; choose from: 16-mixed, 32, auto, bf16-mixed"),
        ({"precision": None}, "trainer.precision=None is not known"),
        ({"compress": "bf6"}, "trainer.compress=bf6 is not known; did you mean 'bf16'?"),
        ({"compile": "atuo"}, "trainer.compile=atuo is not known; did you mean 'auto'?"),
    ],
)
def test_a_word_that_means_nothing(trainer: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        check_words({**RECORDED, "trainer": {"precision": "auto", **trainer}})
    assert str(raised.value).startswith(message)


def test_yamls_true_and_false_are_words() -> None:
    for value in (True, False, "true", "auto"):
        check_words({**RECORDED, "trainer": {"precision": 32, "compile": value}})


@pytest.mark.parametrize("value", [True, "1", 1.0, 0])
def test_what_is_no_whole_number_of_at_least_1(value: Any) -> None:
    check_numbers({"trainer": {"max_epochs": 1}})
    with pytest.raises(ConfigError, match="is not a whole number of at least 1"):
        check_numbers({"trainer": {"max_epochs": value}})


def test_formats_come_alone_or_as_a_list() -> None:
    check_formats({"format": "onnx"})
    check_formats({"format": ["onnx", "safetensors"]})
    for names, message in (
        ("onx", "did you mean 'onnx'"),
        ([], "format is empty; give one or more formats"),
        (["onnx", "onnx"], "format names onnx twice"),
    ):
        with pytest.raises(ConfigError, match=message):
            check_formats({"format": names})


def test_an_option_of_a_format_that_is_not_written() -> None:
    for names in ("onnx", ["safetensors", "onnx"]):
        check_formats({"format": names, "onnx": {"opset": 20}})
    check_formats({"format": "safetensors", "onnx": {"opset": None}})
    with pytest.raises(ConfigError, match=r"onnx\.opset=20 has no effect with format=safetensors,torch_export"):
        check_formats({"format": ["safetensors", "torch_export"], "onnx": {"opset": 20}})


@pytest.mark.parametrize("value", ["", "  "])
def test_an_empty_text_for_a_logger(value: str) -> None:
    check_words({**RECORDED, "logger": {"mlflow": {"tracking_uri": None, "tags": {"task": ""}}}})
    with pytest.raises(ConfigError, match=r"logger\.mlflow\.tracking_uri is empty; give a text, or leave it out"):
        check_words({**RECORDED, "logger": {"mlflow": {"tracking_uri": value}}})


@pytest.mark.parametrize(
    ("group", "values", "message"),
    [
        ("loss", {"class_weight": [1, -1]}, "loss.class_weight=-1 is not a number of at least 0"),
        ("loss", {"class_weight": [0, 0]}, r"loss.class_weight=\[0, 0\] has no weight above 0"),
        ("loss", {"class_weight": [1, float("nan")]}, "loss.class_weight=nan is not a number"),
        ("loss", {"class_weight": ["a", 1]}, "loss.class_weight=a is not a number"),
        ("loss", {"label_smoothing": 1.5}, "loss.label_smoothing=1.5 is not a number from 0 to 1"),
        ("loss", {"gamma": -1}, "loss.gamma=-1 is not a number of at least 0"),
        ("loss", {"alpha": 2}, "loss.alpha=2 is not a number from 0 to 1"),
        ("loss", {"part": {"a": {"class_weight": [0]}}}, "loss.part.a.class_weight"),
        ("head", {"dropout": 1}, "head.dropout=1 is not a number from 0 to below 1"),
        ("head", {"hidden": [8, 0]}, "head.hidden=0 is not a whole number of at least 1"),
        ("head", {"part": {"a": {"dropout": -0.1}}}, "head.part.a.dropout=-0.1"),
        ("optimizer", {"lr": float("inf")}, "optimizer.lr=inf is not a number"),
        ("optimizer", {"lr": float("nan")}, "optimizer.lr=nan is not a number"),
        ("optimizer", {"momentum": 1.0}, "optimizer.momentum=1.0 is not a number from 0 to below 1"),
        ("trainer", {"ema": 1.0}, "trainer.ema=1.0 is not a number from 0 to below 1"),
        ("trainer", {"clip": 0.0}, "trainer.clip=0.0 is not a number above 0"),
        ("task", {"weights": {"a": 1.0, "b": -1.0}}, "task.weights=-1.0 is not a number of at least 0"),
        ("task", {"weights": {"a": 0.0, "b": 1.0}, "parts": ["a"]}, "task.weights"),
    ],
)
def test_numbers_out_of_their_range(group: str, values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{message}"):
        check_numbers({group: values})


def test_weights_of_0_for_some_classes_are_allowed() -> None:
    check_numbers({"loss": {"class_weight": [0, 1.5]}, "task": {"weights": {"a": 0.0, "b": 1.0}}})
