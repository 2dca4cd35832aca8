"""Builds objects from the config. No constructor sees the config: each takes plain arguments.

A value that is known before the build is passed by interpolation in the YAML. A value that comes from a built object
is passed as an argument to a ``_partial_``: the data set's ``DataInfo`` to the task, the backbone's shape to the head.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

import torch
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from torch import nn
from torch.utils.data import Dataset

from vggexp.config.check.freezing import sources
from vggexp.config.check.parts import heads
from vggexp.config.check.targets import missing_module
from vggexp.distributed.memory import keep_freed_memory
from vggexp.distributed.processes import num_workers, place_in_run, world_size
from vggexp.distributed.whole import disk_error
from vggexp.errors import ConfigError, DataError, UserError, did_you_mean, kind_and_line
from vggexp.learner.convolution import guard
from vggexp.learner.freezing import Freezing
from vggexp.learner.learner import Learner
from vggexp.learner.optimizer import Pull
from vggexp.sample.contract import Contract
from vggexp.sample.data_contract import check_data
from vggexp.sample.loader import ResumableLoader, make_loader
from vggexp.sample.reading import Reading
from vggexp.transfer.backbone import load_backbone
from vggexp.transfer.head import load_heads
from vggexp.types import Backbone, Batch, Data, DataInfo, Head, HeadSpec, Sample, Task

METADATA: dict[str, frozenset[str]] = {
    "backbone": frozenset({"weights", "weights_map", "smallest"}),
    "head": frozenset({"gives", "weights", "weights_map"}),
    "task": frozenset({"needs", "takes", "objective"}),
    "loss": frozenset({"scores", "targets"}),
    "mix": frozenset({"mixes"}),
    "freeze": frozenset({"lr_decay", "norm", "dropout", "lr_factors", "warmup"}),
    "data": frozenset(
        {
            "provides",
            "image_size",
            "resize",
            "batch_size",
            "workers",
            "timeout",
            "sampling",
            "cache",
            "cache_max_gb",
            "cache_dir",
        }
    ),
    "optimizer": frozenset({"decay_biases_and_norms", "lr_for_batch", "l2_sp"}),
    "trainer": frozenset(
        {
            "channels_last",
            "compile",
            "keep_memory",
            "on_nan",
            "save_every",
            "save_minutes",
            "processes",
            "nodes",
            "rendezvous",
            "sync_batchnorm",
            "effective_batch",
        }
    ),
}
"""Keys of each group's YAML that are not passed to its constructor: the checks or this module read them."""

Config = Mapping[str, Any]


def build(group: str, config: Config, *arguments: Any, **named: Any) -> Any:
    """Build the object that a group's config describes. If arguments are given, call the ``_partial_`` with them.

    Args:
        named: arguments that a config cannot hold, such as loggers. If given, the config is read as a ``_partial_``.

    Raises:
        ConfigError: a constructor rejected its arguments, or a package that it imports is not installed.
        DataError: a file that a constructor reads cannot be read.
    """
    try:
        whole = {**config, "_partial_": True} if named else config
        built = instantiate(_without(METADATA.get(group, frozenset()), whole), _convert_="all")
        return built(*arguments, **named) if arguments or named else built
    except InstantiationException as error:
        if isinstance(error.__cause__, UserError):
            raise error.__cause__ from error
        if isinstance(error.__cause__, OSError):  # as where a file has vanished since its folder was read
            raise gone(error.__cause__) from error
        if isinstance(error.__cause__, ImportError):
            raise ConfigError(_not_imported(group, str(config.get("_target_")), error.__cause__)) from error
        if isinstance(error.__cause__, ValueError | TypeError):
            raise ConfigError(_in_group(group, error.__cause__)) from error
        raise
    except ValueError as error:
        raise ConfigError(_in_group(group, error)) from error


def gone(error: OSError) -> DataError:
    """The error of a file that cannot be read, in one line."""
    return disk_error(error) or DataError(f"{error.filename or 'a file'} cannot be read: {error.strerror or error}")


