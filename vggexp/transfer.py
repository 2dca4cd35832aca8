"""Knowledge that moves: a backbone or a head that starts from another run's weights.

A part is filled whole or not at all, unless its ``weights_map`` says otherwise.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from torch import Tensor, nn

from vggexp.errors import ConfigError
from vggexp.types import Backbone
from vggexp.weights import read_weights

Tensors = Mapping[str, Tensor]

NET_A = {False: [0, 3, 6, 8, 11, 13, 16, 18], True: [0, 4, 8, 11, 15, 18, 22, 25]}
"""Where net A's convolutions stand in ``features``, without and with batch normalisation."""


@dataclass(frozen=True)
class LoadReport:
    """What became of a source's tensors."""

    part: str
    """What was filled: "backbone", "head", "head.part.localization"."""
    source: str
    loaded: tuple[str, ...]
    """Tensors of the part that were copied."""
    fresh: tuple[str, ...] = ()
    """Tensors of the part that keep their fresh start, some with the reason."""
    left_out: tuple[str, ...] = ()
    """Tensors of the source, by its own names, that were not copied."""

    def __str__(self) -> str:
        """One line; what was left out is counted by the source's parts."""
        fresh = f"; fresh: {', '.join(self.fresh)}" if self.fresh else ""
        counts = Counter(_part_of(name) for name in self.left_out)
        left_out = "; left out: " + ", ".join(f"{part} {count}" for part, count in counts.items()) if counts else ""
        return f"{self.part} weights: {len(self.loaded)} tensors from {self.source}{left_out}{fresh}"


def load_backbone(backbone: nn.Module, source: str, config: Mapping[str, Any]) -> LoadReport | None:
    """Copy weights into a backbone, every tensor of it or none; with ``weights_map: vgg_a`` those that net A has.

    Args:
        backbone: what to fill.
        source: "none", "imagenet", a run folder (its best checkpoint), a ``.ckpt``, ``.pth`` or ``.safetensors`` file.
        config: the backbone's own config: its net, its normalisation, its ``weights_map``.

    Raises:
        ConfigError: the weights are of another architecture, or were trained under another normalisation.
        DataError: the file cannot be read or downloaded.
    """
    if source in ("none", None):
        return None
    from_net_a = config.get("weights_map", "same") == "vgg_a"
    tensors, origin = read_weights(source, {**config, "net": "A"} if from_net_a else config, "backbone")
    _check_normalisation(source, origin, config)
    own = {name.removeprefix("backbone."): value for name, value in tensors.items() if _is_backbone(name)}
    if not own:
        raise ConfigError(f"backbone.weights={source} holds no VGG backbone: no tensor's name begins with features.")
    wanted = backbone.state_dict()
    if from_net_a:
        given = {place: own[name] for place, name in first_of_net_a(source, own, backbone).items()}
        _check_backbone(source, given, {name: tensor for name, tensor in wanted.items() if name in given})
        backbone.load_state_dict(given, strict=False)
        rest = len(wanted) - len(given)
        fresh = (f"the {rest} tensors of other layers",)
        return LoadReport("backbone", str(source), tuple(given), fresh, _left_out(tensors, given))
    _check_backbone(source, own, wanted)
    backbone.load_state_dict(own)
    return LoadReport("backbone", str(source), tuple(own), (), _left_out(tensors, own))


