"""Members that are too large for one buffer: compressed in parts, by all processors, and never held in memory.

libdeflate takes whole buffers only, so zlib does it, as pigz does: each part starts with the last 32 KiB before it as its dictionary and
ends on a byte, so that the parts one after the other are one stream. Where the parts begin is fixed, and so are the bytes for one zlib.
Source: RFC 1951, https://zlib.net/manual.html (Z_SYNC_FLUSH, deflateSetDictionary).
"""

import hashlib
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO

from shipsafe.adapters.files import MEBIBYTE
from shipsafe.packing.members import Members, Packed

PART = 4 * MEBIBYTE
_WINDOW = 32 * 1024  # bytes that deflate looks back
_AHEAD = 8  # parts that are read and not yet written


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a large member became: bytes in the file, and the CRC-32 of its content."""

    size: int
    crc: int


def compress_parts(pieces: Iterable[bytes], target: BinaryIO, *, level: int, pool: Executor, members: Members | None) -> Written:
    """Write the deflated content of a member.

    Args:
        pieces: the content, in pieces of any size; whatever they raise is raised here.
        target: where the stream goes.
        level: zlib's.
        pool: compresses several parts at once.
        members: parts that earlier runs compressed.
    """
    waiting: deque[Future[Packed]] = deque()
    crc = size = 0
    before = b""
    for part, last in _with_last(_parts(pieces)):
        crc = zlib.crc32(part, crc)
        waiting.append(pool.submit(_packed, part, before, level, last=last, members=members))
        before = part[-_WINDOW:]
        while len(waiting) >= _AHEAD:
            size += target.write(waiting.popleft().result().data)
    while waiting:
        size += target.write(waiting.popleft().result().data)
    return Written(size=size, crc=crc)


def _packed(part: bytes, before: bytes, level: int, *, last: bool, members: Members | None) -> Packed:
    """One part, as an earlier run kept it if there is one."""

    def compress() -> Packed:
        return Packed(data=_compress(part, before, level, last=last), crc=zlib.crc32(part), deflated=True)

    if members is None:
        return compress()
    digest = hashlib.sha256(before)
    digest.update(part)
    return members.get(f"part {zlib.ZLIB_RUNTIME_VERSION} {level} {last} {digest.hexdigest()}", len(part), compress)


def _compress(part: bytes, before: bytes, level: int, *, last: bool) -> bytes:
    packer = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS, zdict=before) if before else _first(level)
    return packer.compress(part) + packer.flush(zlib.Z_FINISH if last else zlib.Z_SYNC_FLUSH)


def _first(level: int) -> "zlib._Compress":
    return zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)


def _parts(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The content in parts of `PART` bytes; the last may be shorter."""
    gathered = bytearray()
    for piece in pieces:
        gathered += piece
        while len(gathered) >= PART:
            yield bytes(gathered[:PART])
            del gathered[:PART]
    if gathered:
        yield bytes(gathered)


def _with_last(parts: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each part, and whether it is the last."""
    held = next(parts, b"")
    for part in chain(parts, (None,)):
        yield held, part is None
        if part is not None:
            held = part
