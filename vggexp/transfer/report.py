"""What became of a source's tensors: copied, left out, or not there."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class LoadReport:
    """One part's filling from one source."""

    part: str
    """What was filled: "backbone", "head", "head.part.localization"."""
    source: str
    loaded: tuple[str, ...]
    """Tensors of the part that were copied."""
    fresh: tuple[str, ...] = ()
    """Tensors of the part that keep their fresh start, some with the reason."""
    left_out: tuple[str, ...] = ()
    """Tensors of the source, by its own names, that were not copied."""
    note: str = ""
    """What else to know of it."""

    def __str__(self) -> str:
        """One line; what was left out is counted by the source's parts."""
        fresh = f"; fresh: {', '.join(self.fresh)}" if self.fresh else ""
        counts = Counter(_part_of(name) for name in self.left_out)
        left_out = "; left out: " + ", ".join(f"{part} {count}" for part, count in counts.items()) if counts else ""
        note = f"; {self.note}" if self.note else ""
        return f"{self.part} weights: {len(self.loaded)} tensors from {self.source}{left_out}{fresh}{note}"


def left_out(tensors: Mapping[str, Tensor], taken: Mapping[str, Tensor]) -> tuple[str, ...]:
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
