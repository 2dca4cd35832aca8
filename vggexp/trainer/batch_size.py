"""``data.batch_size=auto``: the largest batch whose steps fit into memory, found before a training begins.

Batches are powers of two up to ``MOST``, or what divides ``trainer.effective_batch``. On a GPU each is tried until one
no longer fits. On a CPU, where the system ends a process that takes too much, small ones are measured, and what larger
ones take is computed from them: a step's memory grows in proportion to its images.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from vggexp.config.check.augment import check_mix
from vggexp.config.recorded import read_config
from vggexp.distributed.device import device_kind
from vggexp.distributed.launcher import least_of_all
from vggexp.distributed.memory import free_memory, free_shared, give_back_freed_memory
from vggexp.distributed.processes import place_in_run, world_size
from vggexp.errors import DataError
from vggexp.run_folder import RunFolder

Config = Mapping[str, Any]
Need = Callable[[int], float]
"""Bytes that the steps of a batch of so many images take."""

MOST = 256
"""Images of a process's batch where ``trainer.effective_batch`` does not say how many a step takes: VGG's own batch."""
SHARE = 0.8
"""Of the free memory; the rest is for what grows later: metrics, kept features, images with more objects."""
TELLING = 2**26
"""Bytes by which two measured batches must differ, so that their difference is more than chance."""
_FULL = ("out of memory", "ALLOC_FAILED")


def with_batch_size(config: Config, go_on: bool) -> Config:
    """The config with a number in place of ``data.batch_size=auto``; a run that goes on keeps its own.

    Raises:
        DataError: not even the smallest batch fits.
    """
    if config["data"]["batch_size"] != "auto":
        return config
    number = read_config(RunFolder(config["run"]["dir"]))["data"]["batch_size"] if go_on else _found(config)
    settled = {**config, "data": {**config["data"], "batch_size": number}}
    check_mix(settled)
    return settled


def _found(config: Config) -> int:
    """The number for this run, the same in all its processes; the first of them tells it, and why."""
    from vggexp.trainer.trial import Trial  # imports Lightning

    on_gpu = device_kind(config["trainer"]["gpus"]) == "cuda"
    free = free_memory(on_gpu)
    trial = Trial(config)
    limit, kept = SHARE * max(free - trial.kept, 0), trial.kept
    try:
        sizes, bound = choices(config, trial.images, trial.waiting)
        own, why = largest(trial.need, sizes, limit, on_gpu)
    finally:
        trial.end()
        give_back_freed_memory()
    number, beside = least_of_all(own), f"; the run's caches will keep {_gib(kept)} more" if kept else ""
    if not number:
        raise DataError(
            f"data.batch_size=auto: no batch fits into memory ({why}{beside}); a smaller data.image_size takes less"
        )
    if place_in_run()[0] == 0:
        told = (why or f"{bound}; {_gib(limit)} of memory were free for it") + beside
        print(f"data.batch_size=auto: {number} ({told if number == own else 'another process has no room for more'})")
    return number


def choices(config: Config, images: int, waiting: int) -> tuple[list[int], str]:
    """The batches to choose from, ascending, and what bounds them. An epoch has at least one step.

    Args:
        images: of the training split.
        waiting: bytes of an image in the batches that loading processes hold ready in shared memory.
    """
    trainer = config["trainer"]
    processes, whole = world_size(trainer), trainer.get("effective_batch")
    bounds = {f"at most {MOST} are tried": MOST}
    sizes = [2**power for power in range(MOST.bit_length())]
    if whole:
        share = whole // processes
        sizes = [size for size in range(1, share + 1) if share % size == 0]
        bounds = {f"trainer.effective_batch={whole}": share}
    bounds[f"the training split has {images:,} images"] = images // (processes * trainer["accumulate"])
    if waiting and (shared := free_shared()):
        bounds["/dev/shm has no room for more"] = int(SHARE * shared / waiting)
    bound = min(bounds, key=lambda text: bounds[text])
    return [size for size in sizes if size <= bounds[bound]] or sizes[:1], bound


def largest(need: Need, sizes: Sequence[int], limit: float, on_gpu: bool) -> tuple[int, str]:
    """The largest batch whose steps take at most ``limit`` bytes, and why it is not the next one; 0 if none does.

    Batch normalisation may refuse a lone image, so that one is tried only if nothing else fits.
    """
    others = [size for size in sizes if size > 1] or list(sizes)
    found, why = (_by_trying if on_gpu else _by_measuring)(need, others, limit)
    if not found and others[0] > sizes[0]:
        found, lone = _by_trying(need, sizes[:1], limit)
        why = why if found else lone
    return found, why


def _by_trying(need: Need, sizes: Sequence[int], limit: float) -> tuple[int, str]:
    """Try each batch, in ascending order, until one does not fit."""
    found = 0
    for size in sizes:
        try:
            taken = need(size)
        except (RuntimeError, ValueError) as error:
            if not isinstance(error, ValueError) and not any(word in str(error) for word in _FULL):
                raise
            return found, f"{size} run out of memory"
        if taken > limit:
            return found, _too_many(size, taken, limit)
        found = size
    return found, ""


def _by_measuring(need: Need, sizes: Sequence[int], limit: float) -> tuple[int, str]:
    """Measure the first batches, until their difference tells what an image takes, and compute the others."""
    taken: dict[int, float] = {}
    for size in sizes:
        taken[size] = need(size)
        if taken[size] > limit or taken[size] - taken[sizes[0]] > TELLING:
            break
    first, last = sizes[0], max(taken)
    each = max(taken[last] - taken[first], 0) / (last - first) if last > first else taken[last] / last
    expected = {size: taken.get(size, taken[last] + each * (size - last)) for size in sizes}
    found = max((size for size in sizes if expected[size] <= limit), default=0)
    above = next((size for size in sizes if size > found), None)
    return found, _too_many(above, expected[above], limit) if above else ""


def _too_many(size: int, taken: float, limit: float) -> str:
    return f"{size} take about {_gib(taken)}; {_gib(limit)}, {SHARE:.0%} of the free memory, are to be used"


def _gib(size: float) -> str:
    return f"{size / 2**30:.2g} GiB"
