"""The entries of a zip, read so that no two readers can see different ones.

The signature of AWS Signer covers names and bodies, in the order of the archive, and nothing else. Whatever lets one reader find other
entries than the next is therefore refused, although some reader would take it: bytes before, between or behind the entries, entries that
overlap, a directory that says something else than the headers in front of the data, two entries of one path, names that hide a second one.

    for entry in read_entries(file):
        for chunk in content(file, entry): ...

Source: PKWARE, APPNOTE.TXT 6.3.10, sections 4.3 to 4.5.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO

from shipsafe.adapters.files import MEBIBYTE
from shipsafe.signing.zip_end import exactly, find_directory, wrong

STORED = 0
DEFLATED = 8

_LARGEST = 512 * MEBIBYTE  # bytes, zipped and unzipped: twice what Lambda takes
_CHUNK = 256 * 1024
_FULL_32 = 0xFFFFFFFF
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_FIELD = struct.Struct("<2H")
_EIGHT = struct.Struct("<Q")
_ENCRYPTED, _DESCRIPTOR, _PATCHED, _STRONG, _UTF8, _MASKED = 1, 1 << 3, 1 << 5, 1 << 6, 1 << 11, 1 << 13
_HIDDEN = _ENCRYPTED | _STRONG | _MASKED
_COMPARED = _HIDDEN | _PATCHED | _DESCRIPTOR | _UTF8
_ZIP64, _UNICODE_PATH = 0x0001, 0x7075
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")  # of ASCII
_NEWEST = 63  # 4.4.3, times ten: unzip and Python's zipfile leave out or refuse what needs a later version
_DESCRIPTORS = {12: "<3L", 16: "<4s3L", 20: "<L2Q", 24: "<4sL2Q"}  # 4.3.9: with and without its mark, with sizes of four and eight bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry. `size` and `compressed` are bytes; `offset` is where its data begins; a folder's name ends in "/".

    `mode` is its kind and rights as `stat` has them, 0 where the zip says none; no signature covers it.
    """

    name: str
    method: int
    crc: int
    size: int
    compressed: int
    offset: int
    mode: int = 0


@dataclass(frozen=True, slots=True)
class _Record:
    """A record of the central directory; `header` is where the local header begins."""

    name: bytes
    flags: int
    method: int
    crc: int
    size: int
    compressed: int
    header: int
    mode: int


def read_entries(file: IO[bytes]) -> tuple[Entry, ...]:
    """The entries in the order of the archive; their bodies are not read.

    Raises:
        IntegrityError: it is no zip, or one that two readers could read in two ways, or it is larger than Lambda could take.
    """
    size = file.seek(0, 2)
    if size > _LARGEST:
        raise wrong(f"The file has more than {_LARGEST // MEBIBYTE} MiB.")
    start, end, count = find_directory(file, size)
    file.seek(start)
    records = list(_records(exactly(file, end - start), count))
    if sum(record.size for record in records) > _LARGEST:
        raise wrong(f"The zip has more than {_LARGEST // MEBIBYTE} MiB unpacked.")
    _check_names(records)
    here, entries = 0, []
    for record, following in zip(records, [*(record.header for record in records), start][1:], strict=True):
        if record.header != here:
            raise wrong(_apart(record, here))
        entries.append(_entry(file, record, following))
        here = following
    if here != start:
        raise wrong("The zip holds bytes that belong to no entry.")
    return tuple(entries)


def content(file: IO[bytes], entry: Entry) -> Iterator[bytes]:
    """The body of an entry in chunks; never more than it says of itself.

    Raises:
        IntegrityError: it has another size or checksum than it says, or cannot be unpacked. What came before is then worth nothing.
    """
    size = crc = 0
    for chunk in _inflated(file, entry) if entry.method == DEFLATED else _stored(file, entry):
        size += len(chunk)
        if size > entry.size:
            break
        crc = zlib.crc32(chunk, crc)
        yield chunk
    if size != entry.size or crc != entry.crc:
        raise wrong(f"The content of {shown(entry.name)} has another size or checksum than the zip says.")


