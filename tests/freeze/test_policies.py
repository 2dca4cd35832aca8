"""Each policy's table of what is frozen, and the contract that every policy keeps."""

import pytest
import yaml

from vggexp.config.help import CONF, groups
from vggexp.errors import ConfigError
from vggexp.trainer.build import build
from vggexp.types import FreezePolicy, MeasuredPolicy, ParameterInfo

HEAD = ParameterInfo("head.classifier.0.weight", None)
STAGES = [ParameterInfo(f"backbone.features.{stage}.weight", stage) for stage in range(1, 6)]


def policy(name: str, **changes: object) -> FreezePolicy:
    content = yaml.safe_load((CONF / "freeze" / f"{name}.yaml").read_text())
    made: FreezePolicy = build("freeze", {**content, **changes})
    return made


NORM = ParameterInfo("backbone.features.1.weight", 1, is_norm=True)
SHIFT = ParameterInfo("backbone.features.1.bias", 1, is_norm=True)
BIAS = ParameterInfo("backbone.features.0.bias", 1)
SETTINGS: dict[str, dict[str, object]] = {"pattern": {"patterns": r"features\.[12]\."}}


@pytest.mark.parametrize(
    ("name", "changes", "frozen"),
    [
        ("none", {}, [[]]),
        ("backbone", {}, [[1, 2, 3, 4, 5]]),
        ("stage", {"stages": 0}, [[]]),
        ("stage", {"stages": 3}, [[1, 2, 3]]),
        ("stage", {"stages": 5}, [[1, 2, 3, 4, 5]]),
        ("stage", {"stages": [1, 4]}, [[1, 4]]),
        ("gradual", {}, [[1, 2, 3, 4, 5], [1, 2, 3, 4], [1, 2, 3], [1, 2], [1], [], []]),
        ("gradual", {"every": 2}, [[1, 2, 3, 4, 5]] * 2 + [[1, 2, 3, 4]] * 2 + [[1, 2, 3]]),
        ("gradual", {"first": 2}, [[1, 2, 3], [1, 2], [1], []]),
        ("linear_probe", {"epochs": 2}, [[1, 2, 3, 4, 5]] * 2 + [[]] * 2),
        ("norm", {}, [[1, 2, 3, 4, 5]]),
        ("bias", {}, [[1, 2, 3, 4, 5]]),
        ("pattern", {"patterns": [r"features\.[12]\.", r"features\.4"]}, [[1, 2, 4]]),
        ("pattern", {"patterns": r"features\.[12]|head", "invert": True}, [[3, 4, 5]]),
        ("auto", {}, [[]] * 3),  # until it has measured
        ("thaw", {}, [[1, 2, 3, 4, 5]] * 3),  # until it has measured
        ("surgical", {}, [[]]),
        ("lora", {}, [[1, 2, 3, 4, 5]]),
        ("ssf", {}, [[1, 2, 3, 4, 5]]),
    ],
)
def test_what_is_frozen(name: str, changes: dict[str, object], frozen: list[list[int]]) -> None:
    made = policy(name, **changes)
    for epoch, stages in enumerate(frozen):
        assert [stage.stage for stage in STAGES if made(epoch, stage) == 0] == stages, epoch
        assert made(epoch, HEAD) == 1
    assert made.constant == (name not in ("gradual", "linear_probe", "auto", "thaw"))


def test_norms_and_biases() -> None:
    assert [policy("norm")(0, info) for info in (NORM, SHIFT, BIAS)] == [1, 1, 0]
    assert [policy("bias")(0, info) for info in (NORM, SHIFT, BIAS)] == [0, 1, 1]


def test_fine_tuning_after_the_probe_can_be_slower() -> None:
    made = policy("linear_probe", epochs=2, factor=0.1)
    assert [made(epoch, STAGES[0]) for epoch in (1, 2)] == [0, 0.1]
    assert [made(epoch, HEAD) for epoch in (1, 2)] == [1, 0.1]


@pytest.mark.parametrize("name", groups()["freeze"])
@pytest.mark.parametrize("rows", [[], [[3.0, 1.0, 2.0, 9.0, 5.0]]])
def test_every_policy_is_a_pure_function(name: str, rows: list[list[float]]) -> None:
    made = policy(name, **SETTINGS.get(name, {}))
    if isinstance(made, MeasuredPolicy):
        made.measured[:] = rows if made.constant else [row[::-1] for row in rows * 2] + rows
    for epoch in range(5):
        factors = [made(epoch, info) for info in (*STAGES, HEAD)]
        assert factors == [made(epoch, info) for info in (*STAGES, HEAD)]
        assert all(factor >= 0 for factor in factors)
        assert not made.constant or factors == [made(0, info) for info in (*STAGES, HEAD)]


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("stage", {"stages": 6}, r"freeze\.stages=6: VGG has 5 stages; give 0 to 5"),
        ("stage", {"stages": [0, 1]}, r"freeze\.stages=\[0, 1\]"),
        ("gradual", {"every": 0}, r"freeze\.every=0 must be 1 or more"),
        ("linear_probe", {"factor": 0}, r"freeze\.factor=0 above 0"),
        ("pattern", {"patterns": "["}, r"'\[' is not a regular expression"),
        ("pattern", {"patterns": []}, "is empty"),
        ("auto", {"percentile": 101}, r"freeze\.percentile=101 must be from 0 to 100"),
        ("thaw", {"settled": 1}, r"freeze\.settled=1 must be above 0 and below 1"),
        ("surgical", {"tuned": 0}, r"freeze\.tuned=0"),
        ("lora", {"rank": 0}, r"freeze\.rank=0 must be 1 or more"),
        ("ssf", {"stages": []}, r"freeze\.stages is empty"),
    ],
)
def test_settings_out_of_range(name: str, changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        policy(name, **changes)
