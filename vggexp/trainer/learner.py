"""Builds the learner of a run: its network, freeze policy, optimizer and schedule."""

from collections.abc import Mapping
from typing import Any

from vggexp.config.check.freezing import sources
from vggexp.distributed.processes import place_in_run
from vggexp.errors import ConfigError
from vggexp.learner.learner import Learner
from vggexp.learner.optimizer import Pull
from vggexp.trainer.build import build
from vggexp.trainer.length import global_batch
from vggexp.trainer.network import Network, bind_freezing, load_network
from vggexp.types import DataInfo

Config = Mapping[str, Any]


def build_learner(
    config: Config, info: DataInfo, recorded: Config | None = None, network: Network | None = None
) -> Learner:
    """Build the learner.

    Args:
        recorded: the config that its checkpoints record, if that is another one.
        network: its network, built from ``config``; None: build it and load the weights that the config names.
    """
    network = network or load_network(config, info)
    objective, optimizer = config["objective"], _optimizer(config)
    try:
        return Learner(
            network.backbone,
            network.head,
            network.task,
            bind_freezing(config, network.backbone, network.head),
            build("optimizer", optimizer),
            build("scheduler", config["scheduler"]),
            (f"val/{objective['metric']}", objective["mode"]),
            decay_biases_and_norms=optimizer["decay_biases_and_norms"],
            channels_last=config["trainer"]["channels_last"],
            seed=config["seed"],
            score_baseline=config["baseline"],
            mix=build("mix", config["mix"]) if "mix" in config else None,  # configs of older runs lack the group
            config=dict(recorded or config),
            info=info,
            pull=_pull(recorded or config),
        )
    except ValueError as error:
        raise ConfigError(str(error)) from error


def _pull(config: Config) -> Pull:
    """The start that weights are pulled to; configs of older runs lack the key."""
    return Pull(config["optimizer"].get("l2_sp") or 0.0, sources(config))


def _optimizer(config: Config) -> Config:
    """The optimizer's config: learning rate scaled to the global batch size, ``fused`` off if it is not supported."""
    optimizer, trainer = dict(config["optimizer"]), config["trainer"]
    if meant := optimizer.get("lr_for_batch"):
        optimizer["lr"] *= global_batch(config) / meant
    if trainer["clip"] and optimizer.get("fused"):
        optimizer["fused"] = None  # Lightning refuses to clip gradients that a fused optimizer unscales
    if trainer.get("strategy") == "fsdp" and place_in_run()[1] > 1 and optimizer.get("fused"):
        optimizer["fused"] = None  # torch 2.15 has no fused SGD for sharded tensors
    return optimizer
