"""Builds the data and the network of a run: backbone, head, task, freeze policy. Imports no Lightning.

Lightning takes as long to import as VGG16's weights take to draw, so ``training`` does both at once where it can.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import torch
from torch import nn

from vggexp.config.check.parts import heads
from vggexp.distributed.memory import keep_freed_memory
from vggexp.distributed.processes import place_in_run
from vggexp.errors import ConfigError, UserError, one_line
from vggexp.learner.convolution import guard
from vggexp.learner.freezing import Freezing
from vggexp.sample.data_contract import check_data
from vggexp.trainer.build import METADATA, build
from vggexp.transfer.backbone import load_backbone
from vggexp.transfer.head import load_heads
from vggexp.transfer.without_weights import without_weights
from vggexp.types import Backbone, Data, DataInfo, Head, HeadSpec, Task

Config = Mapping[str, Any]


def build_data(config: Config) -> Data:
    """The data set; DataError if it does not name its classes, or cannot be asked for its splits."""
    data: Data = build("data", config["data"])
    check_data(data)
    return data


@dataclass(frozen=True)
class Network:
    """A network with the weights that its config names."""

    config: Config
    """What it was built from."""
    backbone: Backbone
    head: Head
    task: Task
    knows_start: bool = True
    """Whether the weights that its run began with are known; they may have come from a source that is gone."""


_IMPORT_LATE = ("backbone.timm", "head.smp", "loss.dice", "loss.focal", "loss.lovasz")
"""Modules below vggexp whose classes import a library when they are built."""


def draws_alone(config: Config) -> bool:
    """Import the classes that a network is made of; whether building it then only draws weights and imports nothing."""
    targets = [target for group in ("backbone", "task", "loss", "head") for target in _targets(config[group])]
    modules = [target.rpartition(".")[0] for target in targets]
    late = {f"vggexp.{name}" for name in _IMPORT_LATE}
    own = all(f"{module}.".startswith(("vggexp.", "torch.nn.")) and module not in late for module in modules)
    if not own or without_weights(config) != config:
        return False
    for module in modules:
        import_module(module)
    return True


def _targets(part: Any) -> Iterator[str]:
    """Every ``_target_`` in a part of a config."""
    for key, value in part.items():
        if key == "_target_":
            yield value
        elif isinstance(value, Mapping):
            yield from _targets(value)


def start_network(config: Config, info: DataInfo, go_on: bool) -> Network:
    """Build the network of a run that starts, or goes on.

    Args:
        go_on: the weights will come from the run's checkpoint, so the source of the first ones may be gone.
    """
    try:
        return load_network(config, info)
    except UserError as error:
        if not go_on or without_weights(config) == config:
            raise
        print(f"{one_line(error)}; the run's checkpoint has its weights, but its drift is not known")
    return replace(load_network(without_weights(config), info), knows_start=False)


def load_network(config: Config, info: DataInfo) -> Network:
    """Build a network, load the weights that the config names for its parts, and print what was loaded."""
    if config["trainer"].get("keep_memory", True):
        keep_freed_memory()
    backbone, head, task = build_network(config, info)
    if _syncs_batchnorm(config):
        backbone, head = _with_synced_batchnorm(backbone, head)
    _load_weights(config, backbone, head, info)
    return Network(config, backbone, head, task)


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


def _load_weights(config: Config, backbone: Backbone, head: Head, info: DataInfo) -> None:
    assert isinstance(backbone, nn.Module)
    assert isinstance(head, nn.Module)
    loaded = load_backbone(backbone, config["backbone"]["weights"], config["backbone"])
    for report in [*([loaded] if loaded else []), *load_heads(head, config, info)]:
        print(report)


def _with_synced_batchnorm(backbone: Any, head: Any) -> tuple[Any, Any]:
    """Convert batch norm to SyncBatchNorm. Call it before any code keeps a reference to a layer: it replaces layers."""
    convert: Any = nn.SyncBatchNorm.convert_sync_batchnorm
    return convert(backbone), convert(head)


def _syncs_batchnorm(config: Config) -> bool:
    """Whether batch norm uses the statistics of all devices. Torch supports this on GPUs only."""
    trainer = config["trainer"]
    on_gpus = trainer["gpus"] != 0 and torch.cuda.is_available()
    return bool(trainer.get("sync_batchnorm")) and on_gpus and place_in_run()[1] > 1


def bind_freezing(config: Config, backbone: Backbone, head: Head) -> Freezing:
    """Build the config's freeze policy and bind it to a network."""
    assert isinstance(head, nn.Module)
    freeze = config["freeze"]
    try:
        modes = {key: freeze[key] for key in METADATA["freeze"] if key in freeze}  # older runs lack some
        return Freezing(build("freeze", freeze), backbone, head, **modes)
    except ValueError as error:
        raise ConfigError(str(error)) from error
