"""Report of a weight transfer: which tensors were copied, left out or missing."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class LoadReport:
    """The tensors copied from one source into one part."""

    part: str
    """The part: "backbone", "head", "head.part.localization"."""
    source: str
    loaded: tuple[str, ...]
    """Tensors of the part that were copied."""
    initial: tuple[str, ...] = ()
    """Tensors of the part that keep their initialisation, some with the reason."""
    left_out: tuple[str, ...] = ()
    """Tensors of the source that were not copied, under the source's names."""
    note: str = ""
    """A further remark, such as differing class names."""

    def __str__(self) -> str:
        """One line, with the number of left out tensors per part of the source."""
        initial = f"; keep their initial values: {', '.join(self.initial)}" if self.initial else ""
        counts = Counter(_part_of(name) for name in self.left_out)
        left_out = "; left out: " + ", ".join(f"{part} {count}" for part, count in counts.items()) if counts else ""
        note = f"; {self.note}" if self.note else ""
        return f"{self.part} weights: {len(self.loaded)} tensors from {self.source}{left_out}{initial}{note}"


def left_out(tensors: Mapping[str, Tensor], taken: Mapping[str, Tensor]) -> tuple[str, ...]:
    """Names of the source's tensors that are not in ``taken``, compared by identity, because the names may differ."""
    used = {id(tensor) for tensor in taken.values()}
    return tuple(name for name, tensor in tensors.items() if id(tensor) not in used)


def _part_of(name: str) -> str:
    """The part of a run, or of torchvision's network, to which a tensor belongs.

    >>> [_part_of(name) for name in ("backbone.features.0.bias", "head.part.box.fc.bias", "classifier.6.bias")]
    ['backbone', 'head.part.box', 'classifier']
    """
    words = name.split(".")
    return ".".join(words[:3]) if words[:2] == ["head", "part"] else words[0]
