"""Several heads on one backbone, each by the name of the task it serves."""

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from vggexp.types import Features, Head, HeadSpec, lessons


class Parallel(nn.Module):
    """Features to a dict of outputs: each part's, by its name.

    Args:
        spec: the backbone's channels and strides; each name in its ``classes`` gets one part.
        part: the builder of each part's head, by name; only names that the task has are built.

    Raises:
        ValueError: the task has a name without a part.
    """

    def __init__(self, spec: HeadSpec, part: Mapping[str, Callable[[HeadSpec], nn.Module]]) -> None:
        super().__init__()
        self.part = nn.ModuleDict()
        self.reads: frozenset[str] = frozenset()
        self.learns_from: frozenset[str] = frozenset()
        self.shallowest = len(spec.strides)
        for name, classes in spec.classes.items():
            if name not in part:
                options = ", ".join(sorted(part)) or "none"
                raise ValueError(f"head.part has no head for the task's '{name}'; it has: {options}")
            head = part[name](HeadSpec(spec.channels, spec.strides, {name: classes}))
            assert isinstance(head, Head)
            self.part[name] = head
            self.reads |= head.reads
            self.learns_from |= lessons(head)
            self.shallowest = min(self.shallowest, head.shallowest)

    def forward(self, features: Features, targets: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Every part's output for the same features, by name; with targets, the losses of those that learn from any."""
        return {
            name: head(features) if targets is None or not lessons(head) else head(features, targets)  # type: ignore[arg-type]
            for name, head in self.part.items()
        }
