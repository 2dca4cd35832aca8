"""``graft``: merge runs that share a frozen backbone into one multitask run, without training."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from vggexp.command.evaluate import score
from vggexp.command.restore import Restored, restore
from vggexp.config.check import needs
from vggexp.config.compose import defaults
from vggexp.deploy import graft
from vggexp.deploy.same_data import require_same_data
from vggexp.distributed.claim import claim
from vggexp.errors import ConfigError
from vggexp.learner.learner import Learner
from vggexp.report.console import print_graft
from vggexp.run_folder import RunFolder
from vggexp.trainer.learner import build_learner
from vggexp.trainer.network import build_data
from vggexp.transfer.checkpoint import write_checkpoint
from vggexp.transfer.without_weights import without_weights

IMAGES = 16
"""Random images on which the merged network must return the outputs of the single networks."""


def run(config: Mapping[str, Any]) -> int:
    """Merge, check that no output changed, write the run folder, and score it beside the single runs."""
    with claim(Path(config["output"]), "name another output"):
        return _merge(config)


def _merge(config: Mapping[str, Any]) -> int:
    folder, names = RunFolder(config["output"]), [str(path) for path in config["checkpoints"]]
    if folder.holds_run() and not config["overwrite"]:
        raise ConfigError(f"{folder.path} holds a run; name another output, or say overwrite=true")
    singles = [restore(Path(name), {}, config["trust"]) for name in names]
    configs, learners = [single.config for single in singles], [single.learner for single in singles]
    graft.check_mergeable(names, configs)
    graft.check_names(names, [single.info for single in singles])
    tensors = graft.check_backbones(names, learners)
    merged_config = graft.merge_configs(names, configs, _multitask(), str(folder.path))
    require_same_data(names, configs, needs(merged_config))
    merged = build_learner(without_weights(merged_config), singles[0].info)
    merged.load_state_dict(graft.merge_states(configs, learners))

    height, width = merged_config["data"]["image_size"]
    images = torch.randint(0, 256, (IMAGES, 3, height, width), dtype=torch.uint8)
    graft.check_equal(merged, configs, learners, images)
    print(f"backbone: {tensors} tensors equal, byte for byte; outputs on {IMAGES} random images: equal, bit for bit")
    apart, together = graft.seconds_of(learners, images), graft.seconds_of([merged], images)
    print(f"one forward pass: {together * 1e3:.1f} ms in place of {apart * 1e3:.1f} ms")
    _write(folder, merged, Restored(merged, merged_config, singles[0].info, folder.path), config["overwrite"])
    print_graft(folder, {name: RunFolder(name).read_summary() for name in names})
    return 0


def _multitask() -> dict[str, Any]:
    """The defaults of ``task=multitask freeze=backbone``."""
    return defaults("train", "task=multitask", "freeze=backbone", "run.name=graft")


def _write(folder: RunFolder, merged: Learner, restored: Restored, overwrite: bool) -> None:
    """Write a run folder like that of a training, without rows of epochs."""
    config, data = restored.config, build_data(restored.config)
    folder.begin(config, overwrite)
    content: dict[str, Any] = {"state_dict": merged.state_dict()}
    merged.on_save_checkpoint(content)
    content["config"] = config
    for path in (folder.best, folder.last):
        write_checkpoint(path, content)
    metrics = {**score(restored, data, "val"), **score(restored, data, "test", diagnostics=True)}
    metric, mode = merged.objective
    folder.finish(
        {
            "choice": config["choice"],
            "seed": config["seed"],
            "objective": {"metric": metric, "mode": mode, "value": metrics[metric]},
            "metrics": metrics,
            "baseline": merged.baseline,
            **merged.info,
            "parameters": sum(parameter.numel() for _, parameter in merged.freezing.parameters),
            "trainable_parameters": 0,
            "seconds": 0.0,
        }
    )
