"""Where the central directory of a zip is: the records at its end, in both sizes, with nothing before, between or behind them.

Source: PKWARE, APPNOTE.TXT 6.3.10, sections 4.3.14 to 4.3.16.
"""

import struct
from typing import IO

from shipsafe.adapters.files import MEBIBYTE
from shipsafe.errors import IntegrityError

_MOST = 100_000  # entries
_LARGEST = 64 * MEBIBYTE  # bytes of the central directory
_FULL_16 = 0xFFFF
_FULL_32 = 0xFFFFFFFF
_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")


def find_directory(file: IO[bytes], size: int) -> tuple[int, int, int]:
    """Where the central directory begins and ends, and how many records it has.

    Raises:
        IntegrityError: `size` bytes of `file` are no zip, or it is not clear where the directory is.
    """
    reach = min(size, _END.size + _FULL_16)
    file.seek(size - reach)
    tail = exactly(file, reach)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END.size:
        raise wrong("This is not a zip, or its end is missing.")
    _, disk, first_disk, here, count, length, start, comment = _END.unpack_from(tail, at)
    if len(tail) - at - _END.size != comment:
        raise wrong("There is something behind the end of the zip.")
    end = size - reach + at
    if disk or first_disk or here != count:
        raise wrong("The zip is one part of several.")
    if end >= _LOCATOR.size:
        file.seek(end - _LOCATOR.size)
        locator = exactly(file, _LOCATOR.size)
        if locator.startswith(b"PK\x06\x07"):
            start, length, count, end = _end_64(file, locator, end - _LOCATOR.size, (start, length, count))
    if count > _MOST or length > _LARGEST:
        raise wrong(f"The zip has more than {_MOST} entries.")
    if start + length != end:
        raise wrong("There are bytes before the zip, or between its entries and its end.")
    return start, end, count


def _end_64(file: IO[bytes], locator: bytes, end: int, small: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """Start, length and count of the directory as the zip64 end record has them, and where that record begins."""
    _, disk, at, disks = _LOCATOR.unpack(locator)
    if disk or disks != 1 or at + _END_64.size != end:
        raise wrong("The zip's end records do not fit together.")
    file.seek(at)
    mark, following, _, _, disk, first_disk, here, count, length, start = _END_64.unpack(exactly(file, _END_64.size))
    # 4.4.1.4: a field of the small record is full where the large one has its value; else both must say the same.
    full = zip(small, (_FULL_32, _FULL_32, _FULL_16), (start, length, count), strict=True)
    agree = all(value in (most, large) for value, most, large in full)
    if mark != b"PK\x06\x06" or following != _END_64.size - 12 or disk or first_disk or here != count or not agree:
        raise wrong("The zip's end records do not fit together.")
    return start, length, count, at


def wrong(what: str) -> IntegrityError:
    """The error for a zip that cannot be believed."""
    return IntegrityError(what, remedy="Build and sign it again, or fetch it again from where it came.")


def exactly(file: IO[bytes], count: int) -> bytes:
    """So many bytes from where the file stands.

    Raises:
        IntegrityError: there are fewer.
    """
    data = file.read(count)
    if len(data) != count:
        raise wrong("The zip is cut short.")
    return data
