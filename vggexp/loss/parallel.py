"""One loss a part, for tasks that learn several things at once: the counterpart of ``head=parallel``."""

from collections.abc import Mapping

from torch import nn


class Parallel(nn.Module):
    """Holds the losses by part; the task takes them out, weighs and adds them.

    Args:
        part: a loss for each part's name.
    """

    def __init__(self, part: Mapping[str, nn.Module]):
        super().__init__()
        self.part = nn.ModuleDict(part)
