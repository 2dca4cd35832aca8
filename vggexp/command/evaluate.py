"""``evaluate``: a finished run's scores on one of its splits, beside the constant predictor's."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytorch_lightning.callbacks import Callback

from vggexp.command.restore import Restored, restore
from vggexp.config.check import needs
from vggexp.errors import require_known
from vggexp.report.console import print_scores
from vggexp.run_folder import RunFolder, plain, write_whole
from vggexp.sample.contract import Contract
from vggexp.sample.data_contract import open_split
from vggexp.trainer.build import build, build_data, build_loader
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
    data = build_data(restored.config)
    check_names(config["checkpoint"], restored, data)
    scores = score(restored, data, split, evidence=is_unchanged and split == "test")
    constant = restored.learner.constant
    content = {"split": split, "metrics": scores, "constant": constant}
    file = restored.folder / f"evaluation-{split}.json" if output is None else Path(str(output))
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, json.dumps(plain(content), indent=2) + "\n")
    print_scores(f"{config['checkpoint']} on {split}", scores, constant)
    print(f"scores: {file}")
    return 0


def check_names(name: str, restored: Restored, data: Data) -> None:
    """ConfigError unless the data set has the class names, in their order, that the run was trained on."""
    where = (f"the run {name}", "this data set")
    advice = "evaluate on the run's own classes, in the run's order: see data.classes and data.root"
    require_same_names(restored.info, data.info, needs(restored.config), where, advice)


def score(restored: Restored, data: Data, split: str, evidence: bool = False) -> dict[str, float]:
    """The metrics of a finished run on a split; the constant predictor's are then in ``learner.constant``.

    Args:
        evidence: whether to write what the page shows of single images into the folder, if the run keeps such.
    """
    learner, config = restored.learner, restored.config
    contract = Contract(split, data.info, needs(config))
    loader = build_loader(config, open_split(data, split, needs(config)), contract=contract)
    devices = {"gpus": min(gpus, 1) if (gpus := config["trainer"]["gpus"]) else gpus}  # this process alone
    trainer = build(
        "trainer",
        {**config["trainer"], **devices},
        folder=restored.folder,
        objective=learner.objective,
        standing=False,
        callbacks=_evidence(config, restored.folder) if evidence else [],
    )
    (scores,) = (trainer.test if split == "test" else trainer.validate)(learner, loader, verbose=False)
    return dict(scores)


def _evidence(config: Mapping[str, Any], folder: Path) -> list[Callback]:
    chosen = config.get("callback", {}).get("evidence")
    return [build("callback", chosen, folder=RunFolder(folder).predictions)] if chosen else []
