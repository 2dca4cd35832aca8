"""Each policy's table of what is frozen, and the contract that every policy keeps."""

import pytest
import yaml

from vggexp.build import build
from vggexp.types import FreezePolicy, ParameterInfo
from vggexp.usage import CONF, groups

HEAD = ParameterInfo("head.classifier.0.weight", None)
STAGES = [ParameterInfo(f"backbone.features.{stage}.weight", stage) for stage in range(1, 6)]


def policy(name: str, **changes: object) -> FreezePolicy:
    content = yaml.safe_load((CONF / "freeze" / f"{name}.yaml").read_text())
    made: FreezePolicy = build("freeze", {**content, **changes})
    return made


@pytest.mark.parametrize(
    ("name", "changes", "frozen"),
    [
        ("none", {}, []),
        ("backbone", {}, [1, 2, 3, 4, 5]),
        ("stage", {"stages": 0}, []),
        ("stage", {"stages": 3}, [1, 2, 3]),
        ("stage", {"stages": 5}, [1, 2, 3, 4, 5]),
    ],
)
def test_what_is_frozen(name: str, changes: dict[str, object], frozen: list[int]) -> None:
    made = policy(name, **changes)
    for epoch in (0, 1, 100):
        assert [stage.stage for stage in STAGES if made(epoch, stage) == 0] == frozen
        assert made(epoch, HEAD) == 1


@pytest.mark.parametrize("name", groups()["freeze"])
def test_every_policy_is_a_pure_function(name: str) -> None:
    made = policy(name)
    for epoch in range(5):
        factors = [made(epoch, info) for info in (*STAGES, HEAD)]
        assert factors == [made(epoch, info) for info in (*STAGES, HEAD)]
        assert all(factor >= 0 for factor in factors)
        assert not made.constant or factors == [made(0, info) for info in (*STAGES, HEAD)]


def test_more_stages_than_there_are() -> None:
    from vggexp.errors import ConfigError

    with pytest.raises(ConfigError, match=r"freeze\.stages=6: VGG has 5 stages, give 0 to 5"):
        policy("stage", stages=6)
