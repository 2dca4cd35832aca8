"""``evaluate``: a finished run's scores on one of its splits, beside the constant predictor's."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vggexp.build import build, build_data, build_loader
from vggexp.check import needs
from vggexp.command.restore import restore
from vggexp.errors import ConfigError
from vggexp.report.console import print_scores
from vggexp.run import plain, write_whole


def run(config: Mapping[str, Any]) -> int:
    """Print the scores, and write them as ``evaluation-<split>.json`` beside the checkpoint's run."""
    split = config["split"]
    if split not in ("val", "test"):
        raise ConfigError(f"split={split}: choose from: test, val")
    restored = restore(Path(config["checkpoint"]), config["override"])
    learner, its_config = restored.learner, restored.config
    data = build_data(its_config)
    loader = build_loader(its_config, data.split(split, needs(its_config)))
    trainer = build("trainer", {**its_config["trainer"], "_partial_": True})(
        folder=restored.folder, objective=learner.objective, standing=False
    )
    score = trainer.test if split == "test" else trainer.validate
    (scores,) = score(learner, loader, verbose=False)
    content = {"split": split, "metrics": scores, "constant": learner.constant}
    write_whole(restored.folder / f"evaluation-{split}.json", json.dumps(plain(content), indent=2) + "\n")
    print_scores(f"{config['checkpoint']} on {split}", scores, learner.constant)
    return 0
