"""Null, nan, wrong types and unknown keys end in one line, on the command line and in YAML of one's own."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from vggexp.config.check.schema import check_schema
from vggexp.config.schema.known import schema
from vggexp.config.schema.own import GROUPS
from vggexp.trainer.build import METADATA
from vggexp.transfer.renamed import renew

Vggexp = Callable[..., tuple[int, str, str]]
RECORDED = Path(__file__).parents[2] / "e2e" / "recorded"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("seed=null", "seed=null is not a whole number (seed of the weights"),
        ("run.dir=nan", "run.dir=nan is a number, not text; in two pairs of quotes it is text: 'run.dir=\"nan\"'"),
        ("run.dir=7", "run.dir=7 is a number, not text"),
        ("run.name=null", "run.name=null is not text"),
        ("trainer.max_epochs=null", "trainer.max_epochs=null is not a whole number"),
        ("trainer.accumulate=null", "trainer.accumulate=null is not a whole number"),
        ("optimizer.lr=null", "optimizer.lr=null is not a number"),
        ("optimizer.betas=0.9", "optimizer.betas=0.9 is not a list of numbers"),
        ("data.batch_size=null", "data.batch_size=null is not a whole number"),
        ("data.image_size=null", "data.image_size holds several values"),
        ("baseline=3", "baseline=3 is not true or false"),
        ("head.dropout=null", "head.dropout=null is not a number"),
        ("scheduler=step scheduler.gamma=abc", "scheduler.gamma=abc is not a number"),
        ("scheduler=multistep scheduler.at=[0.5,b]", "scheduler.at=[0.5, 'b'] is not a list of numbers"),
        ("logger=null", "logger=null: write logger=[] for none"),
        ("callback.diagnostics=null", "callback.diagnostics=null stands in the place of its keys"),
        ("scheduler=null", "scheduler=null is no option"),
        ("-m scheduler=cosine,null", "scheduler=null is no option"),
        ("~scheduler", "~scheduler: a training needs scheduler"),
        ("~run", "~run: a training needs run"),
        ("~trainer.gpus", "~trainer.gpus: a training needs trainer.gpus"),
        ("+trainer.max_epoch=2", "there is no key 'trainer.max_epoch'; did you mean 'max_epochs'?"),
    ],
)
def test_what_has_no_meaning_is_refused(words: str, message: str, vggexp: Vggexp) -> None:
    code, _, errors = vggexp(*words.split())
    assert (code, errors.count("\n")) == (2, 1)
    assert message in errors


@pytest.mark.parametrize(
    ("preset", "message"),
    [
        ("# @package _global_\ntrainer: {max_epoch: 2}", "there is no key 'trainer.max_epoch'; did you mean 'max_epo"),
        ("# @package _global_\nhead: {dropuot: .9}", "there is no key 'head.dropuot'; did you mean 'dropout'?"),
        ("# @package _global_\noptimiser: {lr: 1}", "there is no key 'optimiser'; did you mean 'optimizer'?"),
        ("# @package _global_\nrun: {nmae: x}", "there is no key 'run.nmae'; did you mean 'name'?"),
        ("# @package _global_\nseed: null", "seed=null is not a whole number"),
        ("trainer: {max_epochs: 2}", "mine.yaml lacks the first line '# @package _global_': without it, its keys"),
        ("# @package _global_\ndefaults: [override /scheduler: null]", "scheduler"),
    ],
)
def test_a_preset_of_ones_own(preset: str, message: str, vggexp: Vggexp) -> None:
    Path("mine/experiment").mkdir(parents=True)
    Path("mine/experiment/mine.yaml").write_text(preset)
    code, _, errors = vggexp("--config-dir", "mine", "experiment=mine")
    assert (code, errors.count("\n")) == (2, 1)
    assert message in errors


def test_a_class_of_ones_own_takes_what_it_takes() -> None:
    own = {"_target_": "mine.Head", "gives": "class_logits", "depth": None, "weights": "none"}
    config = {"choice": {"head": "mine"}, "head": own}
    check_schema("train", config)
    with pytest.raises(Exception, match=re.escape("head.weights=3 is a number, not text")):
        check_schema("train", {**config, "head": {**own, "weights": 3}})


@pytest.mark.parametrize("task", ["classification", "localization", "multitask", "segmentation"])
def test_recorded_runs_fit(task: str) -> None:
    check_schema("train", renew(yaml.safe_load((RECORDED / task / "config.yaml").read_text())))


def test_every_key_that_build_removes_is_known() -> None:
    shared = {group: {key.partition(".")[0] for key in schema()["group"][group]} for group in GROUPS}
    assert all(keys <= shared[group] for group, keys in METADATA.items())
