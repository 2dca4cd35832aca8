"""Applies a freeze policy to a network. No other module sets ``requires_grad`` in a training.

A frozen parameter has no gradient and the optimizer does not change it, not even by momentum or weight decay. A frozen
module stays in eval mode (batch statistics and dropout) even if ``.train()`` is called. Applying the same epoch twice
has no further effect.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from vggexp.types import AdaptingPolicy, Backbone, FreezePolicy, MeasuredPolicy, ParameterInfo, PolicyOfNames

NORMS = (nn.modules.batchnorm._BatchNorm, nn.GroupNorm, nn.LayerNorm)
_BATCH_NORMS = (nn.modules.batchnorm._BatchNorm,)
"""Those of them with statistics."""
DROPOUTS = (nn.modules.dropout._DropoutNd,)


@dataclass(frozen=True)
class Scaled:
    """A policy with learning rates by stage: as a list, or as a decay: 1 in the head, decay in stage 5, decay^2 in 4...

    Howard & Ruder, arXiv 1801.06146, section 3.2 ("discriminative fine-tuning").
    """

    policy: FreezePolicy
    decay: float = 1.0
    factors: Sequence[float] = ()
    """Of each stage, from shallow to deep; empty: by ``decay``."""

    @property
    def constant(self) -> bool:
        """As in the policy that it wraps."""
        return self.policy.constant

    def __call__(self, epoch: int, parameter: ParameterInfo) -> float:
        """The policy's factor times that of the stage."""
        return self.policy(epoch, parameter) * self.scale(parameter)

    def scale(self, parameter: ParameterInfo) -> float:
        """The factor of the parameter's stage."""
        if self.factors:
            return self.factors[parameter.stage - 1] if parameter.stage else 1.0
        return self.decay ** (0 if parameter.stage is None else 6 - parameter.stage)


