"""Staged tree -> zip whose bytes are the same on any machine, for any user, umask, time zone, path and order of files.

Members are sorted by the bytes of their path, dated 1980-01-01, 0644 or 0755, made by "Unix", without extra fields, comments or
folders. They are compressed by libdeflate, whose version is pinned because its bytes are our bytes (docs/adr/0003-archive-bytes.md);
members over 64 MB are streamed through zlib, so that no member has to fit into memory. Files are compressed several at once and
written in order.

Every file is hashed again on its way in: what differs from what the gates were asked about ends the run.
"""

import base64
import hashlib
import struct
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO

import deflate

from shipsafe.adapters.files import MEBIBYTE, disk_errors
from shipsafe.errors import IncompleteError, IntegrityError
from shipsafe.model.artifact import Archive
from shipsafe.model.tree import Entry, StagedTree

LEVEL = 6
_STREAMED = 64 * MEBIBYTE
_CHUNK = MEBIBYTE
_WORKERS = 2
_AHEAD = 8  # compressed members that may wait for their turn
_DOS_DATE = (1980 - 1980) << 9 | 1 << 5 | 1
_DEFLATED, _STORED = 8, 0
_UNIX = 3 << 8 | 20  # made by Unix, version 2.0
_UTF8 = 1 << 11
_LIMIT = 0xFFFFFFFF
_MANY = 0xFFFF  # members that the format counts without extensions


@dataclass(frozen=True, slots=True)
class _Member:
    """A compressed member: its method, check sum, sizes, and its bytes (in memory, or in a temporary file)."""

    entry: Entry
    method: int
    crc: int
    packed: int
    body: bytes | IO[bytes]


class _Sink:
    """The zip on its way to the disk: written, hashed and counted at once."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.sha256, self.sha512, self.size = hashlib.sha256(), hashlib.sha512(), 0

    def write(self, data: bytes) -> None:
        """Append."""
        self._file.write(data)
        self.sha256.update(data)
        self.sha512.update(data)
        self.size += len(data)


def pack(tree: StagedTree, destination: Path) -> Archive:
    """Write the tree as a zip.

    Raises:
        IntegrityError: a file is not the one that was looked at.
        IncompleteError: the disk is full, or the archive is larger than a zip without extensions can be (4 GiB).
    """
    entries = sorted(tree.entries, key=lambda entry: entry.path.encode())
    with disk_errors(destination), destination.open("xb") as file:
        sink = _Sink(file)
        directory = [_write(sink, member) for member in _members(entries)]
        _write_directory(sink, directory)
    return Archive(
        subject=tree.subject,
        path=destination,
        sha256=sink.sha256.hexdigest(),
        sha512=sink.sha512.hexdigest(),
        code_sha256=base64.b64encode(sink.sha256.digest()).decode(),
        content_digest=tree.content_digest,
        size=sink.size,
        unzipped=tree.size,
        entries=len(entries),
        compressor=f"deflate {version('deflate')} level {LEVEL}",
    )


def _members(entries: Iterable[Entry]) -> Iterator[_Member]:
    """Members in order, compressed a few ahead of the one that is written."""
    pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="compress")
    waiting: deque[Future[_Member]] = deque()
    try:
        for entry in entries:
            waiting.append(pool.submit(_compress, entry))
            if len(waiting) >= _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _compress(entry: Entry) -> _Member:
    if entry.size > _STREAMED:
        return _compress_streamed(entry)
    data = entry.source.read_bytes()
    _check(entry, hashlib.sha256(data).hexdigest())
    packed = bytes(deflate.deflate_compress(data, LEVEL)) if data else b""
    if len(packed) >= len(data):
        return _Member(entry, _STORED, zlib.crc32(data), len(data), data)
    return _Member(entry, _DEFLATED, zlib.crc32(data), len(packed), packed)


def _compress_streamed(entry: Entry) -> _Member:
    # The bytes of zlib can differ between versions of zlib; see the ADR for why that is accepted for members of this size.
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, -15)
    body: IO[bytes] = SpooledTemporaryFile(max_size=_CHUNK)  # noqa: SIM115 - closed by whoever writes it
    digest, crc = hashlib.sha256(), 0
    with entry.source.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            crc = zlib.crc32(chunk, crc)
            body.write(packer.compress(chunk))
    body.write(packer.flush())
    _check(entry, digest.hexdigest())
    packed = body.tell()
    body.seek(0)
    return _Member(entry, _DEFLATED, crc, packed, body)


def _check(entry: Entry, sha256: str) -> None:
    if sha256 != entry.sha256:
        raise IntegrityError(
            f"{entry.path} changed after it was examined.", remedy="Find out what writes there, and run again."
        )


def _write(sink: _Sink, member: _Member) -> bytes:
    """Write one member; gives its record for the directory at the end."""
    entry, offset = member.entry, sink.size
    name = entry.path.encode()
    flags = 0 if entry.path.isascii() else _UTF8
    if entry.size > _LIMIT or offset + member.packed > _LIMIT:
        raise IncompleteError("The package is larger than 4 GiB.", remedy="Lambda takes 250 MB; leave something out.")
    common = struct.pack("<HHHHIIIHH", flags, member.method, 0, _DOS_DATE, member.crc, member.packed, entry.size, len(name), 0)
    sink.write(b"PK\x03\x04" + struct.pack("<H", 20) + common + name)
    if isinstance(member.body, bytes):
        sink.write(member.body)
    else:
        with closing(member.body) as body:
            while chunk := body.read(_CHUNK):
                sink.write(chunk)
    tail = struct.pack("<HHHII", 0, 0, 0, entry.mode << 16, offset)
    return b"PK\x01\x02" + struct.pack("<HH", _UNIX, 20) + common + tail + name


def _write_directory(sink: _Sink, records: list[bytes]) -> None:
    start = sink.size
    for record in records:
        sink.write(record)
    size, count = sink.size - start, min(len(records), _MANY)
    if len(records) > _MANY:
        sink.write(_zip64_end(len(records), size, start, sink.size))
    sink.write(b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, count, count, size, start, 0))


def _zip64_end(count: int, size: int, start: int, here: int) -> bytes:
    """The zip64 records at the end, for more than 65,535 members."""
    end = struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, count, count, size, start)
    return b"PK\x06\x06" + end + b"PK\x06\x07" + struct.pack("<IQI", 0, here, 1)
