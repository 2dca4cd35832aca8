"""``advise``: what to freeze, from which source, before any training."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from vggexp.command.restore import restore
from vggexp.config.check import needs
from vggexp.errors import ConfigError, UserError, did_you_mean, one_line
from vggexp.report.advice_table import costs_table, probes_table
from vggexp.report.console import console
from vggexp.run_folder import plain, write_whole
from vggexp.sample.contract import Contract
from vggexp.sample.data_contract import open_split
from vggexp.trainer.advice.cost import cost
from vggexp.trainer.advice.recommend import RANDOM, Advice, Row, recommend
from vggexp.trainer.advice.stage_features import Classifier, StageFeatures, stage_features
from vggexp.trainer.learner import build_learner
from vggexp.trainer.loader import build_loader
from vggexp.trainer.network import build_data
from vggexp.transfer.checkpoint import read_checkpoint
from vggexp.transfer.score.h_score import h_score
from vggexp.transfer.score.leep import leep
from vggexp.transfer.score.logme import logme
from vggexp.transfer.score.probe import Probe, probe_boxes, probe_classes
from vggexp.types import Data

Config = Mapping[str, Any]
TARGETS = {"classification": "label", "localization": "box", "segmentation": "mask"}
"""The tasks that can be probed, and what their probes predict."""
METRICS = {"label": "top1", "box": "box_iou", "mask": "right cells"}


def run(config: Config) -> int:
    """Print what each source's stages are worth, what each policy costs, and the command to take."""
    target = _target(config)
    sources = [*dict.fromkeys([*map(str, config["sources"]), *_named(config), RANDOM])]
    _check(sources)
    data, out = build_data(config), console()
    found = {source: _features(config, source, data, target) for source in sources}
    rows = [row for source, splits in found.items() for row in _rows(source, *splits, target)]
    train, val = next(iter(found.values()))
    baseline = _baseline(train.targets, val.targets, target)
    out.print(probes_table([asdict(row) for row in rows], METRICS[target], baseline))
    costs = _costs(config, data)
    out.print(costs_table(costs))
    advice = recommend(rows)
    command = _command(config, advice.words)
    out.print(f"\n{advice.reason}", soft_wrap=True)
    out.print(command, style="bold", soft_wrap=True)
    if advice.basis:
        out.print(advice.basis, soft_wrap=True)
    if advice.stage:
        out.print(f"Compare the numbers of stages by training:\n{_sweep(config, advice)}", soft_wrap=True)
    if config["output"]:
        content = {"probes": [asdict(row) for row in rows], "baseline": baseline, "costs": costs,
                   "advice": {**asdict(advice), "basis": advice.basis, "command": command}}  # fmt: skip
        path = Path(str(config["output"]))
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps(plain(content), indent=2) + "\n")
    return 0


def _sweep(config: Config, advice: Advice) -> str:
    """A sweep over the number of frozen first stages of the recommended source."""
    source = [word for word in advice.words if word.startswith("backbone.weights=")]
    return _command(config, [*source, "-m", "freeze=stage", "freeze.stages=1,2,3,4,5"])


def _target(config: Config) -> str:
    task = config["choice"]["task"]
    if task not in TARGETS:
        raise ConfigError(f"advise can probe {', '.join(TARGETS)}, and not task={task}")
    return TARGETS[task]


def _named(config: Config) -> list[str]:
    """The source that ``backbone.weights`` names."""
    weights = config["backbone"]["weights"]
    return [] if weights in ("none", None) else [str(weights)]


def _check(sources: Sequence[str]) -> None:
    for source in sources:
        if source not in (RANDOM, "imagenet") and not Path(source).exists():
            raise ConfigError(f"advise: there is no run folder or file {source}{did_you_mean(source, ('imagenet',))}")


def _with(config: Config, source: str) -> Config:
    return {**config, "backbone": {**config["backbone"], "weights": source}}


def _features(config: Config, source: str, data: Data, target: str) -> tuple[StageFeatures, StageFeatures]:
    """The features of the training and the validation split."""
    torch.manual_seed(config["seed"])  # random weights, too, are the same in each run of the command
    learner = build_learner(_with(config, source), data.info)
    classifier = _classifier(source) if target == "label" else None
    wanted = needs(config)
    splits = []
    for split in ("train", "val"):
        dataset, contract = open_split(data, split, wanted), Contract(split, data.info, wanted)
        # Of a larger data set random images: many are sorted by class.
        loader = build_loader(config, dataset, shuffle=len(dataset) > config["images"], contract=contract)
        own = classifier if split == "train" else None
        splits.append(stage_features(learner, loader, target, config["images"], own))
    return splits[0], splits[1]


def _classifier(source: str) -> Classifier | None:
    """The head of a source that is a classifier's run; None for every other."""
    if source in (RANDOM, "imagenet"):
        return None
    content = read_checkpoint(Path(source))
    config = content.get("config")
    if not isinstance(config, Mapping) or config.get("choice", {}).get("task") != "classification":
        return None
    try:
        learner = restore(Path(source), {}).learner
    except UserError as error:
        print(f"no LEEP for {source}: {one_line(error)}")
        return None
    head, task = learner.head, learner.task
    return lambda features: cast(torch.Tensor, task.predict(head(features))["probability"])


def _rows(source: str, train: StageFeatures, val: StageFeatures, target: str) -> list[Row]:
    rows = []
    for stage, (features, others) in enumerate(zip(train.stages, val.stages, strict=True), 1):
        if target == "box":
            probe: Probe = probe_boxes(features, train.targets, others, val.targets)  # type: ignore[arg-type]
            rows.append(Row(source, stage, probe.score, probe.error, logme(features, train.targets)))  # type: ignore[arg-type]
            continue
        labels: Any = train.targets
        probe = probe_classes(features, labels, others, val.targets)  # type: ignore[arg-type]
        one_hot = np.eye(int(labels.max()) + 1)[labels]
        is_last, guesses = stage == len(train.stages), train.probabilities
        scores = (logme(features, one_hot), h_score(features, labels))
        own = leep(guesses, labels) if is_last and guesses is not None else None
        rows.append(Row(source, stage, probe.score, probe.error, *scores, own))
    return rows


def _baseline(train: Any, val: Any, target: str) -> float:
    """The score of the best constant prediction: the most frequent class, or the mean box."""
    if target != "box":
        return float((val == np.bincount(train).argmax()).mean())
    from vggexp.boxes import iou

    mean = torch.from_numpy(train.mean(0)).expand(len(val), 4)
    return float(iou(mean, torch.from_numpy(val)).mean())


def _costs(config: Config, data: Data) -> list[dict[str, Any]]:
    """What each number of frozen first stages costs, from none to all."""
    wanted = needs(config)
    dataset = open_split(data, "train", wanted)
    loader = build_loader(config, dataset, contract=Contract("train", data.info, wanted))
    batch = next(iter(loader))
    learner = build_learner(_with(config, RANDOM), data.info)
    count = len(loader)
    return [
        {"stage": stage, **asdict(cost(learner, config, batch, stage, config["timed"], count))} for stage in range(6)
    ]


def _command(config: Config, words: Sequence[str]) -> str:
    """The training that is recommended, with the groups that the user chose."""
    chosen = config["choice"]
    groups = [f"{group}={chosen[group]}" for group in ("task", "data", "backbone") if chosen.get(group)]
    root = [f"data.root={config['data']['root']}"] if config["data"].get("root") else []
    return " ".join(["python -m vggexp", *groups, *root, *words])
