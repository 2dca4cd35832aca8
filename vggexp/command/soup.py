"""``soup``: average the weights of finished runs, and keep the average as a run."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vggexp.command.evaluate import score
from vggexp.command.restore import Restored, restore
from vggexp.config.check import needs
from vggexp.deploy.batch_statistics import estimate, moved_norms
from vggexp.deploy.soup import Members, Tried, by_score, digest, greedy, require_alike
from vggexp.distributed.claim import claim
from vggexp.errors import ConfigError
from vggexp.report.console import print_scores
from vggexp.report.soup_table import print_soup
from vggexp.report.summary import versions
from vggexp.run_folder import RunFolder
from vggexp.sample.contract import Contract
from vggexp.sample.data_contract import open_split
from vggexp.trainer.loader import build_loader
from vggexp.trainer.network import build_data
from vggexp.transfer.average import State, weighted
from vggexp.transfer.checkpoint import write_checkpoint
from vggexp.types import Data

Config = Mapping[str, Any]


class Soup:
    """The runs, one network that takes on their averages, and the scores on the validation split.

    Args:
        runs: the restored runs; the first one's learner takes on the averages.
        images: the most training images for the statistics of batch normalisation.
    """

    def __init__(self, runs: Sequence[Restored], data: Data, images: int) -> None:
        self.kept, self.data, self._images = runs[0], data, images
        self.states: list[State] = [
            {name: one.clone() for name, one in run.learner.state_dict().items()} for run in runs
        ]
        config, wanted = self.kept.config, needs(self.kept.config)
        dataset, contract = open_split(data, "train", wanted), Contract("train", data.info, wanted)
        # In one random order, the same at each pass: many data sets are sorted by class.
        self._training = build_loader(config, dataset, shuffle=True, contract=contract)
        self._scored: dict[Members, dict[str, float]] = {}

    def become(self, members: Members) -> None:
        """Set the network to the mean of these runs' weights; of several, with statistics estimated anew.

        Layers that all runs hold in common up to the first difference keep their statistics: they were frozen.
        """
        states = [self.states[place] for place in members]
        learner = self.kept.learner
        learner.load_state_dict(weighted(states, [1 / len(states)] * len(states)))
        if len(states) > 1:
            estimate(learner, self._training, moved_norms(learner, states), self._images)
        learner.eval()

    def scores(self, members: Members) -> dict[str, float]:
        """The metrics of this average on the validation split; each average is scored once."""
        key = tuple(sorted(members))
        if key not in self._scored:
            self.become(key)
            self._scored[key] = score(self.kept, self.data, "val")
        return self._scored[key]


def run(config: Config) -> int:
    """Score each run, the uniform and the greedy average on val; test the one that is kept, and write its folder."""
    folder = RunFolder(config["output"])
    with claim(folder.path, "name another output"):
        if folder.holds_run() and not config["overwrite"]:
            raise ConfigError(f"{folder.path} holds a run; name another output, or say overwrite=true")
        given = config["checkpoints"]
        names = list(map(str, given)) if isinstance(given, list) else [str(given)]
        names = [name for name in names if Path(name).resolve() != folder.path.resolve()]
        runs = [restore(Path(name), config["override"], config["trust"]) for name in names]
        targets = needs(runs[0].config) if runs else frozenset()
        configs, infos = [one.config for one in runs], [one.info for one in runs]
        require_alike(names, configs, infos, [one.learner.state_dict() for one in runs], targets)
        soup = Soup(runs, build_data(runs[0].config), config["images"])
        metric, mode = soup.kept.learner.objective

        def value(members: Members) -> float:
            return soup.scores(members)[metric]

        everyone = tuple(range(len(names)))
        singles = [value((place,)) for place in everyone]
        tried = greedy(singles, mode, value)
        uniform = Tried(everyone, value(everyone), False)
        members = everyone if config["kind"] == "uniform" else [one for one in tried if one.kept][-1].members
        print_soup(names, singles, uniform, tried, metric)
        _write(folder, soup, members, configs[by_score(singles, mode)[0]], names, config)
    return 0


def _fingerprint(name: str) -> Mapping[str, str]:
    """Of the splits that a member was scored on; all members have the same."""
    found: Mapping[str, str] = RunFolder(name).read_summary().get("fingerprint", {})
    return found


def _write(
    folder: RunFolder, soup: Soup, members: Members, config: Config, names: Sequence[str], verb: Config
) -> None:  # fmt: skip
    """Write a run folder like that of a training, without rows of epochs; its test is the only one."""
    config = {**config, "run": {**config["run"], "name": str(folder.path), "dir": str(folder.path), "overwrite": False}}
    restored = Restored(soup.kept.learner, config, soup.kept.info, folder.path)
    metrics = soup.scores(members)
    soup.become(tuple(sorted(members)))
    folder.begin(config, verb["overwrite"])
    learner = restored.learner
    content: dict[str, Any] = {"state_dict": {name: one.clone() for name, one in learner.state_dict().items()}}
    learner.on_save_checkpoint(content)
    content["config"] = config
    for path in (folder.best, folder.last):
        write_checkpoint(path, content)
    metrics = {**metrics, **score(restored, soup.data, "test", diagnostics=True)}
    metric, mode = learner.objective
    averaged = [{"run": names[place], "checkpoint": digest(Path(names[place]))} for place in sorted(members)]
    folder.finish(
        {
            "choice": config["choice"],
            "seed": config["seed"],
            "objective": {"metric": metric, "mode": mode, "value": metrics[metric]},
            "metrics": metrics,
            "baseline": learner.baseline,
            **learner.info,
            "parameters": sum(parameter.numel() for _, parameter in learner.freezing.parameters),
            "trainable_parameters": 0,
            "seconds": 0.0,
            "soup": {"kind": verb["kind"], "of": averaged},
            **({"fingerprint": prints} if (prints := _fingerprint(names[members[0]])) else {}),
            "versions": versions(),
        }
    )
    print_scores(f"{folder.path}: mean of {len(members)} of {len(names)} runs", metrics, learner.baseline)
    print(folder.path)
