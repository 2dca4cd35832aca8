"""Builds an object from its part of the config. No constructor sees the config: each takes plain arguments.

A value that is known before the build is passed by interpolation in the YAML. A value that comes from a built object
is passed as an argument to a ``_partial_``: the data set's ``DataInfo`` to the task, the backbone's shape to the head.
"""

import sys
from collections.abc import Mapping
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import instantiate

from vggexp.config.check.targets import missing_module
from vggexp.distributed.whole import disk_error
from vggexp.errors import ConfigError, DataError, UserError, did_you_mean, kind_and_line

METADATA: dict[str, frozenset[str]] = {
    "backbone": frozenset({"weights", "weights_map", "smallest"}),
    "head": frozenset({"gives", "weights", "weights_map", "fitted"}),
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
