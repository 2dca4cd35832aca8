"""One loss per part of a multitask run: the counterpart of ``head=parallel``."""

from collections.abc import Mapping

from torch import nn


class Parallel(nn.Module):
    """Holds the losses by part; the task weights and adds them.

    Args:
        part: the losses, by the part's name.
    """

    def __init__(self, part: Mapping[str, nn.Module]):
        super().__init__()
        self.part = nn.ModuleDict(part)
