"""What can be done to the bytes of a zip, each without any help of our own reader.

    members, at = taken_apart(archive)          # with Python's zipfile
    put_together(members)                       # with the records of packing/zip_records.py: the same bytes again

A change keeps everything else as it was, so that only what it is about can be noticed.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace

from shipsafe.packing.zip_records import DEFLATED, STORED, Member, central_header, end_records, local_header

ENTRY = "META_INF/aws_signer_signature_v1.0.SF"
Change = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """An entry: what its records say, and its data as it stands there. `between` are bytes behind its data."""

    member: Member
    data: bytes
    between: bytes = b""
    local_name: str | None = None

    @property
    def name(self) -> str:
        return self.member.name

    @property
    def mode(self) -> int:
        """As a content digest has it: a file, or one that may be executed."""
        return 0o100755 if self.member.mode & 0o100 else 0o100644

    @property
    def body(self) -> bytes:
        return zlib.decompress(self.data, -15) if self.member.method == DEFLATED else self.data


def part(name: str, body: bytes, *, mode: int = 0o100644, stored: bool = False, level: int = 6) -> Part:
    """An entry that is whole."""
    packer = zlib.compressobj(level, zlib.DEFLATED, -15)
    data = body if stored else packer.compress(body) + packer.flush()
    member = Member(name=name, mode=mode, method=STORED if stored else DEFLATED, crc=zlib.crc32(body), size=len(body), compressed=len(data))
    return Part(member=member, data=data)


def taken_apart(archive: bytes) -> list[Part]:
    """The entries of a zip that has no surprises."""
    found = []
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        for info in file.infolist():
            at = info.header_offset
            length, extra = struct.unpack_from("<2H", archive, at + 26)
            begin = at + 30 + length + extra
            member = Member(
                name=info.filename,
                mode=info.external_attr >> 16,
                method=info.compress_type,
                crc=info.CRC,
                size=info.file_size,
                compressed=info.compress_size,
            )
            found.append(Part(member=member, data=archive[begin : begin + info.compress_size]))
    return found


def put_together(parts: list[Part], *, before: bytes = b"", behind_entries: bytes = b"", comment: bytes = b"") -> bytes:
    """A zip of those entries, in that order."""
    data, offsets = bytearray(before), []
    for one in parts:
        offsets.append(len(data))
        header = replace(one.member, name=one.local_name or one.name)
        data += local_header(header) + one.data + one.between
    data += behind_entries
    directory = b"".join(central_header(one.member, at) for one, at in zip(parts, offsets, strict=True))
    end = end_records(len(parts), len(directory), len(data))
    return bytes(data) + directory + end[:-2] + struct.pack("<H", len(comment)) + comment


def changed(archive: bytes, change: Callable[[list[Part]], list[Part]]) -> bytes:
    """The zip with other entries."""
    return put_together(change(taken_apart(archive)))


def byte_changed(archive: bytes) -> bytes:
    """One bit in the data of the first entry, whose checksum is now another."""
    at = archive.index(taken_apart(archive)[0].data) + 3
    return archive[:at] + bytes([archive[at] ^ 1]) + archive[at + 1 :]


def body_changed(archive: bytes) -> bytes:
    """Another program in the first entry, with everything else right."""
    return changed(archive, lambda parts: [part(parts[0].name, parts[0].body.replace(b"return", b"raise "), mode=_mode(parts)), *parts[1:]])


def added(archive: bytes) -> bytes:
    """One more module, before the signature where there is one."""
    extra = part("zzz.py", b"import socket\n")
    return changed(archive, lambda parts: _before_signature(parts, [extra]))


def removed(archive: bytes) -> bytes:
    return changed(archive, lambda parts: [one for number, one in enumerate(parts) if number != 1])


def renamed(archive: bytes) -> bytes:
    return changed(archive, lambda parts: [_named(parts[0], f"x{parts[0].name[1:]}"), *parts[1:]])


def reordered(archive: bytes) -> bytes:
    return changed(archive, lambda parts: [parts[1], parts[0], *parts[2:]])


def duplicated(archive: bytes) -> bytes:
    """The first entry again, with another body: one reader takes the first, another one the last."""
    again = part(taken_apart(archive)[0].name, b"import os\nos.system('id')\n")
    return changed(archive, lambda parts: _before_signature(parts, [again]))


def mode_changed(archive: bytes) -> bytes:
    """The first entry may be executed, and written by everybody: no signature of AWS's covers that."""
    return changed(archive, lambda parts: [replace(parts[0], member=replace(parts[0].member, mode=0o100777)), *parts[1:]])


def recompressed(archive: bytes) -> bytes:
    """Every entry stored as it is: the same names and bodies, and another zip."""
    return changed(archive, lambda parts: [part(one.name, one.body, mode=one.member.mode, stored=True) for one in parts])


def shifted(archive: bytes) -> bytes:
    """The first letter of a file goes to its name: what is signed is the same, one byte after the other."""

    def shift(parts: list[Part]) -> list[Part]:
        first = parts[0]
        letter, body = first.body[:1].decode(), first.body[1:]
        return [part(first.name + letter, body, mode=first.member.mode), *parts[1:]]

    return changed(archive, shift)


def before_entries(archive: bytes) -> bytes:
    return put_together(taken_apart(archive), before=b"#!/bin/sh\nid\n")


def between_entries(archive: bytes) -> bytes:
    parts = taken_apart(archive)
    return put_together([replace(parts[0], between=b"hidden bytes"), *parts[1:]])


def behind_entries(archive: bytes) -> bytes:
    return put_together(taken_apart(archive), behind_entries=b"hidden bytes")


def behind_the_end(archive: bytes) -> bytes:
    return archive + b"hidden bytes"


def with_comment(archive: bytes) -> bytes:
    return put_together(taken_apart(archive), comment=b"hello")


def two_names(archive: bytes) -> bytes:
    """The directory calls it as before, and the header in front of the data otherwise."""
    parts = taken_apart(archive)
    name = f"x{parts[0].name[1:]}"
    return put_together([replace(parts[0], local_name=name), *parts[1:]])


def newer_format(archive: bytes) -> bytes:
    """An entry that asks for a format that no reader has: some leave it out."""
    at = archive.index(b"PK\x01\x02") + 6
    return archive[:at] + bytes([99]) + archive[at + 1 :]


def without_signature(archive: bytes) -> bytes:
    return changed(archive, lambda parts: [one for one in parts if one.name not in ("META_INF/", ENTRY)])


def with_signature_of(archive: bytes, other: bytes) -> bytes:
    """The entries of the one under the signature of the other."""
    (theirs,) = (one for one in taken_apart(other) if one.name == ENTRY)
    return changed(archive, lambda parts: [theirs if one.name == ENTRY else one for one in parts])


def _mode(parts: list[Part]) -> int:
    return parts[0].member.mode


def _named(one: Part, name: str) -> Part:
    return replace(one, member=replace(one.member, name=name))


def _before_signature(parts: list[Part], extra: list[Part]) -> list[Part]:
    at = next((number for number, one in enumerate(parts) if one.name == "META_INF/"), len(parts))
    return [*parts[:at], *extra, *parts[at:]]
