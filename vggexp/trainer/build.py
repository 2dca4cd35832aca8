"""Config to objects. Config stops here: what is built takes plain arguments.

A value that is known before anything is built travels by interpolation in the YAML; a built object travels as the
argument of a ``_partial_``: the data set's ``DataInfo`` to the task, the backbone's shape to the head.
"""

import sys
from collections.abc import Mapping
from typing import Any

import torch
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from torch import nn
from torch.utils.data import Dataset

from vggexp.config.check.targets import missing_module
from vggexp.distributed.memory import keep_freed_memory
from vggexp.distributed.processes import num_workers, place_in_run, world_size
from vggexp.errors import ConfigError, UserError, did_you_mean, kind_and_line
from vggexp.learner.freezing import Freezing
from vggexp.learner.learner import Learner
from vggexp.sample.loader import ResumableLoader, make_loader
from vggexp.transfer.backbone import load_backbone
from vggexp.transfer.head import load_heads
from vggexp.types import Backbone, Data, DataInfo, Head, HeadSpec, Sample, Task

METADATA: dict[str, frozenset[str]] = {
    "backbone": frozenset({"weights", "weights_map"}),
    "head": frozenset({"gives", "weights", "weights_map"}),
    "task": frozenset({"needs", "takes", "objective"}),
    "loss": frozenset({"scores"}),
    "freeze": frozenset({"lr_decay", "norm", "dropout"}),
    "data": frozenset({"provides", "image_size", "batch_size", "workers", "cache", "cache_max_gb", "cache_dir"}),
    "optimizer": frozenset({"decay_biases_and_norms", "lr_for_batch"}),
    "trainer": frozenset(
        {
            "channels_last",
            "compile",
            "keep_memory",
            "save_every",
            "processes",
            "nodes",
            "meet",
            "sync_batchnorm",
            "effective_batch",
        }
    ),
}
"""Keys of each group's YAML that its constructor does not see: what the checks read, and what is used here."""

Config = Mapping[str, Any]


def build(group: str, config: Config, *arguments: Any, **named: Any) -> Any:
    """What a group's config describes; a ``_partial_`` is called with the arguments, if there are any.

    Args:
        named: what no config can hold, such as loggers; with them the config is taken for a ``_partial_``.

    Raises:
        ConfigError: a constructor refused its arguments, or something it imports is missing.
    """
    try:
        whole = {**config, "_partial_": True} if named else config
        built = instantiate(_without(METADATA.get(group, frozenset()), whole), _convert_="all")
        return built(*arguments, **named) if arguments or named else built
    except InstantiationException as error:
        if isinstance(error.__cause__, UserError):
            raise error.__cause__ from error
        if isinstance(error.__cause__, ImportError):
            raise ConfigError(_not_imported(group, str(config.get("_target_")), error.__cause__)) from error
        if isinstance(error.__cause__, ValueError | TypeError):
            raise ConfigError(_in_group(group, error.__cause__)) from error
        raise
    except ValueError as error:
        raise ConfigError(_in_group(group, error)) from error


def _in_group(group: str, error: BaseException) -> str:
    """The message, opened by the group's name unless it names a key of the group itself."""
    return str(error) if str(error).startswith(f"{group}.") else f"{group}: {error}"


def _not_imported(group: str, target: str, error: ImportError) -> str:
    """Why what a ``_target_`` names could not be imported: Hydra hides that in the cause of its own error."""
    cause = error.__cause__ or error
    where = f"{group}: _target_: {target}"
    if isinstance(cause, ModuleNotFoundError) and cause.name:
        named = f"{target}.".startswith(f"{cause.name}.")
        return missing_module(group, cause.name, target) if named else f"{where} needs {cause.name}: not installed"
    module = sys.modules.get(target.rpartition(".")[0])
    if isinstance(cause, AttributeError) and module is not None:
        near = did_you_mean(target.rpartition(".")[2], [name for name in vars(module) if name[0] != "_"])
        return f"{where} is not in {getattr(module, '__file__', module)}{near}"
    return f"{where} cannot be imported: {kind_and_line(cause)}"


def _without(hidden: frozenset[str], config: Any) -> Any:
    """The config without the hidden keys, which stand beside a ``_target_``: at its top, and in every part."""
    if not isinstance(config, Mapping):
        return config
    drop = hidden if "_target_" in config else frozenset()
    return {key: _without(hidden, value) for key, value in config.items() if key not in drop}


def build_data(config: Config) -> Data:
    """The data set."""
    data: Data = build("data", config["data"])
    return data