def shown(name: str | bytes) -> str:
    """A name from outside, for a message."""
    return ascii(name[:120]).removeprefix("b")


def _records(directory: bytes, count: int) -> Iterator[_Record]:
    at = 0
    for _ in range(count):
        if len(directory) - at < _CENTRAL.size:
            raise wrong("The zip's directory has fewer records than it says.")
        mark, _, needs, flags, method, _, _, crc, compressed, size, name, extra, comment, disk, _, rights, header = _CENTRAL.unpack_from(
            directory, at
        )
        begin = at + _CENTRAL.size
        at = begin + name + extra + comment
        if mark != b"PK\x01\x02" or at > len(directory) or disk:
            raise wrong("The zip's directory is damaged.")
        text = directory[begin : begin + name]
        fields = _extra(directory[begin + name : begin + name + extra], text)
        size, compressed, header = _large(fields, (size, compressed, header), text)
        if flags & _HIDDEN:
            raise wrong(f"The entry {shown(text)} is encrypted.")
        if needs & 0xFF > _NEWEST:  # the upper byte is the system that made it
            raise wrong(_too_new(text, needs))
        if text.endswith(b"/") and size:  # what is signed of it could be signed of the file `lib/x` just as well
            raise wrong(f"The folder {shown(text)} has content.")
        if flags & _PATCHED or method not in (STORED, DEFLATED) or (method == STORED and size != compressed):
            raise wrong(f"The entry {shown(text)} is compressed in a way that Lambda does not unpack.")
        yield _Record(text, flags, method, crc, size, compressed, header, rights >> 16)
    if at != len(directory):
        raise wrong("The zip's directory has more in it than its records.")


def _extra(data: bytes, name: bytes) -> dict[int, bytes]:
    """The extra fields that matter: another size, or another name."""
    fields: dict[int, bytes] = {}
    at = 0
    while len(data) - at >= _FIELD.size:  # some tools pad with up to three zeros
        kind, length = _FIELD.unpack_from(data, at)
        at += _FIELD.size
        body = data[at : at + length]
        at += length
        if kind in (_ZIP64, _UNICODE_PATH) and (kind in fields or len(body) != length):
            raise wrong(f"The records of {shown(name)} are damaged.")
        if kind in (_ZIP64, _UNICODE_PATH):
            fields[kind] = body
    if fields.get(_UNICODE_PATH, b"....." + name)[5:] != name:  # 4.6.9: version, checksum, name
        raise wrong(f"The entry {shown(name)} has a second name.")
    return fields


def _large(fields: dict[int, bytes], values: tuple[int, ...], name: bytes) -> tuple[int, ...]:
    """The values, with those that are full taken from the zip64 field, in its order."""
    field, found = fields.get(_ZIP64, b""), []
    for value in values:
        if value == _FULL_32 and _ZIP64 in fields:
            if len(field) < _EIGHT.size:
                raise wrong(f"The records of {shown(name)} are damaged.")
            value, field = _EIGHT.unpack_from(field)[0], field[_EIGHT.size :]  # noqa: PLW2901 - the value that the full one stands for
        found.append(value)
    return tuple(found)


def _check_names(records: list[_Record]) -> None:
    """No two entries of one path, and no name that a reader could take for another."""
    seen: set[str] = set()
    for record in records:
        try:
            name = record.name.decode()
        except UnicodeDecodeError as error:
            raise wrong(f"The name {shown(record.name)} is not UTF-8; what a signature says of it is not known.") from error
        path = path_of(name)
        if not name or name.startswith("/") or "\\" in name or _CONTROL.search(name) or (".." in path and ".." in path.split("/")):
            raise wrong(f"The entry {shown(name)} leads out of the zip or cannot be named.")
        if path in seen:
            raise wrong(f"The entry {shown(name)} stands in the zip twice.")
        seen.add(path)


