"""What one run learnt and the next may use: answers under the digest of everything that decided them.

An answer that decides something is believed only with a keyed digest, whose key lies in the user's configuration folder, not in
the cache: whoever can write to the cache, or restores another one in its place, can make us ask again and nothing else. Keys and
values are bound together, so an answer cannot be moved to another question. No key of ours says what it was made of.

    cache = open_cache(folder)
    cache.recall("outcome", parts)          # None: nobody asked that before, or what is kept is damaged
    cache.keep("outcome", parts, value)     # written when the run ends; losing it costs time, never an answer
"""

import hashlib
import hmac
import json
import sqlite3
import time
import zlib
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import shipsafe
from shipsafe.adapters.files import MEBIBYTE
from shipsafe.adapters.kept import keep_below, largest, largest_of, open_base
from shipsafe.adapters.secret import secret
from shipsafe.model.location import Location

_FILE = "answers.sqlite"
_LARGEST = 64 * MEBIBYTE  # bytes of an answer
_SCHEMA = """create table if not exists answer
    (key blob primary key, kind text not null, value blob not null, mac blob not null, used integer not null) without rowid"""


@dataclass(slots=True)
class Cache:
    """Answers of earlier runs, and those of this run until `flush`. May be used from several threads.

    `path` is the file, `secret` the key of the digests, `most` how many bytes it may take.
    """

    path: Path
    secret: bytes
    most: int
    fresh: dict[bytes, tuple[str, bytes]] = field(default_factory=dict)
    touched: set[bytes] = field(default_factory=set)
    _lock: Lock = field(default_factory=Lock)
    _base: sqlite3.Connection | None = None
    _today: int = field(default_factory=lambda: int(time.time()) // 86400)

    def recall(self, kind: str, question: object) -> Any | None:
        """The answer that was kept for a question (a JSON value), or None. What is damaged or not ours is nothing."""
        key = self._key(kind, question)
        with self._lock:
            found = self.fresh.get(key)
            row = None if found else self._row(key)
        value = found[1] if found else self._believed(row, key, kind)
        if value is None:
            return None
        if row and row[3] != self._today:
            with self._lock:
                self.touched.add(key)
        try:
            return json.loads(zlib.decompress(value))
        except (ValueError, zlib.error):
            return None

    def keep(self, kind: str, question: object, answer: object) -> None:
        """Keep a JSON value, or nouns (which come back as objects), for a question."""
        value = zlib.compress(canonical(answer), 1)
        if len(value) <= _LARGEST:
            with self._lock:
                self.fresh[self._key(kind, question)] = (kind, value)

    def key(self, kind: str, question: object) -> str:
        """A name for a question, in hex, that says nothing of what it was made of."""
        return self._key(kind, question).hex()

    def flush(self) -> None:
        """Write what this run learnt, in one transaction. A cache that cannot be written is not an error."""
        with self._lock, suppress(sqlite3.Error, OSError):
            if not (self.fresh or self.touched):
                return
            base = self._connect()
            if base is None:
                return
            with base:
                base.executemany("update answer set used = ? where key = ?", [(self._today, key) for key in self.touched])
                base.executemany(
                    "insert or replace into answer values (?, ?, ?, ?, ?)",
                    [(key, kind, value, self._mac(key, kind, value), self._today) for key, (kind, value) in self.fresh.items()],
                )
            self.fresh.clear()
            self.touched.clear()

    def close(self) -> None:
        """Let go of the file, and of what is too much in it."""
        with self._lock:
            if self._base is not None:
                keep_below(self._base, self.path, "answer", self.most)
                self._base.close()
                self._base = None

    def _key(self, kind: str, question: object) -> bytes:
        """Keyed, too: a question may hold values of a template that somebody could guess from a plain digest."""
        return hmac.digest(self.secret, canonical([program(), kind, question]), "sha256")

    def _mac(self, key: bytes, kind: str, value: bytes) -> bytes:
        return hmac.digest(self.secret, b"%s\0%s\0%s" % (key, kind.encode(), value), "sha256")

    def _row(self, key: bytes) -> tuple[Any, ...] | None:
        """What stands in the file under a key: kind, value, digest, and the day when it was last wanted."""
        base = self._connect()
        if base is None:
            return None
        try:
            row: tuple[Any, ...] | None = base.execute("select kind, value, mac, used from answer where key = ?", (key,)).fetchone()
        except sqlite3.OperationalError:  # another process writes: the file is as good as it was
            return None
        except sqlite3.Error:
            self._forget()
            return None
        return row

    def _believed(self, row: tuple[Any, ...] | None, key: bytes, kind: str) -> bytes | None:
        """The value, if it is ours; if it is not, it is written anew when the answer is known."""
        if row is None or row[0] != kind or not isinstance(row[1], bytes) or not isinstance(row[2], bytes):
            return None
        return row[1] if hmac.compare_digest(row[2], self._mac(key, kind, row[1])) else None

    def _connect(self) -> sqlite3.Connection | None:
        if self._base is None:
            with suppress(sqlite3.Error, OSError):
                self._base = open_base(self.path, _SCHEMA)
        return self._base

    def _forget(self) -> None:
        """A damaged file is dropped; it holds nothing that cannot be asked again."""
        if self._base is not None:
            self._base.close()
            self._base = None
        with suppress(OSError):
            self.path.unlink()


def canonical(value: object, *, lines: bool = True) -> bytes:
    """A value as bytes that are equal where the values are: JSON, with nouns as objects and sets in order.

    Without `lines`, values are also equal where things stand in other lines of the same files.
    """
    plain = _plain if lines else _without_lines
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=plain).encode(errors="surrogatepass")


def _plain(value: object) -> object:
    if is_dataclass(value):
        return {one.name: getattr(value, one.name) for one in fields(value) if one.compare}
    if isinstance(value, AbstractSet):
        return sorted(value, key=str)
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)


def _without_lines(value: object) -> object:
    return value.path if isinstance(value, Location) else _plain(value)


def open_cache(folder: Path) -> Cache:
    """The answers that are kept in a cache folder.

    Raises:
        ConfigError: `SHIPSAFE_CACHE_SIZE` is no size.
    """
    program()  # here, and not in many threads at once
    return Cache(path=folder / _FILE, secret=secret(), most=largest_of("answer", largest()))


@cache
def program() -> str:
    """A digest of shipsafe's own source, so that no answer of another version is ever used."""
    digest = hashlib.sha256(shipsafe.__version__.encode())
    folder = Path(shipsafe.__file__).parent
    for file in sorted((*folder.rglob("*.py"), *folder.rglob("data/*"))):
        if file.is_file():
            digest.update(f"{file.relative_to(folder).as_posix()}\0".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()
