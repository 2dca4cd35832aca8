"""One forward pass, observed: each layer's output shape, its FLOPs, and the layers whose outputs it reads.

Which layer a tensor comes from is followed through every operation between two layers, so a skip that is concatenated,
or a switch that guides an unpooling, leads from the layer that made it to the layer that reads it.
"""

from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode
from torch.utils.weak import WeakIdKeyDictionary

from vggexp.types import Backbone, Features, Head

Origin = frozenset[nn.Module]
"""The layers from which a tensor comes without another layer between."""


class _Origins(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Gives the outputs of each operation the origins of its inputs."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._of: MutableMapping[Tensor, Origin] = WeakIdKeyDictionary()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = func(*args, **(kwargs or {}))
        if origin := self.of((args, kwargs)):
            self.mark(output, origin)
        return output

    def of(self, values: Any) -> Origin:
        """The origins of all tensors in nested containers."""
        tensors = [value for value in _leaves(values) if isinstance(value, Tensor)]
        return frozenset().union(*(self._of.get(tensor, frozenset()) for tensor in tensors))

    def mark(self, values: Any, origin: Origin) -> None:
        """Set the origin of all tensors in nested containers."""
        for value in _leaves(values):
            if isinstance(value, Tensor):
                self._of[value] = origin


def _leaves(values: Any) -> Iterator[Any]:
    for value in tree_leaves(values):
        if isinstance(value, Features):
            yield from tree_leaves((value.stages, value.skips, value.switches))
        else:
            yield value


class ForwardPass:
    """What the layers did in one forward pass, in order of completion."""

    def __init__(self) -> None:
        self.counter = FlopCounterMode(display=False)
        self.shapes: dict[nn.Module, tuple[int, ...]] = {}
        self.flops: dict[nn.Module, int] = {}
        self.reads: dict[nn.Module, Origin] = {}
        """The layers whose outputs a layer reads; of one that runs several times, in any of its runs."""
        self.are_global: set[nn.Module] = set()
        """Dense layers that give one vector for the image: their input was flattened or pooled over it."""
        self.origins = _Origins()
        self._open: list[nn.Module] = []
        self._booked = 0

    def enter(self, module: nn.Module, args: object) -> None:
        """Before a layer runs."""
        self._book()
        self._open.append(module)
        self.reads[module] = self.reads.get(module, frozenset()) | self.origins.of(args)

    def leave(self, module: nn.Module, _args: object, output: object) -> None:
        """After a layer has run."""
        self._book()
        self._open.pop()
        self.origins.mark(output, frozenset({module}))
        first = output[0] if isinstance(output, tuple) else output
        if isinstance(first, Tensor):
            self.shapes.setdefault(module, tuple(first.shape[1:]))
            if isinstance(module, nn.Linear) and first.dim() == 2 and len(first) == 1:
                self.are_global.add(module)

    def pooled(self, pooling: nn.Module, output: Tensor) -> None:
        """Book a pooling that ran as a function: to return switches, a backbone pools without its pooling module."""
        self.shapes[pooling], self.reads[pooling] = tuple(output.shape[1:]), self.origins.of(output)
        self.origins.mark(output, frozenset({pooling}))

    def _book(self) -> None:
        """Add the FLOPs since the last hook to the innermost layer, so that nested layers count once."""
        total = self.counter.get_total_flops()
        if self._open:
            self.flops[self._open[-1]] = self.flops.get(self._open[-1], 0) + total - self._booked
        self._booked = total


def run(backbone: nn.Module, head: nn.Module, layers: Sequence[nn.Module], size: tuple[int, int]) -> ForwardPass:
    """Run ``head(backbone(image))`` once on a black image of ``size`` = (H, W), and observe ``layers``."""
    found = ForwardPass()
    image = torch.zeros(1, 3, *size, device=next(backbone.parameters()).device)
    with ExitStack() as stack:
        stack.enter_context(_evaluating(backbone, head))
        for layer in layers:
            stack.callback(layer.register_forward_pre_hook(found.enter).remove)
            stack.callback(layer.register_forward_hook(found.leave).remove)
        stack.enter_context(torch.no_grad())
        stack.enter_context(found.counter)
        stack.enter_context(found.origins)
        features = cast(Backbone, backbone)(image, cast(Head, head).reads)
        for stage, output in zip(cast(Backbone, backbone).stages(), features.stages, strict=True):
            if (last := [*stage.modules()][-1]) in layers and last not in found.shapes:
                found.pooled(last, output)
        cast(Head, head)(features)
    return found


@contextmanager
def _evaluating(*roots: nn.Module) -> Iterator[None]:
    """Evaluation mode: in training mode BatchNorm fails on a 1x1 map of one image, and updates its statistics."""
    modes = [(module, module.training) for root in roots for module in root.modules()]
    try:
        for module, _ in modes:
            module.training = False
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def fields(chain: Sequence[nn.Module], reads: Mapping[nn.Module, Origin]) -> dict[nn.Module, int]:
    """Side of the receptive field of each layer, pixels.

    A layer that reads others has the largest of their fields, widened by its kernel; one that did not run as a module
    is taken to read the layer before it in ``chain``.
    """
    found: dict[nn.Module, tuple[int, int]] = {}
    before = (1, 1)
    for module in chain:
        read = [found[one] for one in reads.get(module, ()) if one in found]
        field, stride = max(read) if read else before if module not in reads else (1, 1)
        if isinstance(module, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d):
            field += _side(getattr(module, "dilation", 1)) * (_side(module.kernel_size) - 1) * stride
            stride *= _side(module.stride)
        before = found[module] = (field, stride)
    return {module: field for module, (field, _) in found.items()}


def _side(size: int | tuple[int, ...]) -> int:
    return size if isinstance(size, int) else size[0]
