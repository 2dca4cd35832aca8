"""The ledger of a network: each layer's output, parameters, FLOPs and receptive field, and whether it is frozen.

``python -m vggexp summary`` prints it. With modules built under ``torch.device("meta")`` it
allocates nothing: one forward pass of shapes is enough, and takes 10 ms for VGG16.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, cast

from torch import nn
from torch.nn.utils import parametrize

from vggexp.report.forward_pass import ForwardPass, fields, run
from vggexp.types import Backbone

KINDS: dict[type[nn.Module], str] = {
    nn.Conv2d: "conv",
    nn.ConvTranspose2d: "deconv",
    nn.Linear: "dense",
    nn.BatchNorm1d: "batch norm",
    nn.BatchNorm2d: "batch norm",
    nn.LocalResponseNorm: "local norm",
    nn.MaxPool2d: "max-pool",
    nn.AdaptiveMaxPool2d: "max-pool",
    nn.AvgPool2d: "avg-pool",
    nn.AdaptiveAvgPool2d: "avg-pool",
    nn.MaxUnpool2d: "unpool",
    nn.Upsample: "upsample",
}
"""Layers that have a row even without parameters. Other layers with parameters have one under their class name."""


_ADAPTERS = ".parametrizations."


@dataclass(frozen=True)
class Row:
    """One layer. It counts its own parameters; a parameter shared with an earlier row counts there only."""

    name: str
    """As in the learner's ``state_dict``: "backbone.features.0"."""
    kind: str
    """"conv 3x3", "dense", ...: see ``KINDS``."""
    part: str
    """"stage1" to "stage5" or "head"; "backbone" for a layer outside the stages."""
    shape: tuple[int, ...] | None
    """Of the output, without the batch; None if the layer did not run."""
    num_weights: int
    """Parameters without biases."""
    num_parameters: int
    """Parameters with biases."""
    num_trainable: int
    """Those of ``num_parameters`` that are not frozen."""
    running: int
    """``num_weights`` summed over all rows up to this one."""
    flops: int
    """FLOPs for one image in evaluation mode; a multiply-add counts 2."""
    field: int | Literal["image"] | None
    """Side of the receptive field, pixels; "image" if it is the whole image; None (not computed) in a head."""
    reads: tuple[str, ...] = ()
    """The names of the layers whose outputs it reads, whatever operations without parameters stand between."""


@dataclass(frozen=True)
class Ledger:
    """All layers of a network: the backbone's in order, then the head's in order of execution."""

    rows: tuple[Row, ...]
    image_size: tuple[int, int]
    """(H, W) of the image for the forward pass."""
    flops: int
    """FLOPs of the whole forward pass, including operations outside any row, such as a functional convolution."""

    def total(self, count: Literal["num_weights", "num_parameters", "num_trainable"]) -> int:
        """One of the counts, summed over all rows."""
        return sum(getattr(row, count) for row in self.rows)

    @property
    def num_dense(self) -> int:
        """Parameters of the dense layers (``nn.Linear``), biases included."""
        return sum(row.num_parameters for row in self.rows if row.kind == "dense")

    @property
    def dense_share(self) -> float:
        """``num_dense`` as a share of all parameters, biases included on both sides; 0 to 1."""
        return self.num_dense / max(1, self.total("num_parameters"))


def ledger(
    backbone: nn.Module, head: nn.Module, image_size: tuple[int, int], is_frozen: Callable[[str], bool]
) -> Ledger:
    """The ledger of ``head(backbone(image))``; it does not change their weights, statistics or modes.

    Args:
        backbone: a ``types.Backbone``, on any device; "meta" allocates nothing.
        head: a ``types.Head`` for it, on the same device.
        image_size: (H, W) in pixels.
        is_frozen: whether the parameter of a name, such as "backbone.features.0.weight", is frozen.
    """
    backbone_names, head_names = _layers(backbone, "backbone"), _layers(head, "head")
    trace = run(backbone, head, [*backbone_names, *head_names], image_size)
    # The head's layers in order of execution, which may differ from the order of registration.
    ran = {module: place for place, module in enumerate(trace.shapes)}
    names = backbone_names | {m: head_names[m] for m in sorted(head_names, key=lambda m: ran.get(m, len(ran)))}
    stages = enumerate(cast(Backbone, backbone).stages(), 1)
    parts = {module: f"stage{k}" for k, stage in stages for module in stage.modules()}
    rows = _rows(names, parts, trace, is_frozen)
    return Ledger(tuple(rows), image_size, trace.counter.get_total_flops())


def _rows(
    names: dict[nn.Module, str], parts: dict[nn.Module, str], trace: ForwardPass, is_frozen: Callable[[str], bool]
) -> Iterator[Row]:
    in_stages = fields([module for module in names if module in parts], trace.reads)
    seen: set[nn.Parameter] = set()
    running = 0
    for module, name in names.items():
        own = {key: p for key, p in _own(module, name) if p not in seen}
        seen.update(own.values())
        weights = sum(p.numel() for key, p in own.items() if "bias" not in key.removeprefix(name))
        running += weights
        yield Row(
            name=name,
            kind=_kind(module),
            part=parts.get(module, name.partition(".")[0]),
            shape=trace.shapes.get(module),
            num_weights=weights,
            num_parameters=sum(p.numel() for p in own.values()),
            num_trainable=sum(p.numel() for key, p in own.items() if not is_frozen(key)),
            running=running,
            flops=trace.flops.get(module, 0),
            field="image" if module in trace.are_global else in_stages.get(module),
            reads=tuple(names[one] for one in names if one in trace.reads.get(module, ())),
        )


def _layers(root: nn.Module, prefix: str) -> dict[nn.Module, str]:
    """The modules that get a row, with their names, in the order of registration."""
    named = [(name, module) for name, module in root.named_modules(prefix=prefix) if _ADAPTERS not in f"{name}."]
    return {module: name for name, module in named if type(module) in KINDS or [*_own(module, name)]}


def _own(module: nn.Module, name: str) -> Iterator[tuple[str, nn.Parameter]]:
    """A layer's own parameters by name, those of its adapters included (``transfer/adapters.py``)."""
    yield from module.named_parameters(name, recurse=False)
    if parametrize.is_parametrized(module):
        yield from module.get_submodule("parametrizations").named_parameters(f"{name}.parametrizations")


def _kind(module: nn.Module) -> str:
    own = parametrize.type_before_parametrizations(module)
    kind = next((KINDS[base] for base in own.__mro__ if base in KINDS), own.__name__)
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        kind += " " + "x".join(map(str, module.kernel_size))
    return kind
