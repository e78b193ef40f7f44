"""Databases in the cache folder: made where there are none, made anew where they are damaged, and never larger than they may be.

Each has one table with a column `used`, the day (since 1970) on which an entry was last wanted; what was not wanted for longest goes
first. Many processes may have them open at once.
"""

import os
import re
import sqlite3
import zlib
from contextlib import suppress
from pathlib import Path

from shipsafe.adapters.files import MEBIBYTE
from shipsafe.errors import ConfigError

_VARIABLE = "SHIPSAFE_CACHE_SIZE"
_DEFAULT = 2048 * MEBIBYTE
_UNITS = {"": 1, "K": 1024, "M": MEBIBYTE, "G": 1024 * MEBIBYTE}
_SIZE = re.compile(r"(\d{1,9})\s*([KMG]?)i?B?", re.IGNORECASE)
_WAIT = 60.0  # seconds for others that write: on a busy machine twenty of them take turns
_ANSWERS, _MEMBERS = 8, 4  # an eighth of the cache for answers, all but a quarter for members; the rest is for advisories
_FULL = 0.8  # how much is left after something had to go


def largest() -> int:
    """How many bytes the cache may take: `SHIPSAFE_CACHE_SIZE` (`500M`, `2G`), else 2 GiB.

    Raises:
        ConfigError: it is no size.
    """
    told = os.environ.get(_VARIABLE)
    return size_of(told) if told else _DEFAULT


def largest_of(table: str, most: int) -> int:
    """How many bytes of a cache of `most` bytes one table (`answer`, `member`) may take."""
    return most // _ANSWERS if table == "answer" else most - most // _MEMBERS


def size_of(text: str) -> int:
    """`500M`, `2G`, `1048576` in bytes.

    Raises:
        ConfigError: it is no size.
    """
    matched = _SIZE.fullmatch(text.strip())
    if not matched:
        raise ConfigError(f"{text[:40]!r} is not a size.", remedy="Write 500M or 2G, for example.")
    return int(matched[1]) * _UNITS[matched[2].upper()]


def open_base(path: Path, schema: str) -> sqlite3.Connection:
    """A database with that table, made where there is none, and made anew where it is damaged or has another table.

    Raises:
        sqlite3.Error, OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    for last in (False, True):
        base = sqlite3.connect(path, timeout=_WAIT, check_same_thread=False)
        try:
            _prepare(base, schema)
        except sqlite3.DatabaseError as error:
            base.close()
            if last or isinstance(error, sqlite3.OperationalError):
                raise
            path.unlink(missing_ok=True)
        else:
            return base
    raise sqlite3.DatabaseError  # not reached: the second attempt returns or raises


def _prepare(base: sqlite3.Connection, schema: str) -> None:
    version = zlib.crc32(schema.encode()) & 0x7FFFFFFF
    found = base.execute("pragma user_version").fetchone()[0]
    if found not in (0, version):
        raise sqlite3.DatabaseError("a table of another shipsafe")
    # A crash of the machine may damage the file, which is then made anew: it is a cache.
    base.execute("pragma synchronous = off")
    if found == 0:
        base.execute("pragma auto_vacuum = incremental")
        base.execute(schema)
        base.execute(f"pragma user_version = {version}")


def keep_below(base: sqlite3.Connection, path: Path, table: str, most: int) -> int:
    """Evict what was not wanted for longest until the file is no larger than `most` bytes; gives how many entries went."""
    with suppress(sqlite3.Error, OSError):
        if path.stat().st_size > most:
            return evict(base, table, int(most * _FULL))
    return 0


def evict(base: sqlite3.Connection, table: str, most: int, since: int = 0) -> int:
    """Remove what was last used before the day `since`, then the oldest until values take no more than `most` bytes.

    Raises:
        sqlite3.Error: the file cannot be written, or is damaged.
    """
    value = {"answer": "value", "member": "data"}[table]
    with base:
        gone = base.execute(f"delete from {table} where used < ?", (since,)).rowcount  # noqa: S608 - one of two names of ours
        running = f"select key, sum(length({value})) over (order by used desc, key) as running from {table}"  # noqa: S608 - likewise
        gone += base.execute(f"delete from {table} where key in (select key from ({running}) where running > ?)", (most,)).rowcount  # noqa: S608
    base.executescript("pragma incremental_vacuum")  # as a statement it gives back one page only
    return gone
