"""The checkpoint that an interrupted run goes on from: the last one, or the one before if the last is damaged."""

from vggexp.distributed.processes import place_in_run
from vggexp.errors import DataError
from vggexp.run_folder import RunFolder
from vggexp.transfer.checksum import damage


def holds_last(folder: RunFolder) -> bool:
    """Whether there is a checkpoint to go on from."""
    return folder.last.exists() or folder.previous.exists()


def repair_last(folder: RunFolder) -> None:
    """Let ``previous.ckpt`` take the place of a ``last.ckpt`` that is damaged or missing, and say so.

    Raises:
        DataError: neither can be used.
    """
    if place_in_run()[0] > 0:  # rank 0 does it; the others read the file after they have its config
        return
    what = damage(folder.last) if folder.last.exists() else "it is missing"
    if what is None:
        return
    if not folder.previous.exists() or damage(folder.previous):
        raise DataError(
            f"{folder.last} cannot be used: {what}; and there is no earlier one. To train the run again: "
            f"python -m vggexp rerun {folder.path} run.dir=..."
        )
    print(f"{folder.last} cannot be used: {what}; the run goes on from the one before ({folder.previous.name})")
    folder.previous.replace(folder.last)
