"""What lies in the cache folder, and how to get rid of it. Everything there can be made again; nothing there is the only copy."""

import os
import sqlite3
import stat
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from shipsafe.adapters.files import disk_errors
from shipsafe.adapters.kept import evict, largest_of
from shipsafe.errors import IncompleteError

_DAY = 86_400
# Part -> files of ours in it, by pattern, and what they are good for. What matches none of these is somebody else's.
_PARTS = {
    "answers": (("answers.sqlite*",), "what gates answered and what was resolved, under the user's key"),
    "members": (("members.sqlite*",), "compressed files of archives, by content"),
    "advisories": (("advisories/*.sqlite", "advisories/current.json", "advisories/.*.tmp"), "the advisory snapshot"),
    "policies": (("policies/*.toml",), "policies that `extends` names by URL, by digest"),
}
_DRAFT = 3600  # seconds: nobody writes to a draft any more that nobody has written to for so long
_KIND = 0xFF  # of an extended code of SQLite
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
# The journal, or the file, under its name; or the file, whose rights a new journal takes over (SQLite's findCreateFileMode).
_TAKEN_AWAY = (sqlite3.SQLITE_IOERR_DELETE_NOENT, sqlite3.SQLITE_READONLY_DBMOVED, sqlite3.SQLITE_IOERR_FSTAT)
_REFUSED = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL)
_TABLES = {"answers": "answer", "members": "member"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of the cache: how many bytes and entries (of a table, else files), and when it was last written."""

    name: str
    holds: str
    size: int
    entries: int
    written: float | None


def status(folder: Path) -> tuple[Part, ...]:
    """What lies in a cache folder, part by part."""
    return tuple(_part(folder, name) for name in _PARTS)


def prune(folder: Path, *, most: int, days: int | None, now: Callable[[], float] = time.time) -> int:
    """Remove what was not used for `days`, then what was not used for longest until answers and members fit into a cache of `most` bytes.

    `now` is the clock, in seconds since 1970. Gives how many bytes that freed.

    Raises:
        IncompleteError: the folder cannot be written.
    """
    before = sum(part.size for part in status(folder))
    since = 0 if days is None else int(now()) // _DAY - days
    with disk_errors(folder):
        for name, table in _TABLES.items():
            path = folder / f"{name}.sqlite"
            if path.is_file():
                _prune_base(path, table, most=largest_of(table, most), since=since)
        if days is not None and (folder / "advisories").is_dir():
            _prune_indexes(folder / "advisories", before=now() - days * _DAY)
    return before - sum(part.size for part in status(folder))


def clear(folder: Path, *, now: Callable[[], float] = time.time) -> int:
    """Remove everything of ours; gives how many bytes that freed. What somebody else put there stays.

    So do our folders, and what another process holds (`advisories/lock`) or is writing: builds that run go on, and find nothing kept.

    Raises:
        IncompleteError: a file cannot be removed.
    """
    freed = 0
    with disk_errors(folder):
        for name in _PARTS:
            for file, told in _files(folder, name):
                if file.suffix != ".tmp" or told.st_mtime < now() - _DRAFT:
                    freed += told.st_size
                    file.unlink(missing_ok=True)
    return freed


def _part(folder: Path, name: str) -> Part:
    found = [told for _, told in _files(folder, name)]
    entries = len(found)
    if name in _TABLES:
        entries = _count(folder / f"{name}.sqlite", _TABLES[name])
    return Part(name=name, holds=_PARTS[name][1], size=sum(told.st_size for told in found), entries=entries,
                written=max((told.st_mtime for told in found), default=None))  # fmt: skip


def _files(folder: Path, name: str) -> list[tuple[Path, os.stat_result]]:
    """Our files of a part. Links are nobody's, and none is followed; other processes may write and remove at the same time."""
    found = []
    for pattern in _PARTS[name][0]:
        if not (folder / pattern).parent.is_symlink():
            for file in folder.glob(pattern):
                with suppress(FileNotFoundError):
                    told = file.lstat()
                    if stat.S_ISREG(told.st_mode):
                        found.append((file, told))
    return found


def _count(path: Path, table: str) -> int:
    if not path.is_file():
        return 0
    with suppress(sqlite3.Error), closing(sqlite3.connect(path)) as base:
        return int(base.execute(f"select count(*) from {table}").fetchone()[0])  # noqa: S608 - one of two names of ours
    return 0


def _prune_base(path: Path, table: str, *, most: int, since: int) -> None:
    """Evict; a file that is no database holds nothing that anybody could use."""
    try:
        with closing(sqlite3.connect(path)) as base:
            evict(base, table, most, since)
    except sqlite3.DatabaseError as error:
        kind = error.sqlite_errorcode & _KIND
        if kind in _BUSY or error.sqlite_errorcode in _TAKEN_AWAY:
            return  # another process writes, and evicts itself when it is done; or it cleared the file, and nothing of it is left
        if kind in _REFUSED:
            raise IncompleteError(f"Cannot be written: {error}.", remedy="Check the rights of the cache folder.", path=str(path)) from error
        path.unlink(missing_ok=True)


def _prune_indexes(folder: Path, *, before: float) -> None:
    """Indexes of folders of advisories: they are cheap to make, and each change of the folder leaves one."""
    with FileLock(folder / "lock"):
        for store in folder.glob("folder-*.sqlite"):
            with suppress(FileNotFoundError):  # another process cleared it
                if store.stat().st_mtime < before:
                    store.unlink()
