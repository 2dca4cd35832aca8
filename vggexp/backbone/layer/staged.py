"""Stages as slices of one list of layers, and the features of one stage after the other."""

from collections.abc import Sequence

from torch import Tensor, nn

from vggexp.backbone.layer.normalized import Normalized
from vggexp.types import Features


class Staged(Normalized):
    """A backbone whose layers lie in ``features``, one stage after the other."""

    features: nn.Sequential
    _stage_ends: list[int]
    """By stage: the number of layers up to its end."""

    def stages(self) -> tuple[nn.Sequential, ...]:
        """The layers of each stage, pooling last; they are the same modules as in ``features``."""
        starts = [0, *self._stage_ends[:-1]]
        return tuple(self.features[start:end] for start, end in zip(starts, self._stage_ends, strict=True))


def features_of(stages: Sequence[nn.Module], images: Tensor, start: int, size: tuple[int, int] | None) -> Features:
    """Features of every stage, each of which reads the one before.

    Args:
        stages: all stages.
        images: normalised images (N, 3, H, W); with ``start`` = k the output of stage k for images of ``size``, and
            earlier stages are then empty.
    """
    x = images
    found = [x.new_empty(0)] * (start - 1) + [x] * bool(start)
    for stage in stages[start:]:
        x = stage(x)
        found.append(x)
    return Features(tuple(found), size or (images.shape[-2], images.shape[-1]))
