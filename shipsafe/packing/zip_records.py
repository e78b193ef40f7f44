"""The records of a ZIP file, each with the one value that a deterministic archive gives its field.

Local header, data, local header, data, ..., central directory, end record: nothing between them, nothing optional. No time but
1980-01-01 00:00:00 (the earliest that the format can say), no extra field except the one that a size or offset over 4 GiB
forces (zip64), no data descriptor, no comment, no entry for a folder, and the UTF-8 flag only where a name is not ASCII.

Source: PKWARE, APPNOTE.TXT 6.3.10, sections 4.3 to 4.5.
"""

import struct
from dataclasses import dataclass

STORED = 0
DEFLATED = 8

_DATE = 1 << 5 | 1  # 1980-01-01: years since 1980, month, day
_UTF8 = 0x800
_UNIX = 3
_VERSION = 20  # deflate
_VERSION_64 = 45  # zip64
_FULL_16 = 0xFFFF
_FULL_32 = 0xFFFFFFFF
LONGEST_NAME = _FULL_16


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One file of the archive: what its records say. `size` and `compressed` are bytes; `mode` as `stat` has it."""

    name: str
    mode: int
    method: int
    crc: int
    size: int
    compressed: int

    @property
    def _flags(self) -> int:
        return 0 if self.name.isascii() else _UTF8


def local_header(member: Member) -> bytes:
    """What stands before a member's data."""
    big = member.size >= _FULL_32 or member.compressed >= _FULL_32
    # 4.5.3: in a local header both sizes must be there when one of them does not fit.
    extra = struct.pack("<HHQQ", 1, 16, member.size, member.compressed) if big else b""
    name = member.name.encode()
    return (
        struct.pack(
            "<4s5H3L2H",
            b"PK\x03\x04",
            _VERSION_64 if big else _VERSION,
            member._flags,  # noqa: SLF001 - the same file
            member.method,
            0,
            _DATE,
            member.crc,
            _FULL_32 if big else member.compressed,
            _FULL_32 if big else member.size,
            len(name),
            len(extra),
        )
        + name
        + extra
    )


def central_header(member: Member, offset: int) -> bytes:
    """A member's record in the central directory; `offset` is where its local header begins."""
    too_big = [value for value in (member.size, member.compressed, offset) if value >= _FULL_32]
    extra = struct.pack(f"<HH{len(too_big)}Q", 1, 8 * len(too_big), *too_big) if too_big else b""
    version = _VERSION_64 if too_big else _VERSION
    name = member.name.encode()
    return (
        struct.pack(
            "<4s4B4H3L5H2L",
            b"PK\x01\x02",
            version,
            _UNIX,
            version,
            0,
            member._flags,  # noqa: SLF001 - the same file
            member.method,
            0,
            _DATE,
            member.crc,
            min(member.compressed, _FULL_32),
            min(member.size, _FULL_32),
            len(name),
            len(extra),
            0,
            0,
            0,
            member.mode << 16,
            min(offset, _FULL_32),
        )
        + name
        + extra
    )


def end_records(count: int, size: int, offset: int) -> bytes:
    """What ends the file: `count` members, a central directory of `size` bytes that begins at `offset`."""
    end = struct.pack(
        "<4s4H2LH",
        b"PK\x05\x06",
        0,
        0,
        min(count, _FULL_16),
        min(count, _FULL_16),
        min(size, _FULL_32),
        min(offset, _FULL_32),
        0,
    )
    if count < _FULL_16 and size < _FULL_32 and offset < _FULL_32:
        return end
    made_by = _UNIX << 8 | _VERSION_64
    end_64 = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, made_by, _VERSION_64, 0, 0, count, count, size, offset)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, offset + size, 1)
    return end_64 + locator + end