def first_of_net_a(source: str, given: Tensors, backbone: nn.Module) -> dict[str, str]:
    """Which tensor of net A starts which of a deeper net: target's name to source's.

    Simonyan & Zisserman, arXiv 1409.1556, section 3.1: the first four convolutions of the deep nets start from net A's.
    Their shapes fit stage by stage: A's convolutions of stages 1, 2 and 3 (one, one and two) start the first ones of
    the same stages. A batch normalisation goes along with its convolution.

    Raises:
        ConfigError: the source is not net A, or one of the two has batch normalisation and the other has not.
    """
    weights = {int(name.split(".")[1]): tensor.ndim for name, tensor in given.items() if name.endswith(".weight")}
    convolutions, norms = (sorted(place for place, ndim in weights.items() if ndim == wanted) for wanted in (4, 1))
    if convolutions != NET_A[bool(norms)]:
        raise ConfigError(
            f"backbone.weights_map=vgg_a: {source} is not net A: its {len(convolutions)} convolutions are the layers "
            f"{convolutions} of features; give a run of backbone=vgg11 or vgg11_bn"
        )
    if sum(isinstance(layer, nn.Conv2d) for layer in backbone.modules()) == 8:
        raise ConfigError("backbone.weights_map=vgg_a: this backbone is net A itself; weights_map=same takes all of it")
    stages = [[name for name, layer in stage.named_children() if isinstance(layer, nn.Conv2d)]
              for stage in cast(Backbone, backbone).stages()]  # fmt: skip
    starts = [int(name) for stage, count in zip(stages, (1, 1, 2), strict=False) for name in stage[:count]]
    has_norm = any(isinstance(layer, nn.BatchNorm2d) for layer in backbone.modules())
    if bool(norms) != has_norm:
        which = "has batch normalisation and this backbone has not" if norms else "has no batch normalisation"
        raise ConfigError(f"backbone.weights_map=vgg_a: {source} {which}; choose vgg11 or vgg11_bn to match")
    pairs = list(zip(starts, convolutions[:4], strict=True))
    if norms:
        pairs += [(target + 1, its + 1) for target, its in pairs]
    return {
        name.replace(f".{its}.", f".{target}."): name
        for target, its in pairs
        for name in given
        if name.startswith(f"features.{its}.")
    }


def load_heads(head: nn.Module, config: Mapping[str, Any]) -> list[LoadReport]:
    """Copy weights into a head, or into parts of a parallel one, where the config names a source.

    Args:
        head: what to fill.
        config: of the whole run: its task, its backbone, its head.

    Raises:
        ConfigError: a tensor is missing, left over or of another shape; with ``weights_map: fitting``, none fits.
        DataError: the file cannot be read or downloaded.
    """
    own, task = config["head"], config["choice"]["task"]
    parts = cast("Mapping[str, nn.Module]", head.part) if "part" in own else {}
    targets = [("head", head, own, None if parts else task)]
    targets += [(f"head.part.{name}", part, own["part"][name], name) for name, part in parts.items()]
    reports = []
    for name, module, its, its_task in targets:
        if its.get("weights", "none") not in ("none", None):
            tensors, _ = read_weights(its["weights"], config["backbone"], name)
            given = _of_head(tensors, its_task, parts)
            if its_task is None and not given:
                raise ConfigError(_of_one_task(str(its["weights"]), list(parts)))
            reports.append(_load_head(name, module, its, given, tensors))
    return reports


def without_weights(config: Mapping[str, Any]) -> dict[str, Any]:
    """A run's config that starts fresh: its checkpoint brings the weights, and their first sources may be gone."""
    backbone, head = {**config["backbone"], "weights": "none"}, {**config["head"], "weights": "none"}
    if "part" in head:
        head["part"] = {name: {**part, "weights": "none"} for name, part in head["part"].items()}
    return {**config, "backbone": backbone, "head": head}


def _of_one_task(source: str, parts: Sequence[str]) -> str:
    """What would be right where a parallel head was to start from a run that has no parts."""
    ways = " or ".join(f"head.part.{name}.weights={source}" for name in parts)
    return f"head.weights={source} has none of this head's parts: it serves a single task; fill that part: {ways}"


def _load_head(name: str, head: nn.Module, config: Mapping[str, Any], given: Tensors, whole: Tensors) -> LoadReport:
    source, wanted = f"{name}.weights={config['weights']}", head.state_dict()
    if config["weights_map"] == "same":
        advice = f"; {name}.weights_map=fitting takes what fits and starts the rest fresh"
        _check_shapes(source, given, wanted, "this head", advice)
    fits = _whole_layers(given, wanted)
    if not fits:
        raise ConfigError(f"{source}: no layer of it fits this head, whose first tensor is {next(iter(wanted))}")
    head.load_state_dict(fits, strict=False)
    fresh = [f"{key} {_both(given, wanted, key)}" for key in wanted if key not in fits]
    return LoadReport(name, str(config["weights"]), tuple(fits), tuple(fresh), _left_out(whole, fits))


