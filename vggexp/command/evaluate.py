"""``evaluate``: a finished run's scores on one of its splits, beside the constant predictor's."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vggexp.build import build, build_data, build_loader
from vggexp.check import needs
from vggexp.command.restore import Restored, restore
from vggexp.errors import ConfigError
from vggexp.report.console import print_scores
from vggexp.run import plain, write_whole
from vggexp.types import Data


def run(config: Mapping[str, Any]) -> int:
    """Print the scores, and write them as JSON: beside the run, or to ``output``."""
    split = config["split"]
    if split not in ("val", "test"):
        raise ConfigError(f"split={split}: choose from: test, val")
    restored = restore(Path(config["checkpoint"]), config["override"])
    scores = score(restored, build_data(restored.config), split)
    constant = restored.learner.constant
    content = {"split": split, "metrics": scores, "constant": constant}
    output = config["output"]
    file = restored.folder / f"evaluation-{split}.json" if output is None else Path(str(output))
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, json.dumps(plain(content), indent=2) + "\n")
    print_scores(f"{config['checkpoint']} on {split}", scores, constant)
    print(f"scores: {file}")
    return 0


def score(restored: Restored, data: Data, split: str) -> dict[str, float]:
    """The metrics of a finished run on a split; the constant predictor's are then in ``learner.constant``."""
    learner, config = restored.learner, restored.config
    loader = build_loader(config, data.split(split, needs(config)))
    devices = {"gpus": min(gpus, 1) if (gpus := config["trainer"]["gpus"]) else gpus}  # this process alone
    trainer = build("trainer", {**config["trainer"], **devices, "_partial_": True})(
        folder=restored.folder, objective=learner.objective, standing=False
    )
    (scores,) = (trainer.test if split == "test" else trainer.validate)(learner, loader, verbose=False)
    return dict(scores)