def _in_group(group: str, error: BaseException) -> str:
    """The error message, prefixed with the group's name unless it starts with a key of that group."""
    return str(error) if str(error).startswith(f"{group}.") else f"{group}: {error}"


def _not_imported(group: str, target: str, error: ImportError) -> str:
    """Why what a ``_target_`` names could not be imported: Hydra hides that in the cause of its own error."""
    cause = error.__cause__ or error
    where, (parent, _, name) = f"{group}: _target_: {target}", target.rpartition(".")
    missing = cause.name if isinstance(cause, ModuleNotFoundError) else None
    if missing == target or isinstance(cause, AttributeError):  # a class is first looked for as a module
        module = sys.modules.get(parent)
        near = did_you_mean(name, [found for found in vars(module) if found[0] != "_"]) if module else ""
        return f"{where} is not in {getattr(module, '__file__', parent)}{near}"
    if missing:
        is_named = f"{target}.".startswith(f"{missing}.")
        return missing_module(group, missing, target) if is_named else f"{where} needs {missing}: not installed"
    return f"{where} cannot be imported: {kind_and_line(cause)}"


def _without(hidden: frozenset[str], config: Any) -> Any:
    """The config without the hidden keys of every mapping that has a ``_target_``, at any depth."""
    if not isinstance(config, Mapping):
        return config
    drop = hidden if "_target_" in config else frozenset()
    return {key: _without(hidden, value) for key, value in config.items() if key not in drop}


def build_data(config: Config) -> Data:
    """The data set; DataError if it does not name its classes, or cannot be asked for its splits."""
    data: Data = build("data", config["data"])
    check_data(data)
    return data


def build_network(config: Config, info: DataInfo) -> tuple[Backbone, Head, Task]:
    """Build backbone, head and task, with newly initialised weights."""
    backbone: Backbone = build("backbone", config["backbone"])
    task: Task = build("task", config["task"], info, build("loss", config["loss"]))
    _check_reads(config, backbone)
    head: Head = build("head", config["head"], HeadSpec(backbone.channels, backbone.strides, task.classes))
    for part in (backbone, head):
        assert isinstance(part, nn.Module)
        guard(part)
    return backbone, head, task


_PLACED = ("pixel_logits", "objects", "object_masks")
"""What heads give whose outputs have places in the image."""


def _check_reads(config: Config, backbone: Backbone) -> None:
    """ConfigError if a head reads what the backbone does not give, or needs a grid that it lacks; VGG gives all."""
    gives: frozenset[str] = getattr(backbone, "gives", frozenset({"skips", "switches"}))
    for key, head in heads(config).items():
        module, _, name = str(head["_target_"]).rpartition(".")
        if missing := sorted(_reads(module, name) - gives):
            raise ConfigError(
                f"{key}={config['choice']['head'] if key == 'head' else name.lower()} reads its backbone's "
                f"{' and '.join(missing)}, and backbone={config['choice']['backbone']} gives none; VGG gives them, and "
                "heads such as fcn and linear read stages alone"
            )
        if not getattr(backbone, "on_grid", True) and head["gives"] in _PLACED:
            raise ConfigError(
                f"{key}={config['choice']['head'] if key == 'head' else name.lower()} places what it finds on the "
                f"image's pixels, and backbone={config['choice']['backbone']} convolves without padding, so its cells "
                "lie on no grid over the image; heads mlp, linear, box and box_per_class fit it"
            )


def _reads(module: str, name: str) -> frozenset[str]:
    """What a head's class says that its heads read; nothing if it cannot be found: ``build`` then says why."""
    try:
        found: frozenset[str] = getattr(getattr(import_module(module), name, None), "reads", frozenset())
    except (ImportError, ValueError):
        return frozenset()
    return found if isinstance(found, frozenset) else frozenset()