def _left_out(tensors: Tensors, taken: Tensors) -> tuple[str, ...]:
    """The source's tensors that are none of those taken, which may go by other names."""
    used = {id(tensor) for tensor in taken.values()}
    return tuple(name for name, tensor in tensors.items() if id(tensor) not in used)


def _part_of(name: str) -> str:
    """The part of a run, or of torchvision's net, that a tensor belongs to.

    >>> [_part_of(name) for name in ("backbone.features.0.bias", "head.part.box.fc.bias", "classifier.6.bias")]
    ['backbone', 'head.part.box', 'classifier']
    """
    words = name.split(".")
    return ".".join(words[:3]) if words[:2] == ["head", "part"] else words[0]


def _whole_layers(given: Tensors, wanted: Tensors) -> dict[str, Tensor]:
    """The given tensors of layers that fit whole: a weight without its bias would be worth nothing."""
    unfit = {
        name.rpartition(".")[0]
        for name, tensor in wanted.items()
        if name not in given or given[name].shape != tensor.shape
    }
    return {name: given[name] for name in wanted if name.rpartition(".")[0] not in unfit}


def _of_head(tensors: Tensors, task: str | None, parts: Iterable[str]) -> Tensors:
    """A source's head for one task, or (None) the named parts of its parallel head, under the head's own names."""
    own = {name.removeprefix("head."): tensor for name, tensor in tensors.items() if name.startswith("head.")}
    if not own:  # torchvision's files
        own = {name: tensor for name, tensor in tensors.items() if name.startswith("classifier.")}
    if task is None:
        wanted = tuple(f"part.{name}." for name in parts)
        return {name: tensor for name, tensor in own.items() if name.startswith(wanted)}
    prefix = f"part.{task}."
    part = {name.removeprefix(prefix): tensor for name, tensor in own.items() if name.startswith(prefix)}
    return part or {name: tensor for name, tensor in own.items() if not name.startswith("part.")}


def _both(given: Tensors, wanted: Tensors, name: str) -> str:
    its = f"there {tuple(given[name].shape)}" if name in given else "not there"
    return f"({tuple(wanted[name].shape)}, {its})"


def _is_backbone(name: str) -> bool:
    """Whether it is the backbone's: "backbone.features..." in a run, "features..." in torchvision's files."""
    return name.removeprefix("backbone.").startswith("features.")


def _check_backbone(source: str, given: Tensors, wanted: Tensors) -> None:
    advice = "; choose the backbone and width it has"
    _check_shapes(f"backbone.weights={source}", given, wanted, "this backbone", advice)


def _check_shapes(source: str, given: Tensors, wanted: Tensors, part: str, advice: str) -> None:
    """ConfigError unless both have the same names, each with the same shape."""
    for name, tensor in wanted.items():
        if name not in given:
            raise ConfigError(f"{source} has no {name}: it is another network{advice}")
        if given[name].shape != tensor.shape:
            shapes = f"{tuple(given[name].shape)}, and {part} takes {tuple(tensor.shape)}"
            raise ConfigError(f"{source}: {name} is {shapes}{advice}")
    if extra := sorted(given.keys() - wanted.keys()):
        raise ConfigError(f"{source} also has {extra[0]}: it is another network{advice}")


def _check_normalisation(source: str, origin: Mapping[str, Any], config: Mapping[str, Any]) -> None:
    for key in ("mean", "std"):
        if key in origin and list(origin[key]) != list(config[key]):
            raise ConfigError(f"backbone.{key}={config[key]}: the weights in {source} were trained with {origin[key]}")
