"""The W&B sweeps of ``conf/sweep``: W&B takes them, every value that they name is one of ours, and one really runs."""

import json
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
import yaml
from wandb.sdk.launch.sweeps.utils import create_sweep_command, create_sweep_command_args

from vggexp.config.compose import defaults
from vggexp.config.help import SWEEPS

FILES = sorted(SWEEPS.glob("*.yaml"))
NAMES = [path.stem for path in FILES]


def read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((SWEEPS / f"{name}.yaml").read_text())
    return content


def ends(parameter: dict[str, Any]) -> list[Any]:
    """A parameter's values; of a range, its two ends."""
    if "value" in parameter:
        return [parameter["value"]]
    return list(parameter["values"]) if "values" in parameter else [parameter["min"], parameter["max"]]


def command_line(definition: dict[str, Any], values: dict[str, Any]) -> list[str]:
    """What an agent of W&B would start, made by its own functions."""
    made = {"env": ["/usr/bin/env"]} | create_sweep_command_args({"args": {k: {"value": v} for k, v in values.items()}})
    parts = [made.get(word[2:-1], [word]) for word in create_sweep_command(list(definition["command"]))]
    return [word for part in parts for word in part]


def test_every_task_has_a_grid_and_a_search() -> None:
    tasks = ("classification", "localization", "multitask", "segmentation")
    assert {f"{task}_{way}" for task in tasks for way in ("bayes", "grid")} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_wandb_takes_it(name: str) -> None:
    with warnings.catch_warnings(action="ignore"):  # of a package from before pydantic 2
        from sweeps import schema_violations_from_proposed_config as violations
    definition = read(name)
    definition.pop("run_cap", None)  # W&B's limit on the number of runs is younger than this schema
    assert violations(definition) == []
    assert violations({**definition, "method": "grit"}) != []


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_value_is_a_word_of_ours(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Composed, and checked as train checks them; the metric is the one that the run is to improve."""
    monkeypatch.setenv("WANDB_RUN_ID", "abc")
    definition = read(name)
    parameters = {key: ends(parameter) for key, parameter in definition["parameters"].items()}
    assert definition["name"].startswith(parameters["task"][0])
    for turn in range(max(map(len, parameters.values()))):
        line = command_line(definition, {key: values[turn % len(values)] for key, values in parameters.items()})
        assert line[:5] == ["/usr/bin/env", "python", "-m", "vggexp", "train"]
        config = check_words(line[5:])
    metric, mode = config["objective"]["metric"], config["objective"]["mode"]
    assert definition["metric"] == {"name": f"val/{metric}", "goal": {"max": "maximize", "min": "minimize"}[mode]}
    assert config["run"]["dir"] == f"runs/sweep/{name}/abc"


def check_words(words: list[str]) -> dict[str, Any]:
    from omegaconf import OmegaConf

    from vggexp.config.check import check

    choice = dict(word.split("=", 1) for word in words if "." not in word.partition("=")[0])
    for name, answer in {"choice": lambda group: choice.get(group, group), "run_group": lambda name: name}.items():
        OmegaConf.register_new_resolver(name, answer, replace=True)
    config = defaults("train", *words)
    chosen = {group: choice.get(group, group) for group in ("task", "head", "loss", "data", "freeze")}
    check("train", {"choice": chosen, **config})
    return config


@pytest.mark.parametrize("way", ["bayes", "grid"])
def test_the_tasks_differ_in_their_task_and_metric_alone(way: str) -> None:
    def rest(name: str) -> str:
        task = name.partition("_")[0]
        definition = read(name)
        metric = definition["metric"].pop("name")
        return json.dumps(definition).replace(task, "TASK").replace(metric, "METRIC")

    assert len({rest(name) for name in NAMES if name.endswith(way)}) == 1


def test_early_termination_waits_for_what_thaws_late() -> None:
    for name in NAMES:
        thawed = defaults("train", "freeze=linear_probe", "run.name=x", "logger=[]")["freeze"]["epochs"]
        assert read(name)["early_terminate"]["min_iter"] > thawed


@pytest.mark.slow
def test_a_command_of_an_agent_runs(offline_run: Any, tiny_words: tuple[str, ...], environment: dict[str, str]) -> None:
    """Its own process, with the variables that an agent sets; a value from a continuous range has many digits."""
    values = {key: ends(one)[-1] for key, one in read("classification_bayes")["parameters"].items()}
    values |= {"optimizer.lr": 0.00012345678901234567, "freeze": "backbone"}
    line = command_line(read("classification_bayes"), values)
    line[line.index("python")] = sys.executable
    given = Path("wandb/sweep-s/config-abc.yaml")
    given.parent.mkdir(parents=True)
    given.write_text(yaml.safe_dump({"wandb_version": 1, **{key: {"value": one} for key, one in values.items()}}))
    environment |= {"WANDB_RUN_ID": "abc", "WANDB_SWEEP_ID": "s", "WANDB_SWEEP_PARAM_PATH": str(given)}
    small = [*tiny_words, "head.hidden=8", "head.pool=1", "callback=[]", "test=false"]
    done = subprocess.run([*line, *small], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    run = offline_run(Path("runs/sweep/classification_bayes/abc"))
    assert (run.run.run_id, run.run.sweep_id, run.run.run_group) == ("abc", "s", "sweep/classification_bayes")
    assert run.config["optimizer.lr"] == run.config["optimizer"]["lr"] == values["optimizer.lr"]
    assert run.config["choice"]["freeze"] == "backbone"
    assert len(run.values("val/top1")) == 1
