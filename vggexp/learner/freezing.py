"""The one place that applies a freeze policy to a network.

Frozen means: no gradient, moved by no optimizer (momentum and weight decay included), and in eval mode, batch
statistics and dropout included, whatever ``.train()`` is called. Applying an epoch twice changes nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from vggexp.types import Backbone, FreezePolicy, ParameterInfo, PolicyOfNames

NORMS = (nn.modules.batchnorm._BatchNorm, nn.GroupNorm, nn.LayerNorm)
DROPOUTS = (nn.modules.dropout._DropoutNd,)


@dataclass(frozen=True)
class Decayed:
    """A policy under layer-wise learning-rate decay: factor 1 in the head, ``decay`` in stage 5, its square in stage 4.

    Howard & Ruder, arXiv 1801.06146, section 3.2 ("discriminative fine-tuning").
    """

    policy: FreezePolicy
    decay: float

    @property
    def constant(self) -> bool:
        """As the policy itself."""
        return self.policy.constant

    def __call__(self, epoch: int, parameter: ParameterInfo) -> float:
        """The policy's factor, times ``decay`` once a stage below the head."""
        depth = 0 if parameter.stage is None else 6 - parameter.stage
        return self.policy(epoch, parameter) * self.decay**depth


class Freezing:
    """A policy bound to a network.

    Args:
        policy: what is frozen, and when.
        backbone, head: the network.
        lr_decay: factor on the learning rate from one stage to the next, towards the image; 1 = none.
        norm: what normalisation layers do in frozen parts: "fixed", statistics and all, or "update" their statistics.
        dropout: what dropout does in frozen parts: "fixed" lets everything pass, "active" drops as in training.

    Raises:
        ValueError: settings out of range, or a policy that does not fit the network.
    """

    def __init__(
        self,
        policy: FreezePolicy,
        backbone: Backbone,
        head: nn.Module,
        lr_decay: float = 1.0,
        norm: Literal["fixed", "update"] = "fixed",
        dropout: Literal["fixed", "active"] = "fixed",
    ) -> None:
        assert isinstance(backbone, nn.Module)
        self.policy: FreezePolicy = policy if lr_decay == 1 else Decayed(policy, lr_decay)
        self.parts: dict[str, nn.Module] = {
            **{f"stage{k}": stage for k, stage in enumerate(backbone.stages(), 1)},
            "head": head,
        }
        self._roots: dict[str, nn.Module] = {"backbone": backbone, "head": head}
        self._backbone, self._head = backbone, head
        self._awake: tuple[type[nn.Module], ...] = (
            *(NORMS if norm == "update" else ()),
            *(DROPOUTS if dropout == "active" else ()),
        )
        self._statistics_move = norm == "update"
        if not 0 < lr_decay <= 1 or norm not in ("fixed", "update") or dropout not in ("fixed", "active"):
            raise ValueError(
                f"freeze.lr_decay={lr_decay} must be above 0 and at most 1, freeze.norm={norm} fixed or update, "
                f"freeze.dropout={dropout} fixed or active"
            )
        if isinstance(policy, PolicyOfNames):
            policy.check([info for info, _ in self.parameters])

    @property
    def parameters(self) -> tuple[tuple[ParameterInfo, nn.Parameter], ...]:
        """What a policy may know of each parameter, and the parameter: the one that the network holds now.

        Dividing a network between devices puts other tensors in their places.
        """
        return tuple(_named(self._backbone, self._head))

    @property
    def constant(self) -> bool:
        """Whether every epoch is like the first."""
        return self.policy.constant

    def factors(self, epoch: int) -> list[float]:
        """The factor on each parameter's learning rate in an epoch, in the order of ``parameters``; 0 is frozen."""
        return [self.policy(epoch, info) for info, _ in self.parameters]

    def trained(self, epochs: int) -> list[bool]:
        """Whether each parameter trains in any of the first ``epochs`` epochs.

        Raises:
            ValueError: an epoch in which nothing trains.
        """
        table = [self.factors(epoch) for epoch in range(1 if self.constant else epochs)]
        for epoch, factors in enumerate(table):
            if not any(factors):
                raise ValueError(
                    f"the freeze policy freezes every parameter in epoch {epoch}: nothing is left to train"
                )
        return [any(column) for column in zip(*table, strict=True)]

    def apply(self, epoch: int) -> None:
        """Give or take each parameter's gradient, as the policy says for this epoch; ``set_modes`` comes after it."""
        for factor, (_, parameter) in zip(self.factors(epoch), self.parameters, strict=True):
            parameter.requires_grad_(factor > 0)
            if not factor:
                parameter.grad = None  # or an optimizer would still step along the last one

    def set_modes(self, training: bool) -> None:
        """Put what is frozen into eval mode and all else into the given one; to be called after every change of mode.

        A part (a stage, the head) without a trainable parameter stands still as a whole, with its dropout. Inside a
        part that trains, a layer stands still if all its own parameters are frozen. Thawed layers must wake up here:
        after a validation Lightning puts every layer back into the mode that it had before.
        """
        for part in self.parts.values():
            frozen = _all_frozen(part.parameters())
            for layer in part.modules():
                still = (frozen or _all_frozen(layer.parameters(recurse=False))) and not isinstance(layer, self._awake)
                layer.training = training and not still

    def tensors(self) -> dict[str, dict[str, Tensor]]:
        """Every parameter and every persistent buffer, by part and by name."""
        states = (root.state_dict(prefix=f"{name}.", keep_vars=True) for name, root in self._roots.items())
        names = {id(tensor): name for state in states for name, tensor in state.items()}
        return {
            part: {names[id(tensor)]: tensor for tensor in module.state_dict(keep_vars=True).values()}
            for part, module in self.parts.items()
        }

    def frozen_tensors(self, epoch: int) -> set[str]:
        """Names of what must not move in an epoch: frozen parameters, and the buffers of layers frozen as a whole.

        It asks the policy, not ``requires_grad``: a proof must not rest on what it proves.
        """
        frozen = {info.name for info, _ in self.parameters if self.policy(epoch, info) == 0}
        still = set(frozen)
        for prefix, root in self._roots.items():
            for path, layer in root.named_modules(prefix=prefix):
                own = [f"{path}.{name}" for name, _ in layer.named_parameters(recurse=False)]
                if own and frozen.issuperset(own) and not (self._statistics_move and isinstance(layer, NORMS)):
                    still |= {f"{path}.{name}" for name, _ in layer.named_buffers(recurse=False)}
        return still


def _all_frozen(parameters: Iterator[nn.Parameter]) -> bool:
    """Whether there are some, and none of them trains."""
    states = [parameter.requires_grad for parameter in parameters]
    return bool(states) and not any(states)


def _named(backbone: Backbone, head: nn.Module) -> Iterator[tuple[ParameterInfo, nn.Parameter]]:
    """Every parameter of the network, once, with what a policy may know of it."""
    assert isinstance(backbone, nn.Module)
    stage_of = {id(p): number for number, stage in enumerate(backbone.stages(), 1) for p in stage.parameters()}
    norms = {id(p) for root in (backbone, head) for m in root.modules() if isinstance(m, NORMS) for p in m.parameters()}
    for name, parameter in backbone.named_parameters(prefix="backbone"):
        yield ParameterInfo(name, stage_of[id(parameter)], id(parameter) in norms), parameter
    for name, parameter in head.named_parameters(prefix="head"):
        yield ParameterInfo(name, None, id(parameter) in norms), parameter
