"""Staged tree -> zip: the same bytes on any machine, for any user, umask, time zone, checkout path and order of files.

    archive = pack(tree, private_folder / "package.zip")
    archive.code_sha256  # what Lambda will report as CodeSha256

Members are compressed by several threads and written in the order of the bytes of their paths. At any moment all archives together
hold in memory no more than `_AHEAD` bytes of members that were read but not yet written, and each at least one member; a member over
64 MiB goes in parts through a temporary file. Every member's SHA-256 is compared with the one it was audited under while it is read:
what was looked at is what is packed. Why these bytes and no others: docs/adr/0003-archive-bytes.md.
"""

import base64
import hashlib
import os
import zlib
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO

import deflate

from shipsafe.adapters.files import MEBIBYTE, disk_errors
from shipsafe.errors import IncompleteError, IntegrityError, ShipsafeError
from shipsafe.model.artifact import Archive
from shipsafe.model.tree import Entry, Origin, StagedTree, has_control
from shipsafe.packing.large import compress_parts
from shipsafe.packing.members import Members, Packed
from shipsafe.packing.room import Room
from shipsafe.packing.zip_records import DEFLATED, LONGEST_NAME, STORED, Member, central_header, end_records, local_header

LEVEL = 6
LARGE = 64 * MEBIBYTE  # a member over this goes through zlib in parts; libdeflate takes whole buffers only
_AHEAD = 96 * MEBIBYTE
_AHEAD_MEMBERS = 256
_ROOM = Room(_AHEAD)
_CHUNK = MEBIBYTE
_SECRET = MEBIBYTE  # a file of code that is smaller may be a secret


def pack(tree: StagedTree, destination: Path, members: Members | None = None) -> Archive:
    """Write the archive of a tree.

    Args:
        tree: what will ship; `entries` may stand in any order.
        destination: a file that does not exist yet, in a private folder; a folder of its own beside it holds large members
            while they are compressed.
        members: compressed bytes that are known already, of `compressor()`; None compresses everything.

    Raises:
        IntegrityError: a file is no longer what it was when the tree was staged.
        IncompleteError: a file cannot be read, a name cannot stand in a zip, or the disk is full.
    """
    entries = sorted(tree.entries, key=lambda entry: entry.path.encode())
    _check_names(entries)
    with disk_errors(destination):
        file = destination.open("xb")
    sink = _Sink(file)
    try:
        with disk_errors(destination), file:
            written = _write(_Job(tree=tree, entries=entries, members=members, spill=_spill(destination)), sink)
    except ShipsafeError:
        destination.unlink(missing_ok=True)
        raise
    return Archive(
        subject=tree.subject,
        path=destination,
        sha256=sink.sha256.hexdigest(),
        sha512=sink.sha512.hexdigest(),
        code_sha256=base64.b64encode(sink.sha256.digest()).decode(),
        content_digest=tree.content_digest,
        size=sink.size,
        unzipped=tree.size,
        entries=len(written),
        compressor=compressor(large=any(entry.size > LARGE for entry in entries)),
    )


def _check_names(entries: Iterable[Entry]) -> None:
    """Staging gives no such names; a zip with one would unpack differently from tool to tool."""
    seen: set[str] = set()
    for entry in entries:
        parts = entry.path.split("/")
        if "\\" in entry.path or has_control(entry.path) or any(part in ("", ".", "..") for part in parts):
            raise IncompleteError(f"The name {entry.path!r} cannot stand in a zip.", remedy="Rename the file.")
        if entry.path in seen or len(entry.path.encode()) > LONGEST_NAME:
            raise IncompleteError(f"The name {entry.path[:200]!r} is there twice, or too long.", remedy="Rename the file.")
        seen.add(entry.path)


@cache
def compressor(*, large: bool = False) -> str:
    """Whose bytes these are. `deflate` links a libdeflate of its own, so its version names both. `large`: zlib's are among them."""
    label = f"libdeflate (deflate {version('deflate')}) level {LEVEL}"
    return f"{label}, zlib {zlib.ZLIB_RUNTIME_VERSION} level {LEVEL} over {LARGE // MEBIBYTE} MiB" if large else label


def _spill(destination: Path) -> Path:
    return destination.with_name(f"{destination.name}.large")


@dataclass(slots=True)
class _Sink:
    """The archive while it grows, with its digests."""

    file: BinaryIO
    size: int = 0
    sha256: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    sha512: "hashlib._Hash" = field(default_factory=hashlib.sha512)

    def write(self, data: bytes | bytearray) -> None:
        self.file.write(data)
        self.sha256.update(data)
        self.sha512.update(data)
        self.size += len(data)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ready:
    """A member that is ready to be written: its data in memory, or in a file when it is large."""

    member: Member
    data: bytes | bytearray | Path


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """One archive: its tree, its entries in order, what is compressed already, and a folder for large members."""

    tree: StagedTree
    entries: list[Entry]
    members: Members | None
    spill: Path