def build_learner(config: Config, info: DataInfo, recorded: Config | None = None) -> Learner:
    """Build the learner, load the weights that the config names for its parts, and print what was loaded.

    Args:
        recorded: the config that its checkpoints record, if that is another one.
    """
    if config["trainer"].get("keep_memory", True):
        keep_freed_memory()
    backbone, head, task = build_network(config, info)
    if _syncs_batchnorm(config):
        backbone, head = _with_synced_batchnorm(backbone, head)
    _load_weights(config, backbone, head, info)
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


def _load_weights(config: Config, backbone: Backbone, head: Head, info: DataInfo) -> None:
    assert isinstance(backbone, nn.Module)
    assert isinstance(head, nn.Module)
    loaded = load_backbone(backbone, config["backbone"]["weights"], config["backbone"])
    for report in [*([loaded] if loaded else []), *load_heads(head, config, info)]:
        print(report)


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


def _with_synced_batchnorm(backbone: Any, head: Any) -> tuple[Any, Any]:
    """Convert batch norm to SyncBatchNorm. Call it before any code keeps a reference to a layer: it replaces layers."""
    convert: Any = nn.SyncBatchNorm.convert_sync_batchnorm
    return convert(backbone), convert(head)


def _syncs_batchnorm(config: Config) -> bool:
    """Whether batch norm uses the statistics of all devices. Torch supports this on GPUs only."""
    trainer = config["trainer"]
    on_gpus = trainer["gpus"] != 0 and torch.cuda.is_available()
    return bool(trainer.get("sync_batchnorm")) and on_gpus and place_in_run()[1] > 1


def accumulation(config: Config) -> int:
    """Batches per optimizer step: ``trainer.accumulate``, or as many as make up ``trainer.effective_batch`` images."""
    trainer = config["trainer"]
    whole = trainer.get("effective_batch")
    together = config["data"]["batch_size"] * world_size(trainer)
    return int(whole // together if whole else trainer["accumulate"])


def global_batch(config: Config) -> int:
    """Images per optimizer step, over all devices."""
    return int(config["data"]["batch_size"]) * world_size(config["trainer"]) * accumulation(config)


def bind_freezing(config: Config, backbone: Backbone, head: Head) -> Freezing:
    """Build the config's freeze policy and bind it to a network."""
    assert isinstance(head, nn.Module)
    freeze = config["freeze"]
    try:
        modes = {key: freeze[key] for key in METADATA["freeze"] if key in freeze}  # older runs lack some
        return Freezing(build("freeze", freeze), backbone, head, **modes)
    except ValueError as error:
        raise ConfigError(str(error)) from error


def build_loader(
    config: Config,
    dataset: Dataset[Sample],
    *,
    shuffle: bool = False,
    shared: bool = True,
    contract: Contract | None = None,
    labels: Sequence[int] | None = None,
) -> ResumableLoader:
    """A loader over a split. The seed and the epoch determine the order and the augmentation.

    Args:
        shared: true: each process of the run gets a part of the batches; false: each process gets all of them.
        contract: what the samples must be. Of shuffled ones, which were looked at in their order, only a sample that
            does not go into a batch is named.
        labels: of each sample: every class has the same part of a shuffled epoch; None: each sample is
            drawn once.
    """
    workers = config["data"]["workers"]
    if workers is None:
        workers = 0 if getattr(dataset, "in_memory", False) else num_workers()
    seed = config["seed"] if shuffle else None
    together: Callable[[Any], Batch] | None = contract
    if contract is not None and not getattr(dataset, "is_batched", False):
        together = contract.together if shuffle else contract
        dataset = Reading(dataset, contract.split)
    elif shuffle:
        together = None
    place = place_in_run() if shared else (0, 1)
    return make_loader(
        dataset,
        config["data"]["batch_size"],
        workers,
        seed,
        *place,
        together=together,
        labels=labels,
        timeout=config["data"].get("timeout", 0),  # configs of older runs lack the key
    )
