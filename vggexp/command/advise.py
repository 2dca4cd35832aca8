"""``advise``: what to freeze, from which source, before any training."""

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import torch

from vggexp.command.restore import restore
from vggexp.config.check import needs
from vggexp.config.naming import overrides
from vggexp.errors import ConfigError, DataError, UserError, did_you_mean, one_line
from vggexp.learner.learner import Learner
from vggexp.report.advice_table import costs_table, probes_table
from vggexp.report.console import console
from vggexp.run_folder import plain, write_whole
from vggexp.sample.contract import Contract
from vggexp.sample.data_contract import open_split
from vggexp.trainer.advice.cost import cost
from vggexp.trainer.advice.estimate import Estimate, estimates
from vggexp.trainer.advice.recommend import RANDOM, Advice, Row, choose_source, over_targets, recommend
from vggexp.trainer.advice.stage_features import Classifier, StageFeatures, stage_features
from vggexp.trainer.advice.target.contract import Target
from vggexp.trainer.advice.targets import targets_of
from vggexp.trainer.anchor_sizes import with_anchors
from vggexp.trainer.learner import build_learner
from vggexp.trainer.loader import build_loader
from vggexp.trainer.network import build_data
from vggexp.transfer.checkpoint import read_checkpoint
from vggexp.transfer.score.h_score import h_score
from vggexp.transfer.score.leep import leep
from vggexp.transfer.score.logme import logme
from vggexp.types import Batch, Data

Config = Mapping[str, Any]
OWN = ("sources", "images", "tangents", "timed", "output", "debug")
"""Keys of ``advise`` that a training does not have, or that say nothing about it."""


def run(config: Config) -> int:
    """Print what each source's stages are worth, what each policy costs, and the command to take."""
    targets = targets_of(config)
    sources = [*dict.fromkeys([*map(str, config["sources"]), *_named(config), RANDOM])]
    _check(sources)
    data, out = build_data(config), console()
    config = with_anchors(config, data)
    found = {source: _features(config, source, data, targets) for source in sources}
    rows = [row for source, splits in found.items() for row in _rows(source, splits, targets)]
    train, val = next(iter(found.values()))
    baselines = {name: target.baseline(train[name].targets, val[name].targets) for name, target in targets.items()}
    for name, target in targets.items():
        own = [asdict(row) for row in rows if row.target == name]
        out.print(probes_table(own, target.metric, baselines[name]))
    choice = choose_source(over_targets(rows))
    expected = _estimates(config, choice.source, data, targets)
    costs = _costs(config, data)
    out.print(costs_table(costs, [asdict(one) for one in expected], choice.source))
    advice = recommend(choice, expected)
    command = _command(config, advice.words)
    out.print(f"\n{advice.reason}", soft_wrap=True)
    out.print(command, style="bold", soft_wrap=True)
    if advice.basis:
        out.print(advice.basis, soft_wrap=True)
    if advice.basis:
        out.print(f"Compare the numbers of stages by training:\n{_sweep(config, advice)}", soft_wrap=True)
    if config["output"]:
        content = {"probes": [asdict(row) for row in rows], "baseline": baselines, "costs": costs,
                   "estimates": [asdict(one) for one in expected],
                   "advice": {**asdict(advice), "basis": advice.basis, "command": command}}  # fmt: skip
        path = Path(str(config["output"]))
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps(plain(content), indent=2) + "\n")
    return 0


def _sweep(config: Config, advice: Advice) -> str:
    """A sweep over the number of frozen first stages of the recommended source."""
    source = [word for word in advice.words if word.startswith("backbone.weights=")]
    return _command(config, [*source, "-m", "freeze=stage", "freeze.stages=1,2,3,4,5"])


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


def _features(
    config: Config, source: str, data: Data, targets: Mapping[str, Target]
) -> tuple[dict[str, StageFeatures], dict[str, StageFeatures]]:
    """The features of the training and the validation split, by target."""
    learner = _learner(config, source, data)
    classifier = _classifier(source) if "label" in targets else None
    train = stage_features(learner, _batches(config, data, "train", "images"), targets, config["images"], classifier)
    return train, stage_features(learner, _batches(config, data, "val", "images"), targets, config["images"])


def _learner(config: Config, source: str, data: Data) -> Learner:
    torch.manual_seed(config["seed"])  # random weights, too, are the same in each run of the command
    return build_learner(_with(config, source), data.info)


def _batches(config: Config, data: Data, split: str, limit: str) -> Iterable[Batch]:
    """A split's batches; in random order if it has more images than the config's limit: many are sorted by class."""
    wanted = needs(config)
    dataset = open_split(data, split, wanted)
    shuffle = len(dataset) > config[limit]
    return build_loader(config, dataset, shuffle=shuffle, contract=Contract(split, data.info, wanted))


def _estimates(config: Config, source: str, data: Data, targets: Mapping[str, Target]) -> list[Estimate]:
    """What training from this source is expected to reach; empty without a source, or if none were asked for."""
    if source == RANDOM or not config["tangents"]:
        return []
    learner = _learner(config, source, data)
    return estimates(learner, lambda split: _batches(config, data, split, "tangents"), targets, config["tangents"])


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


def _rows(
    source: str, splits: tuple[dict[str, StageFeatures], dict[str, StageFeatures]], targets: Mapping[str, Target]
) -> Iterator[Row]:
    """The scores of each stage of a source, for each target."""
    for name, target in targets.items():
        train, val = (split[name] for split in splits)
        if not (len(train.targets) and len(val.targets)):
            empty = "val" if len(train.targets) else "train"
            raise DataError(f"advise: the images of {empty} hold nothing to predict ({name})")
        classes, columns = target.classes(train.targets), target.columns(train.targets)
        for stage, features in enumerate(train.stages, 1):
            probe = target.probe(train.examples(stage), val.examples(stage))
            suits = None if classes is None else h_score(features, classes)
            is_read = name == "label" and stage == len(train.stages) and train.probabilities is not None
            guessed = leep(train.probabilities, classes) if is_read else None  # type: ignore[arg-type]
            yield Row(source, stage, probe.score, probe.error, logme(features, columns), suits, guessed, name)


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
    """The training that is recommended: the user's own words about the run, then these."""
    chosen = [word for word in words if not word.startswith("-")]
    flags = [word for word in words if word.startswith("-")]
    dropped = (*OWN, "freeze", *(["backbone.weights"] if any(w.startswith("backbone.weights=") for w in words) else []))
    typed = [word for word in overrides() if not _is_of(word, dropped)]
    return shlex.join(["python", "-m", "vggexp", *flags, *typed, *chosen])


def _is_of(word: str, keys: Sequence[str]) -> bool:
    """Whether a word sets one of these keys, or a key below it."""
    key = word.lstrip("+~").partition("=")[0].partition("@")[0]
    return any(key == one or key.startswith(f"{one}.") for one in keys)
