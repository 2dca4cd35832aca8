"""Every key of a recorded run either takes effect in a verb, or is refused by it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl

from vggexp.config.check.effect import EFFECTIVE, check_effect, without_effect
from vggexp.config.help import CONF, groups
from vggexp.config.schema.known import schema
from vggexp.errors import ConfigError

Vggexp = Callable[..., tuple[int, str, str]]
SCORES = {"gpus", "precision", "channels_last", "keep_memory", "deterministic"}
TRAINER = {
    "evaluate": SCORES | {"limit_test_batches"},
    "verify": SCORES | {"limit_val_batches", "limit_test_batches"},
    "compare": SCORES | {"limit_val_batches"},
    "soup": SCORES | {"limit_val_batches", "limit_test_batches"},
    "predict": {"gpus", "precision", "channels_last", "keep_memory"},
    "demo": {"gpus", "precision", "channels_last", "keep_memory"},
    "explain": {"channels_last", "keep_memory"},
    "export": {"channels_last", "keep_memory"},
}
"""By verb: the keys of trainer that change what it does."""
GROUPS = {
    "evaluate": {"loss"},
    "verify": {"loss"},
    "compare": {"loss", "objective", "seed"},
    "soup": {"loss", "objective", "seed", "callback"},
    "predict": set[str](), "demo": set[str](), "explain": set[str](), "export": set[str](),
}  # fmt: skip
"""By verb: the other groups and keys that do; evaluate and soup also show the baseline."""
OTHERS = ("cache", "callback", "freeze", "logger", "loss", "mix", "objective", "optimizer", "run", "scheduler", "seed",
          "test")  # fmt: skip
TRAINING_ALONE = {
    "accumulate", "clip", "limit_train_batches", "log_every", "max_epochs", "overfit_batches", "val_every",
}  # fmt: skip
"""Keys that reach Lightning's trainer, and that its evaluation does not read."""


def trainer_keys() -> list[str]:
    known = schema()
    keys = {*known["target"]["vggexp.trainer.default.build_trainer"], *known["group"]["trainer"]} - {"objective"}
    assert len(keys) > 25
    return sorted(keys)


@pytest.mark.parametrize("verb", EFFECTIVE)
def test_each_key_of_trainer_takes_effect_or_is_refused(verb: str) -> None:
    config = {"split": "test"}
    accepted = {key for key in trainer_keys() if not without_effect(verb, f"trainer.{key}", config)}
    assert accepted == TRAINER[verb]


@pytest.mark.parametrize("verb", EFFECTIVE)
def test_each_group_takes_effect_or_is_refused(verb: str) -> None:
    judged = {*OTHERS, "trainer", "data", "backbone", "head", "task", "experiment", "augment", "hydra"}
    assert set(groups()) <= judged  # a new group must be given its place
    accepted = {name for name in OTHERS if not without_effect(verb, f"{name}.x" if name in groups() else name, {})}
    assert accepted == GROUPS[verb]


def test_every_verb_that_reads_a_run_is_judged() -> None:
    reads = {path.stem for path in CONF.glob("*.yaml") if "\noverride:" in path.read_text(encoding="utf-8")}
    assert reads == {*EFFECTIVE, "rerun", "resume"}


@pytest.mark.parametrize("key", ["weights", "dropout", "part.localization.dropout", "weights_map"])
def test_of_the_network_what_acts_in_training_alone_is_refused(key: str) -> None:
    assert without_effect("predict", f"head.{key}", {})
    assert not without_effect("predict", "head.threshold", {})
    assert not without_effect("predict", "backbone.mean", {})


@pytest.mark.parametrize("key", ["trainer.gpu", "optimiser.lr", "data.rot", "head.mine"])
def test_an_unknown_key_is_left_to_what_knows_the_run(key: str) -> None:
    assert not without_effect("evaluate", key, {"split": "test"})


@pytest.mark.parametrize(
    ("verb", "override", "message"),
    [
        ("evaluate", {"trainer": {"processes": 2}}, "trainer.processes=2 has no effect: evaluate does not train"),
        ("evaluate", {"trainer": {"limit_val_batches": 2}}, "has no effect: it scores split=test; remove it"),
        ("evaluate", {"logger": {"wandb": {"project": "x"}}}, "logger.wandb.project=x has no effect"),
        ("verify", {"data": {"cache": "memory"}}, "data.cache=memory has no effect"),
        ("predict", {"seed": None}, "seed=null has no effect: predict does not train; remove it"),
        ("predict", {"data": {"split": {"seed": 1}}}, "data.split.seed=1 has no effect: predict opens no data set"),
        ("soup", {"run": {"dir": "x"}}, "run.dir=x has no effect: soup writes into no other run folder"),
        ("demo", {"data": {"batch_size": 4}}, "of data, it reads only image_size, resize, eval_transform"),
        ("explain", {"trainer": {"gpus": 0}}, "trainer.gpus=0 has no effect"),
    ],
)
def test_the_line(verb: str, override: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        check_effect(verb, {"override": override, "split": "test"})
    assert message in str(raised.value)


OTHER_VALUES: dict[str, Any] = {
    "accumulate": 3, "bucket_mb": 7, "clip": 0.5, "compress": "fp16", "deterministic": True, "early_stopping": 3,
    "ema": 0.5, "limit_test_batches": 5, "limit_train_batches": 5, "limit_val_batches": 5, "log_every": 3,
    "max_epochs": 7, "overfit_batches": 2, "precision": "bf16-mixed", "val_every": 3,
}  # fmt: skip


@pytest.mark.parametrize("key", OTHER_VALUES)
def test_what_a_key_does_to_lightnings_trainer(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that verify takes reaches the trainer that scores, and one that it refuses does not, or not its scoring."""
    from vggexp.trainer import default

    given: list[dict[str, Any]] = []
    real = pl.Trainer

    def spy(**named: Any) -> Any:
        given.append({name: repr(value) for name, value in named.items() if name not in ("plugins", "callbacks")})
        return real(**named)

    monkeypatch.setattr(default.pl, "Trainer", spy)
    own = {"gpus": 0, "precision": "32", "standing": False}
    for values in (own, {**own, key: OTHER_VALUES[key]}):
        default.build_trainer(Path(), ("val/loss", "min"), **values)
    assert (given[0] != given[1]) == (key in TRAINER["verify"] or key in TRAINING_ALONE)


@pytest.fixture
def scores(trained: Path, vggexp: Vggexp) -> Callable[..., dict[str, Any]]:
    def run(*words: str) -> dict[str, Any]:
        code, _, errors = vggexp("evaluate", str(trained), "output=scores.json", *words)
        assert code == 0, errors
        found: dict[str, Any] = json.loads(Path("scores.json").read_text())
        return found

    return run


@pytest.mark.slow
@pytest.mark.parametrize(
    "word",
    [
        "trainer.precision=bf16-mixed", "trainer.limit_test_batches=2", "data.seed=5", "data.batch_size=16",
        "backbone.mean=[0.1,0.1,0.1]", "loss.part.classification.label_smoothing=0.3", "baseline=false",
    ],
)  # fmt: skip
def test_what_is_taken_changes_the_scores(word: str, scores: Callable[..., dict[str, Any]]) -> None:
    assert scores(word) != scores()
