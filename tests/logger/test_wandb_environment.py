"""W&B's own variables come before the defaults of logger=wandb, and words before both."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from vggexp.logger.wandb import build_logger

OBJECTIVE = {"metric": "top1", "mode": "max"}


@pytest.fixture(autouse=True)
def _own_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MODE", "PROJECT", "ENTITY", "NAME", "RUN_GROUP"):
        monkeypatch.delenv(f"WANDB_{name}", raising=False)


def test_the_environment_then_the_words(
    vggexp: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def settled(*words: str) -> dict[str, object]:
        code, out, _ = vggexp("logger=wandb", "run.name=x", *words, "--cfg", "job", "--resolve", "-p", "logger.wandb")
        assert code == 0
        own = yaml.safe_load(out)["logger"]["wandb"] if "logger:" in out else yaml.safe_load(out)
        return {key: own[key] for key in ("project", "entity", "mode", "name", "group")}

    monkeypatch.setattr("vggexp.config.naming.choices", lambda: dict.fromkeys(
        ("task", "backbone", "head", "freeze", "data"), "x"))  # fmt: skip
    assert settled() == {"project": "vggexp", "entity": None, "mode": "auto", "name": None, "group": None}
    for name, value in {"MODE": "offline", "PROJECT": "p", "NAME": "n", "ENTITY": "e", "RUN_GROUP": "g"}.items():
        monkeypatch.setenv(f"WANDB_{name}", value)
    assert settled() == {"project": "p", "entity": "e", "mode": "offline", "name": "n", "group": "g"}
    words = ("logger.wandb.project=q", "logger.wandb.mode=disabled", "logger.wandb.name=m")
    assert settled(*words) == {"project": "q", "entity": "e", "mode": "disabled", "name": "m", "group": "g"}


@pytest.mark.parametrize(("mode", "expected"), [("dryrun", "offline"), ("run", "online"), ("disabled", "disabled")])
def test_wandbs_words_for_a_mode(mode: str, expected: str) -> None:
    assert build_logger(Path("run"), OBJECTIVE, mode=mode)._wandb_init["mode"] == expected


def test_empty_variables_count_for_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "k" * 40)
    settings = build_logger(Path("run"), OBJECTIVE, project="", entity="", mode="", name="")._wandb_init
    assert (settings["project"], settings["entity"], settings["mode"]) == ("vggexp", None, "online")
