"""The help of groups, options and keys, and the JSON Schema of presets: both say what keys.json says."""

import json
from collections.abc import Callable

import pytest
import yaml

from vggexp.config.help import CONF
from vggexp.config.schema.editor import preset_schema

Vggexp = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["seed"], "seed: a whole number, at least 0, at most 4294967295; seed of the weights"),
        (["head"], "python -m vggexp head=OPTION --help shows the keys of an option"),
        (["head.dropout"], "head.dropout (head=mlp): a number, at least 0, below 1; "),
        (["freeze=gradual"], "freeze.every: a whole number, at least 1; epochs between"),
        (["evaluate"], "split: test or val; "),
        (["--help", "evaluate"], "split: test or val; "),
        (["+x." + "9" * 5000], "usage: python -m vggexp"),
    ],
)
def test_help(words: list[str], expected: str, vggexp: Vggexp) -> None:
    code, out, errors = vggexp(*words, "--help")
    assert (code, errors) == (0, "")
    assert expected in out


@pytest.mark.parametrize(
    ("word", "line"),
    [
        ("head=fcoss", "head has no option 'fcoss'; did you mean 'fcos'?"),
        ("trainer.max_epoch", "there is no key 'trainer.max_epoch'; did you mean 'trainer.max_epochs'?"),
        ("trainer.max_epoch=3", "there is no key 'trainer.max_epoch'; did you mean 'trainer.max_epochs'?"),
    ],
)
def test_help_on_a_mistyped_word(word: str, line: str, vggexp: Vggexp) -> None:
    assert vggexp(word, "--help") == (2, "", f"vggexp: error: {line}\n")


def test_the_schema_takes_our_presets_and_finds_mistakes(vggexp: Vggexp) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="it checks presets against the schema")
    jsonschema.Draft7Validator.check_schema(preset_schema())
    check = jsonschema.Draft7Validator(preset_schema())
    presets = sorted((CONF / "experiment").glob("*.yaml"))
    assert len(presets) > 20
    for preset in presets:
        assert not [*check.iter_errors(yaml.safe_load(preset.read_text()))], preset
    for wrong in ("trainer: {max_epoch: 2}", "seed: x", "seed: -1", "head: {dropuot: .9}", "optimiser: {}",
                  "defaults: [override /task: segmentatoin]", "data: {image_size: [a]}"):  # fmt: skip
        assert [*check.iter_errors(yaml.safe_load(wrong))], wrong
    for right in ("head: {_target_: my.Head, foo: 1}", "optimizer: {lr: '${x}'}", "trainer: {gpus: null}"):
        assert not [*check.iter_errors(yaml.safe_load(right))], right
    assert json.loads(vggexp("schema")[1]) == preset_schema()
