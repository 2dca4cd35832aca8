"""``evaluate``: score a finished run on one of its splits, beside the baseline."""

import json
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from pytorch_lightning.callbacks import Callback

from vggexp.command.restore import Restored, restore
from vggexp.config.check import needs
from vggexp.distributed.claim import claim
from vggexp.errors import require_known
from vggexp.report.console import print_scores
from vggexp.run_folder import RunFolder, plain, write_whole
from vggexp.sample.contract import Contract
from vggexp.sample.data_contract import open_split
from vggexp.trainer.build import build, build_data, build_loader
from vggexp.trainer.image_size import check_image_size
from vggexp.transfer.class_names import require_same_names
from vggexp.types import Data


def run(config: Mapping[str, Any]) -> int:
    """Print the scores, and write them as JSON: ``evaluation-<split>.json`` beside the run, or ``output``.

    The test of a run folder as it is, without ``output``, also writes what the run keeps of single images anew.
    """
    split = config["split"]
    require_known("split", split, ("val", "test"))
    restored = restore(Path(config["checkpoint"]), config["override"])
    output = config["output"]
    is_unchanged = Path(config["checkpoint"]).is_dir() and not config["override"] and output is None
    file = restored.folder / f"evaluation-{split}.json" if output is None else Path(str(output))
    data = build_data(restored.config)
    check_names(config["checkpoint"], restored, data)
    file.parent.mkdir(parents=True, exist_ok=True)
    with claim(restored.folder, "give output=FILE") if output is None else nullcontext():
        return _write(config, restored, data, file, is_unchanged)


def _write(config: Mapping[str, Any], restored: Restored, data: Data, file: Path, is_unchanged: bool) -> int:
    split = config["split"]
    scores = score(restored, data, split, diagnostics=is_unchanged and split == "test")
    baseline = restored.learner.baseline
    content = {"split": split, "metrics": scores, "baseline": baseline}
    write_whole(file, json.dumps(plain(content), indent=2) + "\n")
    print_scores(f"{config['checkpoint']} on {split}", scores, baseline)
    print(f"scores: {file}")
    return 0


def check_names(name: str, restored: Restored, data: Data) -> None:
    """ConfigError unless the data set has the class names, in their order, that the run was trained on."""
    where = (f"the run {name}", "this data set")
    advice = "evaluate on the run's own classes, in the run's order: see data.classes and data.root"
    require_same_names(restored.info, data.info, needs(restored.config), where, advice)


def score(restored: Restored, data: Data, split: str, diagnostics: bool = False) -> dict[str, float]:
    """The metrics of a finished run on a split. Afterwards ``learner.baseline`` has the baseline's metrics.

    Args:
        diagnostics: whether to write what the page shows of single images into the folder, if the run keeps such.
    """
    learner, config = restored.learner, restored.config
    dataset = open_split(data, split, needs(config))
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
    (scores,) = (trainer.test if split == "test" else trainer.validate)(learner, loader, verbose=False)
    return dict(scores)


def _diagnostics(config: Mapping[str, Any], folder: Path) -> list[Callback]:
    chosen = config.get("callback", {}).get("diagnostics")
    return [build("callback", chosen, folder=RunFolder(folder).predictions)] if chosen else []