def build_network(config: Config, info: DataInfo) -> tuple[Backbone, Head, Task]:
    """Backbone, head and task, with fresh weights."""
    backbone: Backbone = build("backbone", config["backbone"])
    task: Task = build("task", config["task"], info, build("loss", config["loss"]))
    head: Head = build("head", config["head"], HeadSpec(backbone.channels, backbone.strides, task.classes))
    return backbone, head, task


def build_learner(config: Config, info: DataInfo) -> Learner:
    """The learner of a config, its parts filled from what their ``weights`` name, which is reported."""
    if config["trainer"].get("keep_memory", True):
        keep_freed_memory()
    backbone, head, task = build_network(config, info)
    if _syncs_batchnorm(config):
        backbone, head = _with_synced_batchnorm(backbone, head)
    _load_weights(config, backbone, head)
    objective, optimizer = config["objective"], _optimizer(config)
    try:
        return Learner(
            backbone,
            head,
            task,
            bind_freezing(config, backbone, head),
            build("optimizer", optimizer),
            build("scheduler", config["scheduler"]),
            (f"val/{objective['metric']}", objective["mode"]),
            decay_biases_and_norms=optimizer["decay_biases_and_norms"],
            channels_last=config["trainer"]["channels_last"],
            seed=config["seed"],
            score_constant=config["constant"],
            config=dict(config),
            info=info,
        )
    except ValueError as error:
        raise ConfigError(str(error)) from error


def _load_weights(config: Config, backbone: Backbone, head: Head) -> None:
    assert isinstance(backbone, nn.Module)
    assert isinstance(head, nn.Module)
    loaded = load_backbone(backbone, config["backbone"]["weights"], config["backbone"])
    for report in [*([loaded] if loaded else []), *load_heads(head, config)]:
        print(report)


def _optimizer(config: Config) -> Config:
    """The optimizer's config, its learning rate that of this run's batches, fused where torch can be."""
    optimizer, trainer = dict(config["optimizer"]), config["trainer"]
    if meant := optimizer.get("lr_for_batch"):
        optimizer["lr"] *= global_batch(config) / meant
    if trainer["clip"] and optimizer.get("fused"):
        optimizer["fused"] = None  # Lightning cannot clip under mixed precision what a fused optimizer unscales itself
    if trainer.get("strategy") == "fsdp" and place_in_run()[1] > 1 and optimizer.get("fused"):
        optimizer["fused"] = None  # torch 2.15 has no fused SGD of divided tensors
    return optimizer


def _with_synced_batchnorm(backbone: Any, head: Any) -> tuple[Any, Any]:
    """Before anything holds on to a layer: the conversion puts new layers around the same parameters."""
    convert: Any = nn.SyncBatchNorm.convert_sync_batchnorm
    return convert(backbone), convert(head)


def _syncs_batchnorm(config: Config) -> bool:
    """Whether batches are normalised over all devices together, which torch can do on GPUs only."""
    trainer = config["trainer"]
    on_gpus = trainer["gpus"] != 0 and torch.cuda.is_available()
    return bool(trainer.get("sync_batchnorm")) and on_gpus and place_in_run()[1] > 1


def accumulation(config: Config) -> int:
    """Batches to a step: ``trainer.accumulate``, or what fills ``trainer.effective_batch``."""
    trainer = config["trainer"]
    whole = trainer.get("effective_batch")
    together = config["data"]["batch_size"] * world_size(trainer)
    return int(whole // together if whole else trainer["accumulate"])


def global_batch(config: Config) -> int:
    """Images to a step of the optimizer, on all devices together."""
    return int(config["data"]["batch_size"]) * world_size(config["trainer"]) * accumulation(config)


def bind_freezing(config: Config, backbone: Backbone, head: Head) -> Freezing:
    """The freeze policy of a config, bound to a network."""
    assert isinstance(head, nn.Module)
    freeze = config["freeze"]
    try:
        modes = {key: freeze[key] for key in METADATA["freeze"]}
        return Freezing(build("freeze", freeze), backbone, head, **modes)
    except ValueError as error:
        raise ConfigError(str(error)) from error


def build_loader(
    config: Config, dataset: Dataset[Sample], *, shuffle: bool = False, shared: bool = True
) -> ResumableLoader:
    """Batches of a split, in an order, and with an augmentation, that the seed and the epoch decide.

    Args:
        shared: divide the batches between the processes of a run; false: each sees them all.
    """
    workers = config["data"]["workers"]
    if workers is None:
        workers = 0 if getattr(dataset, "in_memory", False) else num_workers()
    seed = config["seed"] if shuffle else None
    return make_loader(dataset, config["data"]["batch_size"], workers, seed, *(place_in_run() if shared else (0, 1)))
