"""What lies in the cache folder, and how to get rid of it. Everything there can be made again; nothing there is the only copy."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from shipsafe.adapters.files import disk_errors
from shipsafe.adapters.kept import evict

_DAY = 86_400
# Part -> files of ours in it, by pattern, and what they are good for. What matches none of these is somebody else's.
_PARTS = {
    "answers": (("answers.sqlite*",), "what gates answered and what was resolved, under the user's key"),
    "members": (("members.sqlite*",), "compressed files of archives, by content"),
    "advisories": (("advisories/*.sqlite", "advisories/current.json", "advisories/lock", "advisories/.*.tmp"), "the advisory snapshot"),
    "policies": (("policies/*.toml",), "policies that `extends` names by URL, by digest"),
}
_TABLES = {"answers": "answer", "members": "member"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of the cache: how many bytes and entries (None where a file is one entry of its own), and when it was last written."""

    name: str
    holds: str
    size: int
    entries: int
    written: float | None


def status(folder: Path) -> tuple[Part, ...]:
    """What lies in a cache folder, part by part."""
    return tuple(_part(folder, name) for name in _PARTS)


def prune(folder: Path, *, most: int, days: int | None) -> int:
    """Remove what was not used for `days`, then what was not used for longest until answers and members take at most `most` bytes.

    Gives how many bytes that freed.

    Raises:
        IncompleteError: the folder cannot be written.
    """
    before = sum(part.size for part in status(folder))
    since = 0 if days is None else int(time.time()) // _DAY - days
    with disk_errors(folder):
        for name, table in _TABLES.items():
            path = folder / f"{name}.sqlite"
            if path.is_file():
                _prune_base(path, table, most=most, since=since)
        for store in _idle_indexes(folder, days):
            store.unlink(missing_ok=True)
    return before - sum(part.size for part in status(folder))


def clear(folder: Path) -> int:
    """Remove everything of ours; gives how many bytes that freed. What somebody else put there stays.

    Raises:
        IncompleteError: a file cannot be removed.
    """
    freed = 0
    with disk_errors(folder):
        for name in _PARTS:
            for file in list(_files(folder, name)):
                freed += file.lstat().st_size
                file.unlink(missing_ok=True)
        for below in sorted((path for path in folder.glob("*/**/") if path != folder), reverse=True):
            with suppress(OSError):
                below.rmdir()
    return freed


def _part(folder: Path, name: str) -> Part:
    files = list(_files(folder, name))
    entries = len(files)
    if name in _TABLES:
        entries = _count(folder / f"{name}.sqlite", _TABLES[name])
    times = [file.lstat().st_mtime for file in files]
    return Part(name=name, holds=_PARTS[name][1], size=sum(file.lstat().st_size for file in files), entries=entries,
                written=max(times, default=None))  # fmt: skip


def _files(folder: Path, name: str) -> Iterator[Path]:
    for pattern in _PARTS[name][0]:
        yield from (file for file in folder.glob(pattern) if file.is_file() and not file.is_symlink())


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
    except sqlite3.OperationalError:
        return  # another process writes; it evicts itself when it is done
    except sqlite3.DatabaseError:
        path.unlink(missing_ok=True)


def _idle_indexes(folder: Path, days: int | None) -> Iterator[Path]:
    """Indexes of folders of advisories: they are cheap to make, and each change of the folder leaves one."""
    if days is None or not (folder / "advisories").is_dir():
        return
    with FileLock(folder / "advisories" / "lock"):
        yield from (file for file in folder.glob("advisories/folder-*.sqlite") if file.stat().st_mtime < time.time() - days * _DAY)