class Freezing:
    """A freeze policy bound to a network.

    Args:
        policy: which parameters are frozen in which epoch.
        backbone, head: the network.
        lr_decay: factor on the learning rate from one stage to the next shallower one; 1 = none.
        norm: normalisation layers in frozen parts: "fixed" keeps their statistics, "update" goes on updating them.
        dropout: dropout in frozen parts: "fixed" turns it off, "active" keeps it as in training.
        lr_factors: factor on the learning rate of each stage, from shallow to deep; None: by ``lr_decay``.
        warmup: first epochs in which normalisation layers in frozen parts update their statistics even if ``norm`` is
            "fixed": they then are those of the run's data.

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
        lr_factors: Sequence[float] | None = None,
        warmup: int = 0,
    ) -> None:
        assert isinstance(backbone, nn.Module)
        if isinstance(policy, AdaptingPolicy):
            policy.adapt(backbone.stages())
        is_scaled = lr_decay != 1 or lr_factors is not None
        self.policy: FreezePolicy = Scaled(policy, lr_decay, tuple(lr_factors or ())) if is_scaled else policy
        self._own_policy = policy
        self.parts: dict[str, nn.Module] = {
            **{f"stage{k}": stage for k, stage in enumerate(backbone.stages(), 1)},
            "head": head,
        }
        self._roots: dict[str, nn.Module] = {"backbone": backbone, "head": head}
        self._backbone, self._head = backbone, head
        self._dropouts: tuple[type[nn.Module], ...] = DROPOUTS if dropout == "active" else ()
        self._updates_statistics, self._warmup, self._epoch = norm == "update", warmup, 0
        if not 0 < lr_decay <= 1 or norm not in ("fixed", "update") or dropout not in ("fixed", "active"):
            raise ValueError(
                f"freeze.lr_decay={lr_decay} must be above 0 and at most 1, freeze.norm={norm} fixed or update, "
                f"freeze.dropout={dropout} fixed or active"
            )
        self._check_factors(lr_decay, lr_factors)
        if warmup:
            self._check_warmup(warmup)
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

    @property
    def settled(self) -> bool:
        """Whether all that is frozen, statistics included, is the same in every epoch."""
        return self.constant and not self._warmup

    @property
    def measuring(self) -> MeasuredPolicy | None:
        """The policy if it decides by measurements."""
        return self._own_policy if isinstance(self._own_policy, MeasuredPolicy) else None

    def factors(self, epoch: int) -> list[float]:
        """The factor on each parameter's learning rate in an epoch, in the order of ``parameters``; 0 means frozen."""
        return [self.policy(epoch, info) for info, _ in self.parameters]

    def rates(self, epochs: int) -> list[list[float]]:
        """The factors of each epoch, of a constant policy only of one, from which optimizer groups are made.

        Of a policy that has yet to measure what it freezes or thaws, the factors that hold wherever it trains.
        """
        if self.measuring is None or self.constant:
            return [self.factors(epoch) for epoch in range(1 if self.constant else epochs)]
        scale = self.policy.scale if isinstance(self.policy, Scaled) else lambda info: 1.0
        return [[scale(info) for info, _ in self.parameters]] * epochs

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
        self._epoch = epoch
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
        active = (*self._dropouts, *(NORMS if self._updates(self._epoch) else ()))
        for part in self.parts.values():
            part_is_frozen = _all_frozen(part.parameters())
            for layer in part.modules():
                is_frozen = part_is_frozen or _all_frozen(one for _, one in _own(layer, ""))
                layer.training = training and (not is_frozen or isinstance(layer, active))

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
        fixed, updates = set(frozen), self._updates(epoch)
        for prefix, root in self._roots.items():
            for path, layer in root.named_modules(prefix=prefix):
                own = [name for name, _ in _own(layer, path)]
                if own and frozen.issuperset(own) and not (updates and isinstance(layer, NORMS)):
                    fixed |= {f"{path}.{name}" for name, _ in layer.named_buffers(recurse=False)}
        return fixed

    def without_effect(self, epochs: int) -> dict[str, str]:
        """The settings of frozen layers that change nothing in a run of so many epochs, each with what is never frozen.

        Of a policy that has yet to measure what it freezes, none is known.
        """
        if self.measuring is not None and not self.constant:
            return {}
        norms, found = "batch normalization", dict[str, str]()
        if self._updates_statistics and not self._ever_frozen(_BATCH_NORMS, epochs):
            found["freeze.norm=update"] = norms
        if self._warmup and not self._ever_frozen(_BATCH_NORMS, min(epochs, self._warmup)):
            found[f"freeze.warmup={self._warmup}"] = norms
        if self._dropouts and not self._ever_frozen(self._dropouts, epochs):
            found["freeze.dropout=active"] = "dropout"
        return found

    def _ever_frozen(self, kinds: tuple[type[nn.Module], ...], epochs: int) -> bool:
        """Whether a layer of these kinds is frozen in one of the first epochs, as ``set_modes`` sees it."""
        for epoch in range(1 if self.constant else epochs):
            factors = zip(self.factors(epoch), self.parameters, strict=True)
            frozen = {id(parameter) for factor, (_, parameter) in factors if not factor}
            for part in self.parts.values():
                is_whole = frozen.issuperset(map(id, part.parameters()))
                for layer in part.modules():
                    own = [id(one) for _, one in _own(layer, "")]
                    if isinstance(layer, kinds) and (is_whole or (own and frozen.issuperset(own))):
                        return True
        return False

    def _updates(self, epoch: int) -> bool:
        """Whether normalisation layers in frozen parts update their statistics in an epoch."""
        return self._updates_statistics or epoch < self._warmup

    def _check_factors(self, lr_decay: float, lr_factors: Sequence[float] | None) -> None:
        if lr_factors is None:
            return
        stages = len(self.parts) - 1
        if len(lr_factors) != stages or min(lr_factors) <= 0:
            raise ValueError(f"freeze.lr_factors={list(lr_factors)}: give {stages} numbers above 0, one a stage")
        if lr_decay != 1:
            raise ValueError(f"freeze.lr_decay={lr_decay} and freeze.lr_factors both set the stages' rates: give one")

    def _check_warmup(self, warmup: int) -> None:
        if self._updates_statistics:
            raise ValueError(f"freeze.warmup={warmup} has no effect with freeze.norm=update: leave one of them out")
        if not any(isinstance(layer, _BATCH_NORMS) for root in self._roots.values() for layer in root.modules()):
            raise ValueError(f"freeze.warmup={warmup} has no effect: the network has no batch normalization")


def _own(layer: nn.Module, path: str) -> Iterator[tuple[str, nn.Parameter]]:
    """The parameters of a layer without those of the layers in it, by name; of one with adapters, what they change."""
    yield from layer.named_parameters(path, recurse=False)
    if isinstance(changed := getattr(layer, "parametrizations", None), nn.ModuleDict):
        for name, one in changed.items():
            yield from ((f"{path}.parametrizations.{name}.{key}", p) for key, p in one.named_parameters(recurse=False))


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