def path_of(name: str) -> str:
    """The path that a name stands for: `a/b` for `a/b/`, `./a/b` and `a//b`, which are one to whoever unpacks them."""
    plain = "//" not in name and "./" not in name and not name.endswith(".")
    return name.removesuffix("/") if plain else PurePosixPath(name).as_posix()


def _entry(file: IO[bytes], record: _Record, following: int) -> Entry:
    """The entry of a record, after its local header and what stands behind its data say the same."""
    name = shown(record.name)
    file.seek(record.header)
    mark, needs, flags, method, _, _, crc, compressed, size, length, extra = _LOCAL.unpack(exactly(file, _LOCAL.size))
    text = exactly(file, length)
    fields = _extra(exactly(file, extra), text)
    size, compressed = _large(fields, (size, compressed), text)
    later = bool(flags & _DESCRIPTOR)
    told = ((crc, record.crc), (size, record.size), (compressed, record.compressed))
    same = all(here == there or (later and here == 0) for here, there in told)
    if mark != b"PK\x03\x04" or text != record.name or method != record.method or (flags ^ record.flags) & _COMPARED or not same:
        raise wrong(f"The zip says two things of {name}: its directory differs from the header in front of the data.")
    if needs & 0xFF > _NEWEST:
        raise wrong(_too_new(text, needs))
    offset = record.header + _LOCAL.size + length + extra
    rest = following - offset - record.compressed
    if rest < 0:
        raise wrong(f"The entry {name} overlaps the next.")
    file.seek(offset + record.compressed)
    if later:
        shape = _DESCRIPTORS.get(rest)
        values = struct.unpack(shape, exactly(file, rest)) if shape else ()
        if values[-3:] != (record.crc, record.compressed, record.size) or values[:-3] not in ((), (b"PK\x07\x08",)):
            raise wrong(f"The zip says two things of {name}: its directory differs from the record behind the data.")
    elif rest:
        raise wrong(f"There are bytes behind {name} that belong to no entry.")
    return Entry(name=record.name.decode(), method=method, crc=record.crc, size=record.size, compressed=record.compressed, offset=offset,
                 mode=record.mode)  # fmt: skip


def _too_new(name: bytes, needs: int) -> str:
    return f"The entry {shown(name)} asks for version {(needs & 0xFF) / 10} of the zip format, which no reader knows."


def _apart(record: _Record, here: int) -> str:
    if here == 0:
        return "There are bytes before the first entry of the zip, or its entries stand in another order than its directory says."
    return f"The entry {shown(record.name)} does not begin where the one before it ends."


def _stored(file: IO[bytes], entry: Entry) -> Iterator[bytes]:
    end = entry.offset + entry.compressed
    for at in range(entry.offset, end, _CHUNK):
        file.seek(at)  # another entry may be read in between
        yield exactly(file, min(end - at, _CHUNK))


def _inflated(file: IO[bytes], entry: Entry) -> Iterator[bytes]:
    """Raw deflate that ends exactly where the entry does; memory stays at a chunk, whatever a bomb says."""
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    at, end = entry.offset, entry.offset + entry.compressed
    try:
        while at < end and not stream.eof:
            file.seek(at)  # likewise
            data = exactly(file, min(end - at, _CHUNK))
            at += len(data)
            yield stream.decompress(data, _CHUNK)
            while stream.unconsumed_tail and not stream.eof:
                yield stream.decompress(stream.unconsumed_tail, _CHUNK)
        while not stream.eof and (last := stream.decompress(b"", _CHUNK)):
            yield last
    except zlib.error as error:
        raise wrong(f"The content of {shown(entry.name)} cannot be unpacked.") from error
    if not stream.eof or stream.unused_data or at != end:
        raise wrong(f"The content of {shown(entry.name)} ends before or behind where the zip says.")
