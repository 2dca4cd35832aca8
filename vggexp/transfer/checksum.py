"""A checkpoint's checksum, in the comment at the end of its zip file: a flipped bit is found before it is trained on.

torch writes zip files and never checks the CRC-32 of their members, which are therefore left out; one sum over the
whole file, in pieces that threads read side by side, takes less time. It finds damage, not forgery. Needs no torch.
"""

import mmap
import struct
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from vggexp.distributed.processes import num_cores

_MARK = b"vggexp crc32 "
_LENGTH = len(_MARK) + 8
"""Bytes of the comment: the mark, and the sum in hexadecimal digits."""
_END = b"PK\x05\x06"
"""How the last record of a zip file begins: 22 bytes, the last two of which are the comment's length."""
PIECE = 2**24
"""Bytes that one thread sums at a time."""


def seal(path: Path) -> None:
    """Add the checksum to a zip file without a comment."""
    with path.open("r+b") as file:
        file.seek(-22, 2)
        if (end := file.read())[:4] != _END or end[-2:] != b"\0\0":
            raise ValueError(f"{path} is no zip file without a comment")
        file.seek(-2, 2)
        file.write(struct.pack("<H", _LENGTH))
    comment = _MARK + b"%08x" % _sum(path, path.stat().st_size)
    with path.open("ab") as file:
        file.write(comment)


def recorded_sum(path: Path) -> str | None:
    """The checksum that a checkpoint records, without computing it anew; None if there is none, or no file."""
    try:
        with path.open("rb") as file:
            file.seek(max(path.stat().st_size - _LENGTH, 0))
            end = file.read()
    except OSError:
        return None
    return end[-8:].decode("ascii", "replace") if end[:-8] == _MARK else None


def damage(path: Path, ours: bool = True) -> str | None:
    """What is wrong with a checkpoint, in words; None if it is whole, or if an earlier version wrote it without a sum.

    Of the latter only the end is looked at: one that was cut off lacks it.

    Args:
        ours: whether vggexp wrote it; else a file that is no zip file is left to torch, which knows an older format.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        begin = file.read(2)
        file.seek(max(size - 22 - _LENGTH, 0))
        end = file.read()
    length, mark = end[20:22] == struct.pack("<H", _LENGTH), end[22:-8] == _MARK
    if not (mark or (end[:4] == _END and length)):
        if begin != b"PK" and not ours:
            return None
        return None if _is_complete(path, end) else "it is no checkpoint, or was cut off"
    if not mark or end[-8:] != b"%08x" % _sum(path, size - _LENGTH):
        return "its checksum differs: it was damaged after it was written"
    return None


def _is_complete(path: Path, end: bytes) -> bool:
    """Whether a zip file without a checksum ends where its last record says; a longer comment is not looked at."""
    if (place := end.rfind(_END)) < 0:
        try:
            return zipfile.is_zipfile(path)
        except zipfile.BadZipFile:
            return False
    return len(end) - place - 22 == int.from_bytes(end[place + 20 : place + 22], "little")


def _sum(path: Path, size: int) -> int:
    """The CRC-32 of the CRC-32s of the pieces of a file's first ``size`` bytes."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        view = memoryview(content)
        try:
            with ThreadPoolExecutor(min(num_cores(), 8)) as pool:
                pieces = [view[start : min(start + PIECE, size)] for start in range(0, size, PIECE)]
                sums = list(pool.map(zlib.crc32, pieces))
        finally:
            for piece in pieces:
                piece.release()
            view.release()
    return zlib.crc32(b"".join(struct.pack("<I", one) for one in sums))
