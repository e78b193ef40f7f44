"""Whether every byte of a zip belongs to something that is looked at: programs that read a zip must all find the same files in it.

A zip is read from its end, and what stands elsewhere is skipped by some programs and found by others: bytes before the first member or
between two, a local header that differs from the directory, a second name in an extra field, content in the entry of a folder. Lambda
and AWS Signer are two of these programs and shipsafe is a third, so a zip that is to be signed as it is may hold none of this.

Source: PKWARE, APPNOTE.TXT 6.3.10, sections 4.3 to 4.6.
"""

import struct
import zipfile
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from shipsafe.errors import IncompleteError

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_END_64 = 56  # bytes of the record, and of what points to it
_LOCATOR_64 = 20
_DESCRIBED_LATER = 8  # flag bit 3: sizes and CRC stand behind the data
_FULL_32 = 0xFFFFFFFF
_OTHER_NAME = 0x7075  # extra field: a name in UTF-8, which some programs take instead of the other
_MARK = b"PK\x07\x08"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Directory:
    """What the central directory says: members in the order of their bytes, where it begins, and where it ends."""

    members: list[zipfile.ZipInfo]
    start: int
    end: int


def check_bytes(archive: Path, *, shown: str) -> None:
    """Account for every byte.

    Raises:
        IncompleteError: it is not a zip, or some bytes of it belong to nothing.
    """
    try:
        with archive.open("rb") as file, zipfile.ZipFile(file) as opened:
            problem = next(_problems(file, opened, archive.stat().st_size), "")
    except (zipfile.BadZipFile, struct.error, NotImplementedError, RuntimeError, ValueError, EOFError) as error:
        raise IncompleteError(f"Not a usable zip: {str(error).rstrip('.')}.", remedy="Build it again.", path=shown) from error
    if problem:
        raise IncompleteError(f"Programs would read this zip differently: {problem}.", remedy="Zip the files again.", path=shown)


def _problems(file: BinaryIO, opened: zipfile.ZipFile, size: int) -> Iterator[str]:
    directory = _directory(file, opened)
    at = 0
    for member in directory.members:
        name = ascii(member.filename[:100])
        if member.header_offset != at:
            yield (
                f"{abs(member.header_offset - at)} bytes before {name} belong to no file"
                if member.header_offset > at
                else (f"{name} and another file share bytes")
            )
        at = yield from _member(file, member, name)
        if member.is_dir() and member.file_size:
            yield f"the folder {name} has content"
    if at != directory.start:
        yield f"{abs(directory.start - at)} bytes before its directory belong to no file"
    end = size - _END.size - len(opened.comment)
    gap = end - directory.end
    if gap not in (0, _END_64 + _LOCATOR_64):
        yield f"{abs(gap)} bytes behind its directory belong to nothing"
    if b"PK\x05\x06" in opened.comment:
        yield "its comment looks like the end of another zip"


def _directory(file: BinaryIO, opened: zipfile.ZipFile) -> _Directory:
    """The directory, measured by its own records."""
    start = at = opened.start_dir
    for member in opened.infolist():
        file.seek(at)
        record = _CENTRAL.unpack(file.read(_CENTRAL.size))
        if record[0] != b"PK\x01\x02":
            message = f"the record of {member.filename[:100]!a} is none"
            raise zipfile.BadZipFile(message)
        at += _CENTRAL.size + record[10] + record[11] + record[12]
    return _Directory(members=sorted(opened.infolist(), key=lambda one: one.header_offset), start=start, end=at)


def _member(file: BinaryIO, member: zipfile.ZipInfo, name: str) -> Generator[str, None, int]:
    """What is wrong with one member; returns where its bytes end."""
    file.seek(member.header_offset)
    mark, _, flags, method, _, _, crc, compressed, size, name_length, extra_length = _LOCAL.unpack(file.read(_LOCAL.size))
    if mark != b"PK\x03\x04":
        yield f"{name} has no header where the directory says"
    raw = file.read(name_length)
    extra = file.read(extra_length)
    if raw != _raw_name(member) or flags != member.flag_bits or method != member.compress_type:
        yield f"the header of {name} differs from the directory"
    later = bool(flags & _DESCRIBED_LATER)
    if not later and (crc != member.CRC or _differ(compressed, member.compress_size) or _differ(size, member.file_size)):
        yield f"the header of {name} differs from the directory"
    if any(_other_names(field, member) for field in (extra, member.extra)):
        yield f"{name} has a second name"
    end: int = member.header_offset + _LOCAL.size + name_length + extra_length + member.compress_size
    if later:
        file.seek(end)
        end += _descriptor(file.read(24), member)
    return end


def _differ(written: int, told: int) -> bool:
    """Whether two sizes differ; one that does not fit stands in an extra field."""
    return written not in (told, _FULL_32)


def _raw_name(member: zipfile.ZipInfo) -> bytes:
    """The name as the directory has it: `zipfile` decodes it, and cuts it at a null byte."""
    return member.orig_filename.encode("utf-8" if member.flag_bits & 0x800 else "cp437")


def _other_names(extra: bytes, member: zipfile.ZipInfo) -> bool:
    """Whether an extra field gives the member a name that is not its own."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == _OTHER_NAME and extra[at + 9 : at + 4 + length] != member.filename.encode(errors="replace"):
            return True
        at += 4 + length
    return False


def _descriptor(data: bytes, member: zipfile.ZipInfo) -> int:
    """How many of these bytes are the data descriptor of a member: with or without its mark, with sizes of 4 or 8 bytes; 0 for none."""
    for mark in (_MARK, b""):
        for sizes in ("<LLL", "<LQQ"):
            if sizes == "<LLL" and max(member.compress_size, member.file_size) > _FULL_32:
                continue
            expected = mark + struct.pack(sizes, member.CRC, member.compress_size, member.file_size)
            if data.startswith(expected):
                return len(expected)
    return 0
