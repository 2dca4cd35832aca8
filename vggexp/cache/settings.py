"""The settings of the feature cache, as ``conf/cache/*.yaml`` gives them."""

from dataclasses import dataclass

MODES = ("auto", "disk", "off")


@dataclass(frozen=True)
class CacheSettings:
    """What ``cache=auto|disk|off`` chooses: where the features of frozen stages are kept.

    Args:
        mode: "auto" keeps them in memory for this run, "disk" in ``dir`` for all runs; "off" uses no cache.
        views: number of augmented views per image if the training transform is random; None: no cache in that case.
        max_gb: maximum size of a split's features, GiB; None: no limit. A larger split is not cached with "auto", and
            is an error with "disk".
        dir: folder of the mode "disk".
        share: with "auto", whether the jobs of a sweep that one process runs use the same features again.

    Raises:
        ValueError: the mode is unknown.
    """

    mode: str
    views: int | None
    max_gb: float | None
    dir: str | None
    share: bool = True

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ValueError(f"cache.mode={self.mode} is not known; choose from: {', '.join(MODES)}")

    def too_large(self, size: int) -> bool:
        """Whether so many bytes are more than ``max_gb``."""
        return self.max_gb is not None and size > self.max_gb * 2**30
