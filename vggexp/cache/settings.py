"""The settings of the feature cache, as ``conf/cache/*.yaml`` gives them."""

from dataclasses import dataclass

MODES = ("auto", "disk", "off")


@dataclass(frozen=True)
class CacheSettings:
    """What ``cache=auto|disk|off`` chooses: where the features of frozen stages are kept.

    Args:
        mode: "auto" keeps them in memory, for this run; "disk" in ``dir``, for all; "off" computes them in every epoch.
        views: augmented views of each image, where the training transform is random; None: no cache then.
        max_gb: of a split's features; in memory more is not cached, on disk more is an error.
        dir: of mode "disk".

    Raises:
        ValueError: another mode.
    """

    mode: str
    views: int | None
    max_gb: float | None
    dir: str | None

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ValueError(f"cache.mode={self.mode} is not known; choose from: {', '.join(MODES)}")
