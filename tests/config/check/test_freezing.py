"""What freeze policies and ``optimizer.l2_sp`` cannot work with is refused before anything is built."""

from typing import Any

import pytest

from vggexp.config.check.freezing import check_freezing, sources
from vggexp.errors import ConfigError


def config(policy: str, l2_sp: float = 0.0, source: str = "none", **trainer: str) -> dict[str, Any]:
    return {
        "trainer": {"strategy": "ddp", "precision": "32", **trainer},
        "freeze": {"_target_": f"vggexp.freeze.{policy}.Any"},
        "choice": {"freeze": policy},
        "optimizer": {"l2_sp": l2_sp},
        "backbone": {"weights": source},
        "head": {"part": {"box": {"weights": source}}},
    }


@pytest.mark.parametrize("policy", ["auto", "surgical", "lora", "ssf"])
def test_sharded_parameters(policy: str) -> None:
    with pytest.raises(ConfigError, match=f"freeze={policy} works with whole parameters only; choose strategy=ddp"):
        check_freezing(config(policy, strategy="fsdp"))
    check_freezing(config(policy))
    check_freezing(config("gradual", strategy="fsdp"))


def test_scaled_gradients() -> None:
    for wrong in (config("auto", precision="16-mixed"), config("none", 0.1, "runs/a", precision="16-mixed")):
        with pytest.raises(ConfigError, match="16-mixed scales the gradients"):
            check_freezing(wrong)
    check_freezing(config("surgical", precision="16-mixed"))


def test_a_pull_needs_a_start() -> None:
    with pytest.raises(ConfigError, match=r"optimizer\.l2_sp=0\.1 pulls weights .* backbone\.weights=none"):
        check_freezing(config("none", 0.1))
    check_freezing(config("none", 0.1, "runs/a"))
    assert sources(config("none", 0.1, "runs/a")) == ("backbone.", "head.part.box.")
