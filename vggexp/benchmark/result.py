"""Turns rounds into rows: the speed ratio with its range over the rounds; also describes the machine."""

import json
import platform
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from vggexp.benchmark.measure import LIMIT, Round, Turn, parts
from vggexp.benchmark.plan import Work
from vggexp.distributed.processes import num_cores
from vggexp.run_folder import plain, write_whole

_LIBRARIES = (
    "vggexp", "torch", "torchvision", "pytorch-lightning", "pillow", "timm", "segmentation-models-pytorch"
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """vggexp ("ours") against one alternative."""

    work: str
    against: str
    ratio: float
    """Their time divided by ours in the same round, median over the rounds. Above 1 ours is faster."""
    low: float
    high: float
    """The smallest and the largest of the rounds' ratios."""
    share_of_peak: float | None
    """Our share of the machine's matrix product rate in the same precision; None if FLOPs do not bound the work."""
    memory_ratio: float
    """Our peak memory divided by theirs, of the whole process."""


def ratio(theirs: Sequence[float], ours: Sequence[float]) -> tuple[float, float, float]:
    """Median, smallest and largest of paired ratios.

    >>> ratio([2.0, 9.0, 4.0], [1.0, 3.0, 1.0])
    (3.0, 2.0, 4.0)
    """
    found = [their / our for their, our in zip(theirs, ours, strict=True)]
    return statistics.median(found), min(found), max(found)


def rows(name: str, work: Work, found: Sequence[Round]) -> Iterator[Row]:
    """One row for each of our jobs, each part of it, and each alternative."""
    for own in work.ours:
        ours = f"ours {own}".strip()
        for part in parts(found, ours):
            label = ", ".join(word for word in (name, own, part) if word)
            share = _share_of_peak(found, ours)
            for against in work.against:
                pairs = [(one[against], one[ours]) for one in found]
                spread = ratio([their.each(part) for their, _ in pairs], [our.each(part) for _, our in pairs])
                yield Row(label, against, *spread, share, _memory([t for t, _ in pairs], [o for _, o in pairs]))


def _memory(theirs: Sequence[Turn], ours: Sequence[Turn]) -> float:
    return max(turn.memory_mib for turn in ours) / max(turn.memory_mib for turn in theirs)


def _share_of_peak(found: Sequence[Round], ours: str) -> float | None:
    """The median over the rounds, each with the rate measured in the same round."""
    if LIMIT not in found[0]:
        return None
    limits = [one[LIMIT].facts for one in found]
    shares = [limit["flops"] / (one[ours].each() * limit["rate"]) for one, limit in zip(found, limits, strict=True)]
    return statistics.median(shares)


def document(table: Sequence[Row], found: Mapping[str, Sequence[Round]], config: Mapping[str, Any]) -> dict[str, Any]:
    """The content of the JSON file: rows, the rounds behind them, machine, versions, date and config."""
    return {
        "rows": [asdict(row) for row in table],
        "date": time.strftime("%Y-%m-%d"),
        "machine": machine(),
        "versions": {"python": platform.python_version(), **dict(_versions())},
        "config": dict(config),
        "rounds": {
            name: [{who: asdict(turn) for who, turn in one.items()} for one in some] for name, some in found.items()
        },
    }


def machine() -> str:
    """The processor, the number of usable cores, and the GPUs that the driver lists.

    Does not use torch, which takes seconds to import.
    """
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    gpus = sorted(Path("/proc/driver/nvidia/gpus").glob("*/information"))
    models = [line.partition(":")[2].strip() for path in gpus for line in path.read_text().splitlines()[:1]]
    return ", ".join([f"{name}, {num_cores()} cores", *models])


def _versions() -> Iterator[tuple[str, str]]:
    for name in _LIBRARIES:
        try:
            yield name, version(name)
        except PackageNotFoundError:
            continue


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Write the document as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(plain(content), indent=1) + "\n")