def _write(job: _Job, sink: _Sink) -> list[Member]:
    directory = bytearray()
    written = []
    try:
        for ready in _compressed(job):
            directory += central_header(ready.member, sink.size)
            sink.write(local_header(ready.member))
            if isinstance(ready.data, Path):
                with ready.data.open("rb") as large:
                    while chunk := large.read(_CHUNK):
                        sink.write(chunk)
                ready.data.unlink()
            else:
                sink.write(ready.data)
            written.append(ready.member)
    finally:
        if job.spill.exists():
            for left in job.spill.iterdir():
                left.unlink()
            job.spill.rmdir()
    start = sink.size
    sink.write(directory)
    sink.write(end_records(len(written), len(directory), start))
    return written


def _compressed(job: _Job) -> Iterator[_Ready]:
    """The members in order, a bounded number of bytes ahead of the writer."""
    waiting: deque[tuple[Entry, Future[_Ready]]] = deque()

    def oldest() -> _Ready:
        done, future = waiting.popleft()
        try:
            return future.result()
        finally:
            _ROOM.give_back(done.size)

    with ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="pack") as pool:
        try:
            for number, entry in enumerate(job.entries):
                large = entry.size > LARGE
                while waiting and (large or len(waiting) >= _AHEAD_MEMBERS or not _ROOM.take(entry.size, anyway=False)):
                    yield oldest()
                if large:  # nothing waits before it, and the whole pool is its own
                    yield _large(job, entry, number, pool)
                    continue
                if not waiting:
                    _ROOM.take(entry.size, anyway=True)
                waiting.append((entry, pool.submit(_ready, job, entry)))
            while waiting:
                yield oldest()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            for entry, _ in waiting:
                _ROOM.give_back(entry.size)


def _ready(job: _Job, entry: Entry) -> _Ready:
    if job.members is None or _may_be_secret(entry):
        packed = _compress(job, entry)
    else:
        packed = job.members.get(entry.sha256, entry.size, lambda: _compress(job, entry))
    member = _member(entry, DEFLATED if packed.deflated else STORED, packed.crc, len(packed.data))
    return _Ready(member=member, data=packed.data)


def _may_be_secret(entry: Entry) -> bool:
    """Whether its bytes are kept from the cache: somebody may have left a key among the code. Small files cost nothing to compress."""
    return entry.origin is Origin.CODE and entry.size < _SECRET


def _compress(job: _Job, entry: Entry) -> Packed:
    job.tree.materialise()
    content = _whole(entry)
    small = deflate.deflate_compress(content, LEVEL) if content else content
    deflated = len(small) < len(content)
    return Packed(data=small if deflated else content, crc=deflate.crc32(content), deflated=deflated)


def _large(job: _Job, entry: Entry, number: int, pool: Executor) -> _Ready:
    """Compress in parts into a file; where that does not make it smaller, into the same file as it is."""
    job.tree.materialise()
    job.spill.mkdir(mode=0o700, exist_ok=True)
    target = job.spill / str(number)
    with target.open("xb") as file:
        written = compress_parts(_read(entry), file, level=LEVEL, pool=pool, members=job.members)
        if written.size < entry.size:
            return _Ready(member=_member(entry, DEFLATED, written.crc, written.size), data=target)
        file.seek(0)
        file.truncate()
        for chunk in _read(entry):
            file.write(chunk)
    return _Ready(member=_member(entry, STORED, written.crc, entry.size), data=target)


def _member(entry: Entry, method: int, crc: int, compressed: int) -> Member:
    return Member(name=entry.path, mode=entry.mode, method=method, crc=crc, size=entry.size, compressed=compressed)


def _whole(entry: Entry) -> bytes:
    """The content of a small member, which must be what was audited.

    Raises:
        as `_read`.
    """
    with _opened(entry) as file:
        content = file.read(entry.size + 1)
    if len(content) != entry.size or hashlib.sha256(content).hexdigest() != entry.sha256:
        raise _changed(entry)
    return content


def _read(entry: Entry) -> Iterator[bytes]:
    """The content in pieces, which must add up to what was audited.

    Raises:
        IntegrityError: they do not, or the file is gone.
    """
    digest = hashlib.sha256()
    left = entry.size
    with _opened(entry) as file:
        while chunk := file.read(min(_CHUNK, left + 1)):
            left -= len(chunk)
            if left < 0:
                break
            digest.update(chunk)
            yield chunk
    if left or digest.hexdigest() != entry.sha256:
        raise _changed(entry)


@contextmanager
def _opened(entry: Entry) -> Generator[BinaryIO]:
    """Its file, whose failures become ours."""
    try:
        with entry.source.open("rb") as file:
            yield file
    except FileNotFoundError as error:
        raise _changed(entry) from error
    except OSError as error:
        raise IncompleteError(
            f"{entry.path} cannot be read: {error.strerror or error}.", remedy="Check the disk and build again."
        ) from error


def _changed(entry: Entry) -> IntegrityError:
    return IntegrityError(
        f"{entry.path} changed between being audited and being packed.",
        remedy="Find out which program writes to the folder of temporary files, then build again.",
        path=entry.location.path if entry.location else None,
    )
