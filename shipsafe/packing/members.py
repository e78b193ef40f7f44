"""Compressed bytes by content, so that nothing is compressed twice: not in a run, and not in the next.

What we wrote ourselves is known by a digest under the user's key. What comes from elsewhere, a cache that was restored from another
machine, is inflated and compared with the digest that was audited before it goes into an archive. So nobody who writes to this file
can change what ships.

    members = open_members(cache_folder)
    members.get(entry.sha256, entry.size, lambda: compress(entry))
"""

import hashlib
import hmac
import sqlite3
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import deflate

from shipsafe.adapters.files import MEBIBYTE
from shipsafe.adapters.kept import keep_below, largest, largest_of, open_base
from shipsafe.adapters.once import Once
from shipsafe.adapters.secret import secret

_FILE = "members.sqlite"
_SCHEMA = """create table if not exists member
    (key blob primary key, data blob not null, crc integer not null, mac blob not null, used integer not null)"""
_BATCH = 8 * MEBIBYTE  # bytes that wait for being written
_REMEMBERED = 32 * MEBIBYTE  # bytes that this run need not look at again


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """The bytes of one member: as they stand in a zip, deflated or as they are, and the CRC-32 of its content."""

    data: bytes | bytearray
    crc: int
    deflated: bool


@dataclass(slots=True)
class Members:
    """Compressed members: of this run in memory, of earlier ones on the disk. May be used from several threads.

    `label` names the compressor; bytes of another one are never given. `secret` is the user's key,
    `most` how many bytes they may take.
    """

    path: Path
    label: str
    secret: bytes
    most: int
    reused: int = 0
    _recent: OrderedDict[str, Packed] = field(default_factory=OrderedDict)
    _remembered: int = 0
    _waiting: dict[bytes, Packed] = field(default_factory=dict)
    _pending: int = 0
    _touched: set[bytes] = field(default_factory=set)
    _began_empty: bool = False
    _written: set[bytes] = field(default_factory=set)
    _underway: Once[str, Packed] = field(default_factory=Once)
    _lock: Lock = field(default_factory=Lock)
    _disk: Lock = field(default_factory=Lock)
    _base: sqlite3.Connection | None = None
    _today: int = field(default_factory=lambda: int(time.time()) // 86400)

    def get(self, sha256: str, size: int, compress: Callable[[], Packed]) -> Packed:
        """The bytes of a member; `compress` makes them when nobody has, and only one of several threads calls it.

        Args:
            sha256: hex, of its content (or any other name, under which only what we wrote ourselves is found).
            size: bytes of its content.
            compress: reads the content, compares it with its digest, and compresses it.

        Raises:
            IntegrityError, IncompleteError: as `compress` does.
        """
        with self._lock:
            if sha256 in self._recent:
                self._recent.move_to_end(sha256)
                self.reused += 1
                return self._recent[sha256]
        packed = self._underway.get(sha256, lambda: self._make(sha256, size, compress))
        self._underway.forget(sha256)
        return packed

    def _make(self, sha256: str, size: int, compress: Callable[[], Packed]) -> Packed:
        key = hashlib.sha256(f"{self.label}\0{sha256}\0{size}".encode()).digest()
        packed = self._find(key, sha256, size)
        if packed is None:
            packed = compress()
            self._keep(key, packed)
        self._remember(sha256, packed)
        return packed

    def flush(self) -> None:
        """Write what waits. A disk that refuses costs time in the next run and nothing else."""
        with self._disk, suppress(sqlite3.Error, OSError):
            with self._lock:
                waiting, self._waiting, self._pending = self._waiting, {}, 0
                touched, self._touched = self._touched, set()
            if not (waiting or touched):
                return
            base = self._connect()
            with base:
                base.executemany("update member set used = ? where key = ?", [(self._today, key) for key in touched])
                rows = ((key, one.data, one.crc, self._mac(key, one), self._today) for key, one in waiting.items())
                self._written.update(waiting)
                base.executemany("insert or replace into member values (?, ?, ?, ?, ?)", rows)

    def close(self) -> None:
        """Let go of the file, and of what is too much in it."""
        self.flush()
        with self._disk:
            if self._base is not None:
                keep_below(self._base, self.path, "member", self.most)
                self._base.close()
                self._base = None

    def _find(self, key: bytes, sha256: str, size: int) -> Packed | None:
        """What an earlier run kept, or this one did long ago, if it is what was audited."""
        if self._began_empty and key not in self._written:
            return None
        with self._disk:
            try:
                row = self._connect().execute("select data, crc, mac, used from member where key = ?", (key,)).fetchone()
            except (sqlite3.Error, OSError):
                row = None
        if row is None or not isinstance(row[0], bytes) or not isinstance(row[1], int) or not isinstance(row[2], bytes):
            return None
        packed = Packed(data=row[0], crc=row[1], deflated=len(row[0]) < size)
        ours = hmac.compare_digest(row[2], self._mac(key, packed))
        if not ours and not _is(packed, sha256, size):
            return None  # damaged, or put there by somebody: it is compressed again
        with self._lock:
            self.reused += 1
            if row[3] != self._today:
                self._touched.add(key)
        return packed

    def _keep(self, key: bytes, packed: Packed) -> None:
        with self._lock:
            self._waiting[key] = packed
            self._pending += len(packed.data)
            full = self._pending > _BATCH
        if full:
            self.flush()

    def _remember(self, sha256: str, packed: Packed) -> None:
        with self._lock:
            if sha256 in self._recent:
                return
            self._recent[sha256] = packed
            self._remembered += len(packed.data)
            while self._remembered > _REMEMBERED:
                _, oldest = self._recent.popitem(last=False)
                self._remembered -= len(oldest.data)

    def _mac(self, key: bytes, packed: Packed) -> bytes:
        made = hmac.new(self.secret, b"%s%d\0" % (key, packed.crc), "sha256")
        made.update(packed.data)
        return made.digest()

    def _connect(self) -> sqlite3.Connection:
        if self._base is None:
            self._base = open_base(self.path, _SCHEMA)
            self._began_empty = not self._written and self._base.execute("select 1 from member limit 1").fetchone() is None
        return self._base


def _is(packed: Packed, sha256: str, size: int) -> bool:
    """Whether bytes that somebody else may have written are those of the member, and nothing more."""
    content: bytes | bytearray = packed.data
    if packed.deflated:
        try:
            content = deflate.deflate_decompress(packed.data, size)
            # A stream that is whole without its last byte has something behind its end, which another reader might believe.
            deflate.deflate_decompress(packed.data[:-1], size)
        except (deflate.DeflateError, ValueError):
            pass
        else:
            return False
    right = len(content) == size and hashlib.sha256(content).hexdigest() == sha256
    return right and deflate.crc32(content) == packed.crc


def open_members(folder: Path, label: str) -> Members:
    """The members that are kept in a cache folder.

    Raises:
        ConfigError: `SHIPSAFE_CACHE_SIZE` is no size.
    """
    return Members(path=folder / _FILE, label=label, secret=secret(), most=largest_of("member", largest()))
