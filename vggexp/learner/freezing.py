"""Applies a freeze policy to a network. No other module sets ``requires_grad`` in a training.

A frozen parameter has no gradient and the optimizer does not change it, not even by momentum or weight decay. A frozen
module stays in eval mode (batch statistics and dropout) even if ``.train()`` is called. Applying the same epoch twice
has no further effect.
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
    """A policy with layer-wise learning-rate decay: factor 1 in the head, decay in stage 5, decay^2 in stage 4, ...

    Howard & Ruder, arXiv 1801.06146, section 3.2 ("discriminative fine-tuning").
    """

    policy: FreezePolicy
    decay: float

    @property
    def constant(self) -> bool:
        """As in the policy that it wraps."""
        return self.policy.constant

    def __call__(self, epoch: int, parameter: ParameterInfo) -> float:
        """The policy's factor times ``decay`` to the power of the distance from the head, in stages."""
        depth = 0 if parameter.stage is None else 6 - parameter.stage
        return self.policy(epoch, parameter) * self.decay**depth


class Freezing:
    """A freeze policy bound to a network.

    Args:
        policy: which parameters are frozen in which epoch.
        backbone, head: the network.
        lr_decay: factor on the learning rate from one stage to the next shallower one; 1 = none.
        norm: normalisation layers in frozen parts: "fixed" keeps their statistics, "update" goes on updating them.
        dropout: dropout in frozen parts: "fixed" turns it off, "active" keeps it as in training.

    Raises:
        ValueError: a setting is out of range, or the policy does not fit the network.
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
        self._kept_active: tuple[type[nn.Module], ...] = (
            *(NORMS if norm == "update" else ()),
            *(DROPOUTS if dropout == "active" else ()),
        )
        self._updates_statistics = norm == "update"
        if not 0 < lr_decay <= 1 or norm not in ("fixed", "update") or dropout not in ("fixed", "active"):
            raise ValueError(
                f"freeze.lr_decay={lr_decay} must be above 0 and at most 1, freeze.norm={norm} fixed or update, "
                f"freeze.dropout={dropout} fixed or active"
            )
        if isinstance(policy, PolicyOfNames):
            policy.check([info for info, _ in self.parameters])

    @property
    def parameters(self) -> tuple[tuple[ParameterInfo, nn.Parameter], ...]:
        """Each parameter with its ``ParameterInfo``, read from the network at each call.

        FSDP replaces the parameters when it shards the network, so a stored list would be out of date.
        """
        return tuple(_named(self._backbone, self._head))

    @property
    def constant(self) -> bool:
        """Whether the policy is the same in every epoch."""
        return self.policy.constant

    def factors(self, epoch: int) -> list[float]:
        """The factor on each parameter's learning rate in an epoch, in the order of ``parameters``; 0 means frozen."""
        return [self.policy(epoch, info) for info, _ in self.parameters]

    def trained(self, epochs: int) -> list[bool]:
        """Whether each parameter is trainable in any of the first ``epochs`` epochs.

        Raises:
            ValueError: there is an epoch in which every parameter is frozen.
        """
        table = [self.factors(epoch) for epoch in range(1 if self.constant else epochs)]
        for epoch, factors in enumerate(table):
            if not any(factors):
                raise ValueError(
                    f"the freeze policy freezes every parameter in epoch {epoch}: nothing is left to train"
                )
        return [any(column) for column in zip(*table, strict=True)]

    def apply(self, epoch: int) -> None:
        """Set each parameter's ``requires_grad`` for this epoch. Call ``set_modes`` afterwards."""
        for factor, (_, parameter) in zip(self.factors(epoch), self.parameters, strict=True):
            parameter.requires_grad_(factor > 0)
            if not factor:
                parameter.grad = None  # otherwise the optimizer would step along the old gradient

    def set_modes(self, training: bool) -> None:
        """Put frozen modules into eval mode and all others into the given mode. Call it after every change of mode.

        If a part (a stage, the head) has no trainable parameter, all its layers are in eval mode, dropout included. In
        a trainable part, a layer is in eval mode if all its own parameters are frozen. This call must also put unfrozen
        layers back into training mode: after a validation Lightning restores the mode that each layer had before.
        """
        for part in self.parts.values():
            part_is_frozen = _all_frozen(part.parameters())
            for layer in part.modules():
                is_frozen = part_is_frozen or _all_frozen(layer.parameters(recurse=False))
                layer.training = training and (not is_frozen or isinstance(layer, self._kept_active))

    def tensors(self) -> dict[str, dict[str, Tensor]]:
        """Every parameter and every persistent buffer, by part and by name."""
        states = (root.state_dict(prefix=f"{name}.", keep_vars=True) for name, root in self._roots.items())
        names = {id(tensor): name for state in states for name, tensor in state.items()}
        return {
            part: {names[id(tensor)]: tensor for tensor in module.state_dict(keep_vars=True).values()}
            for part, module in self.parts.items()
        }

    def frozen_tensors(self, epoch: int) -> set[str]:
        """Names of the tensors that must not change in an epoch: frozen parameters, and buffers of fully frozen layers.

        It reads the policy and not ``requires_grad``, so that the freeze check finds a wrong ``requires_grad``.
        """
        frozen = {info.name for info, _ in self.parameters if self.policy(epoch, info) == 0}
        fixed = set(frozen)
        for prefix, root in self._roots.items():
            for path, layer in root.named_modules(prefix=prefix):
                own = [f"{path}.{name}" for name, _ in layer.named_parameters(recurse=False)]
                if own and frozen.issuperset(own) and not (self._updates_statistics and isinstance(layer, NORMS)):
                    fixed |= {f"{path}.{name}" for name, _ in layer.named_buffers(recurse=False)}
        return fixed


def _all_frozen(parameters: Iterator[nn.Parameter]) -> bool:
    """Whether there is at least one parameter and none is trainable."""
    states = [parameter.requires_grad for parameter in parameters]
    return bool(states) and not any(states)


def _named(backbone: Backbone, head: nn.Module) -> Iterator[tuple[ParameterInfo, nn.Parameter]]:
    """Every parameter of the network, once, with its ``ParameterInfo``."""
    assert isinstance(backbone, nn.Module)
    stage_of = {id(p): number for number, stage in enumerate(backbone.stages(), 1) for p in stage.parameters()}
    norms = {id(p) for root in (backbone, head) for m in root.modules() if isinstance(m, NORMS) for p in m.parameters()}
    for name, parameter in backbone.named_parameters(prefix="backbone"):
        yield ParameterInfo(name, stage_of[id(parameter)], id(parameter) in norms), parameter
    for name, parameter in head.named_parameters(prefix="head"):
        yield ParameterInfo(name, None, id(parameter) in norms), parameter
