"""Sums of gradients by stage, for freeze policies that measure them."""

import torch
from torch import Tensor

from vggexp.learner.freezing import Freezing


class StageGradients:
    """The sum over several steps of each stage's gradients.

    Args:
        freezing: the network, by its stages.
        head: whether the head is measured, too: its number then follows those of the stages.
    """

    def __init__(self, freezing: Freezing, head: bool = False) -> None:
        self._freezing, self._head = freezing, head
        self.sums: dict[str, Tensor] = {}
        """By parameter, in float32; without those that had no gradient."""

    @torch.no_grad()
    def add(self) -> None:
        """Add the gradients that the parameters have now."""
        for info, parameter in self._freezing.parameters:
            if (info.stage is None and not self._head) or parameter.grad is None:
                continue
            if (total := self.sums.get(info.name)) is None:
                self.sums[info.name] = parameter.grad.detach().float().clone()
            else:
                self.sums[info.name] = total.to(parameter.device).add_(parameter.grad)

    def norms(self) -> list[float]:
        """The L2 norm of each stage's sum, from shallow to deep, and the head's; 0 where nothing had a gradient."""
        return self._by_stage(self.sums)

    def relative_norms(self) -> list[float]:
        """The same, divided by the norm of those parameters."""
        values = {info.name: parameter.detach() for info, parameter in self._freezing.parameters}
        weights = self._by_stage({name: values[name] for name in self.sums})
        return [norm / weight if weight else 0.0 for norm, weight in zip(self.norms(), weights, strict=True)]

    def _by_stage(self, tensors: dict[str, Tensor]) -> list[float]:
        squares = [0.0] * (len(self._freezing.parts) - (not self._head))
        for info, _ in self._freezing.parameters:
            if info.name in tensors:
                place = -1 if info.stage is None else info.stage - 1
                squares[place] += float(tensors[info.name].double().square().sum())
        return [square**0.5 for square in squares]
