"""Initialises a head, or parts of a parallel head, from another run."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from torch import nn

from vggexp.errors import ConfigError
from vggexp.transfer.checkpoint import read_info, read_weights
from vggexp.transfer.class_names import require_same_names
from vggexp.transfer.report import LoadReport, left_out
from vggexp.transfer.shapes import Tensors, check_shapes, whole_layers
from vggexp.types import DataInfo

Config = Mapping[str, Any]

_NAMED = {
    "class_logits": "label",
    "box_per_class": "label",
    "objects": "objects",
    "object_masks": "objects",
    "pixel_logits": "mask",
}
"""By a head's ``gives``: the target whose class names index its outputs."""


def load_heads(head: nn.Module, config: Config, info: DataInfo) -> list[LoadReport]:
    """Copy weights into a head, or into parts of a parallel head, wherever the config names a source.

    Args:
        head: receives the weights.
        config: the run's config, with its task, backbone and head.
        info: the class names of the run's data set.

    Raises:
        ConfigError: a tensor is missing, left over or of another shape, or the source has other classes; with
            ``weights_map: fitting``, no layer fits.
        DataError: the file cannot be read or downloaded.
    """
    own, task = config["head"], config["choice"]["task"]
    parts = cast("Mapping[str, nn.Module]", head.part) if "part" in own else {}
    targets = [("head", head, own, None if parts else task)]
    targets += [(f"head.part.{name}", part, own["part"][name], name) for name, part in parts.items()]
    reports = []
    for name, module, its, its_task in targets:
        if its.get("weights", "none") not in ("none", None):
            tensors, about = read_weights(its["weights"], config["backbone"], name)
            note = _compare_names(name, its, list(parts if its_task is None else ()), about, info)
            given = _of_head(tensors, its_task, parts)
            if its_task is None and not given:
                raise ConfigError(_of_one_task(str(its["weights"]), list(parts)))
            taken, initial = _fill(name, module, its, given)
            left = left_out(tensors, taken)
            reports.append(LoadReport(name, str(its["weights"]), tuple(taken), initial, left, note))
    return reports


def _compare_names(name: str, its: Config, parts: Sequence[str], about: Config, info: DataInfo) -> str:
    """ConfigError if the class names differ; with ``weights_map: fitting`` a note instead; "" if equal."""
    if "info" not in about:  # not a run of vggexp
        return ""
    ones = [its["part"][part] for part in parts] if parts else [its]
    targets = {_NAMED[one["gives"]] for one in ones if one["gives"] in _NAMED}
    advice = f"{name}.weights_map=fitting starts from them anyway"
    where = (f"{name}.weights={its['weights']}", "this data set")
    try:
        require_same_names(read_info(about), info, targets, where, advice)
    except ConfigError as error:
        if its["weights_map"] == "same":
            raise
        return str(error).partition("; ")[0]
    return ""


def _of_head(tensors: Tensors, task: str | None, parts: Iterable[str]) -> Tensors:
    """A source's head for one task, or (task None) the named parts of its parallel head, under the head's names."""
    own = {name.removeprefix("head."): tensor for name, tensor in tensors.items() if name.startswith("head.")}
    if not own:  # torchvision's files
        own = {name: tensor for name, tensor in tensors.items() if name.startswith("classifier.")}
    if task is None:
        wanted = tuple(f"part.{name}." for name in parts)
        return {name: tensor for name, tensor in own.items() if name.startswith(wanted)}
    prefix = f"part.{task}."
    part = {name.removeprefix(prefix): tensor for name, tensor in own.items() if name.startswith(prefix)}
    return part or {name: tensor for name, tensor in own.items() if not name.startswith("part.")}


def _of_one_task(source: str, parts: Sequence[str]) -> str:
    """The message for a parallel head whose source is a run of a single task."""
    ways = " or ".join(f"head.part.{name}.weights={source}" for name in parts)
    return f"head.weights={source} has none of this head's parts: it is a single task's; load it into one part: {ways}"


def _fill(name: str, head: nn.Module, config: Config, given: Tensors) -> tuple[Tensors, tuple[str, ...]]:
    """The copied tensors, and the names of those that keep their initialisation, with the reason."""
    source, wanted = f"{name}.weights={config['weights']}", head.state_dict()
    if config["weights_map"] == "same":
        advice = f"; {name}.weights_map=fitting copies the layers that fit and initialises the rest"
        check_shapes(source, given, wanted, "this head", advice)
    fits = whole_layers(given, wanted)
    if not fits:
        raise ConfigError(f"{source}: no layer fits this head, whose first tensor is {next(iter(wanted))}")
    head.load_state_dict(fits, strict=False)
    return fits, tuple(f"{key} {_both(given, wanted, key)}" for key in wanted if key not in fits)


def _both(given: Tensors, wanted: Tensors, name: str) -> str:
    its = f"there {tuple(given[name].shape)}" if name in given else "not there"
    return f"({tuple(wanted[name].shape)}, {its})"
