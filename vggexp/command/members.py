"""Several finished runs as one: ``evaluate checkpoint=[a,b]``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vggexp.command.restore import Restored, restore
from vggexp.config.check import needs
from vggexp.errors import ConfigError
from vggexp.sample.resize import plain_recipe
from vggexp.task.evaluation.fused import Fused, Member
from vggexp.trainer.evaluation import keeps_size, make_evaluation
from vggexp.transfer.class_names import require_same_names
from vggexp.types import AveragesViews

Config = Mapping[str, Any]


def restore_all(config: Config) -> Restored:
    """The run, or the first of several, whose learner then evaluates as ``evaluation`` and ``fusion`` say.

    Raises:
        ConfigError: a run cannot be evaluated so, or the runs do not go together.
    """
    given = config["checkpoint"]
    paths = list(map(str, given)) if isinstance(given, list) else [str(given)]
    first, *others = (restore(Path(path), config["override"], config["trust"]) for path in paths)
    chosen = config["evaluation"]
    own = _way(first, chosen)
    if not others:
        if config["fusion"] is not None:
            raise ConfigError(f"fusion={config['fusion']} joins several runs: checkpoint=[runs/a,runs/b]")
        first.learner.evaluation = own
        return first
    if config["output"] is None:
        raise ConfigError("several runs have no folder in common for their score: give output=FILE")
    how = config["fusion"] or "mean"
    _check_task(how, first)
    for path, other in zip(paths[1:], others, strict=True):
        _check_pair((paths[0], path), (first, other), chosen)
    first.learner.evaluation = Fused(own, [_member(other, chosen, first) for other in others], how)
    return first


def _way(restored: Restored, chosen: Config) -> Any | None:
    return make_evaluation(chosen, restored.config, restored.learner, restored.config["data"]["batch_size"])


def _member(other: Restored, chosen: Config, first: Restored) -> Member:
    """A further network, which follows the first one to its device."""

    def forward(images: Any) -> Any:
        return other.learner.to(first.learner.device)(images)

    return forward, _way(other, chosen)


def _check_task(how: str, restored: Restored) -> None:
    task, gives = restored.config["choice"]["task"], restored.config["head"]["gives"]
    if not isinstance(restored.learner.task, AveragesViews):
        raise ConfigError(f"checkpoint: runs of task={task} cannot be joined; classification and segmentation can")
    if how == "product" and gives not in ("class_logits", "pixel_logits"):
        raise ConfigError(
            f"fusion=product multiplies probabilities, and task={task} has none; fusion=mean averages boxes"
        )


def _check_pair(names: tuple[str, str], pair: tuple[Restored, Restored], chosen: Config) -> None:
    """The same task, classes and outputs; and the same images, unless each run scales photos by itself."""
    configs = [one.config for one in pair]
    tasks = [(config["choice"]["task"], config["head"]["gives"]) for config in configs]
    if tasks[0] != tasks[1]:
        raise ConfigError(
            f"checkpoint: {names[0]} is of task={tasks[0][0]} ({tasks[0][1]}) and {names[1]} of task={tasks[1][0]} "
            f"({tasks[1][1]}); give runs of one task"
        )
    where = (f"the run {names[0]}", f"the run {names[1]}")
    require_same_names(pair[0].info, pair[1].info, needs(configs[0]), where, "give runs with the same classes")
    recipes = [(config["data"]["image_size"], plain_recipe(config["data"]["eval_transform"])) for config in configs]
    if recipes[0] != recipes[1] and ("tile" in chosen or not keeps_size(chosen)):
        raise ConfigError(
            f"checkpoint: {names[0]} and {names[1]} see photos at other sizes ({recipes[0][0]}, {recipes[1][0]}, or by "
            "another data.eval_transform); give data.image_size=[H,W], or evaluation=dense, where each scales by itself"
        )
