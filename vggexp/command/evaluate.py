"""``evaluate``: score a finished run on one of its splits, beside the baseline."""

import json
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from pytorch_lightning.callbacks import Callback

from vggexp.command.members import restore_all
from vggexp.command.restore import Restored
from vggexp.config.check import needs
from vggexp.distributed.claim import claim
from vggexp.distributed.signals import undisguised
from vggexp.errors import require_known
from vggexp.report.console import print_scores
from vggexp.run_folder import RunFolder, plain, write_whole
from vggexp.sample.contract import Contract
from vggexp.sample.data_contract import open_split
from vggexp.trainer.build import build
from vggexp.trainer.evaluation import at_own_size, keeps_size, suffix, words
from vggexp.trainer.image_size import check_image_size
from vggexp.trainer.loader import build_loader
from vggexp.trainer.network import build_data
from vggexp.trainer.shortage import explained
from vggexp.transfer.class_names import require_same_names
from vggexp.types import Data


def run(config: Mapping[str, Any]) -> int:
    """Print the scores, and write them as JSON: ``evaluation-<split>.json`` beside the run, or ``output``.

    Scores of another ``evaluation`` than the default get a name of their own, such as ``evaluation-test-sliding.json``.

    Of several runs, ``checkpoint=[a,b]``, the mean or the product of what they predict is scored (``fusion``).

    The test of a run folder as it is, without ``output``, also writes what the run keeps of single images anew.
    """
    split = config["split"]
    require_known("split", split, ("val", "test"))
    output, chosen = config["output"], config["evaluation"]
    restored = restore_all(config)
    name = " + ".join(map(str, names)) if isinstance(names := config["checkpoint"], list) else str(names)
    how = words(config["choice"], chosen)
    is_unchanged = Path(name).is_dir() and not config["override"] and output is None and how is None
    if keeps_size(chosen):
        restored = replace(restored, config=at_own_size(restored.config))
    data = build_data(restored.config)
    check_names(name, restored, data)
    file = restored.folder / f"evaluation-{split}{suffix(how)}.json" if output is None else Path(str(output))
    file.parent.mkdir(parents=True, exist_ok=True)
    with claim(restored.folder, "give output=FILE") if output is None else nullcontext():
        keeps = is_unchanged and split == "test"
        scores = score(restored, data, split, diagnostics=keeps, own_size=keeps_size(chosen))
        baseline = restored.learner.baseline
        joined = {"checkpoint": names, "fusion": config["fusion"] or "mean"} if isinstance(names, list) else {}
        content = {"split": split, "metrics": scores, "baseline": baseline, **(how or {}), **joined}
        write_whole(file, json.dumps(plain(content), indent=2) + "\n")
    print_scores(f"{name} on {split}", scores, baseline)
    print(f"scores: {file}")
    return 0


def check_names(name: str, restored: Restored, data: Data) -> None:
    """ConfigError unless the data set has the class names, in their order, that the run was trained on."""
    where = (f"the run {name}", "this data set")
    advice = "evaluate on the run's own classes, in the run's order: see data.classes and data.root"
    require_same_names(restored.info, data.info, needs(restored.config), where, advice)


def score(
    restored: Restored, data: Data, split: str, diagnostics: bool = False, own_size: bool = False
) -> dict[str, float]:
    """The metrics of a finished run on a split. Afterwards ``learner.baseline`` has the baseline's metrics.

    Args:
        diagnostics: whether to write what the page shows of single images into the folder, if the run keeps such.
        own_size: whether images keep their own sizes.
    """
    learner, config = restored.learner, restored.config
    dataset = open_split(data, split, needs(config))
    if not own_size:
        check_image_size(config, dataset)
    loader = build_loader(config, dataset, contract=Contract(split, data.info, needs(config)))
    devices = {"gpus": min(gpus, 1) if (gpus := config["trainer"]["gpus"]) else gpus}  # this process alone
    trainer = build(
        "trainer",
        {**config["trainer"], **devices},
        folder=restored.folder,
        objective=learner.objective,
        standing=False,
        callbacks=_diagnostics(config, restored.folder) if diagnostics else [],
    )
    with undisguised(), explained(config):
        (scores,) = (trainer.test if split == "test" else trainer.validate)(learner, loader, verbose=False)
    return dict(scores)


def _diagnostics(config: Mapping[str, Any], folder: Path) -> list[Callback]:
    chosen = config.get("callback", {}).get("diagnostics")
    return [build("callback", chosen, folder=RunFolder(folder).predictions)] if chosen else []
