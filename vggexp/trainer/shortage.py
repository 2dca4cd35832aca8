"""What ran out while a network trained or was evaluated, in one line that names the key to change.

Memory of the machine or of the GPU, shared memory, and processes that load data and died or hang.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from vggexp.errors import DataError, UserError

_ASKED = re.compile(r"tried to allocate ([\d.]+ ?\w+)", re.IGNORECASE)


@contextmanager
def explained(config: Mapping[str, Any]) -> Iterator[None]:
    """Raise a DataError in place of torch's error, if something ran out.

    Args:
        config: the run's config, whose values the message names.
    """
    try:
        yield
    except UserError:
        raise
    except (RuntimeError, MemoryError, OSError) as error:
        if (told := _told(error, config["data"])) is None:
            raise
        raise DataError(told) from error


def _told(error: BaseException, data: Mapping[str, Any]) -> str | None:
    """The line for an error or for what caused it; None if nothing ran out."""
    seen: BaseException | None = error
    while seen is not None:
        if line := _line(seen, data):
            return line
        seen = seen.__cause__ or seen.__context__
    return None


def _line(error: BaseException, data: Mapping[str, Any]) -> str | None:
    text, workers, batch = str(error), data.get("workers"), data.get("batch_size")
    fewer = f"data.workers={_less(workers)} starts fewer, data.workers=0 none"
    smaller = f"a smaller data.batch_size (now {batch}; trainer.accumulate keeps the images of a step)"
    if "out of shared memory" in text or "/torch_" in text or ("shared memory" in text and "allocat" in text):
        return (
            f"/dev/shm, by which data loading processes hand over their batches, is full: {fewer}; {smaller} "
            "takes less; in Docker: --shm-size=2g or --ipc=host"
        )
    if "DataLoader timed out" in text:
        seconds = data.get("timeout")
        return (
            f"no batch came from the data loading processes for data.timeout={seconds} s: one of them hangs, or "
            "reads from a slow disk. data.workers=0 shows at which sample; data.timeout=0 waits for ever"
        )
    if found := re.search(r"DataLoader worker \(pid\(?s?\)? [\d, ]+\) (is killed by signal: (\w+)|exited)", text):
        how = f"was killed ({found[2]}; out of memory?)" if found[2] else "ended without a word"
        return f"a data loading process {how}: {fewer}; {smaller} and data.cache=none take less memory"
    if "out of memory" in text and ("CUDA" in text or "HIP" in text or "MPS" in text):
        return f"the GPU's memory is full{_wanted(text)}: {smaller} and a smaller data.image_size take less"
    if isinstance(error, MemoryError) or "can't allocate memory" in text or "Cannot allocate memory" in text:
        return (
            f"this machine's memory is full{_wanted(text)}: {smaller}, a smaller data.image_size, data.workers=0, "
            "data.cache=none and cache=off take less"
        )
    return None


def _less(workers: object) -> str:
    return str(workers // 2) if isinstance(workers, int) and workers > 1 else "1"


def _wanted(text: str) -> str:
    """How much the allocation that failed asked for.

    >>> _wanted("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has"), _wanted("tried to allocate 4096 bytes.")
    (' (2.00 GiB more were asked for)', ' (4096 bytes more were asked for)')
    """
    found = _ASKED.search(text)
    return f" ({found[1]} more were asked for)" if found else ""
