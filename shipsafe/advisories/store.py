"""The indexed advisories: one sqlite file per snapshot, found by package and by alias.

Records are read member by member from a zip, or file by file from a folder; nothing is extracted. Reading is safe from several
threads and processes at once: a store is written under another name and renamed.
"""

import hashlib
import json
import sqlite3
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, cast

from shipsafe.adapters.files import MEBIBYTE, disk_errors
from shipsafe.advisories.records import Record, ids, is_record, packages
from shipsafe.errors import IncompleteError

_RECORD = 8 * MEBIBYTE
_RECORDS = 2_000_000
_UNZIPPED = 16 * 1024 * MEBIBYTE
_SCHEMA = """
create table record (id text primary key, body text not null);
create table package (name text not null, id text not null);
create table alias (alias text not null, id text not null);
"""
_BY_ALIAS = "select body from record where id in (select id from alias where alias = ?) order by id"
_INDEX = "create index by_package on package (name); create index by_alias on alias (alias);"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What an import found: how many records, and the members that are not records (named, never silently lost)."""

    records: int
    unreadable: tuple[str, ...]


def build_store(source: Path, target: Path) -> Counted:
    """Index a zip or folder of OSV records into a new store at `target`.

    Raises:
        IncompleteError: it is no zip, is damaged, holds a path that leads out of it, or holds no record.
    """
    unreadable: list[str] = []
    count = 0
    with disk_errors(target), closing(sqlite3.connect(target, isolation_level=None)) as base:
        base.executescript(f"pragma journal_mode = off; pragma synchronous = off; {_SCHEMA} begin;")
        for name, data in _members(source):
            record = _record(data)
            if record is None:
                unreadable.append(name)
                continue
            count += 1
            if count > _RECORDS:
                raise IncompleteError(f"More than {_RECORDS} records.", remedy="Name another snapshot.", path=str(source))
            _insert(base, record, data)
        base.executescript(_INDEX)  # which commits first
    if not count:
        raise IncompleteError("There is no OSV record in it.", remedy="Name a zip or folder of OSV records.", path=str(source))
    return Counted(records=count, unreadable=tuple(unreadable))


def _insert(base: sqlite3.Connection, record: Record, data: bytes) -> None:
    base.execute("insert or replace into record values (?, ?)", (record["id"], data.decode()))
    # Sorted: the same records make the same bytes in every process, so that who opens a store may find that of another in its place.
    base.executemany("insert into package values (?, ?)", [(name, record["id"]) for name in sorted(set(packages(record)))])
    base.executemany("insert into alias values (?, ?)", [(alias, record["id"]) for alias in sorted(ids(record))])


def _record(data: bytes) -> Record | None:
    try:
        value = json.loads(data.decode("utf-8"))
        if not is_record(value):
            return None
        "".join([*ids(value), *packages(value)]).encode()  # JSON can spell half a character, which no database takes
    except (ValueError, RecursionError):
        return None
    return cast("Record", value)


def _members(source: Path) -> Iterator[tuple[str, bytes]]:
    if source.is_dir():
        for file in sorted(source.rglob("*.json")):
            if file.is_file() and not file.is_symlink() and file.stat().st_size <= _RECORD:
                yield file.relative_to(source).as_posix(), file.read_bytes()
            else:
                yield file.relative_to(source).as_posix(), b""
        return
    try:
        with zipfile.ZipFile(source) as opened:
            members = opened.infolist()
            if len(members) > _RECORDS or sum(member.file_size for member in members) > _UNZIPPED:
                raise IncompleteError("Larger than any advisory export.", remedy="Name another snapshot.", path=str(source))
            for member in members:
                path = PurePosixPath(member.filename)
                if path.is_absolute() or ".." in path.parts or "\\" in member.filename:
                    raise IncompleteError(f"The member {member.filename[:80]!r} leads out of the archive; all of it is refused.",
                                          remedy="Get the snapshot again, from a source you trust.", path=str(source))  # fmt: skip
                if member.is_dir() or path.suffix != ".json":
                    continue
                with opened.open(member) as opened_member:
                    data = opened_member.read(_RECORD + 1)
                yield member.filename, data if len(data) <= _RECORD else b""
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError) as error:
        raise IncompleteError(f"Not a usable zip: {error}.", remedy="Get it again.", path=str(source)) from error


class Store:
    """A store, opened for reading. Each question opens its own connection, so that threads need no lock."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def by_package(self, name: str) -> list[Record]:
        """Records that speak of a package (normalised name), by id."""
        return self._ask("select body from record where id in (select id from package where name = ?) order by id", [name])

    def by_any_id(self, names: Iterable[str]) -> list[Record]:
        """Records that have one of these ids, as id or alias."""
        wanted = sorted(set(names))
        found = {record["id"]: record for name in wanted for record in self._ask(_BY_ALIAS, [name])}
        return [found[name] for name in sorted(found)]

    def count(self) -> int:
        """How many records it holds.

        Raises:
            IncompleteError: the file is damaged.
        """
        return int(self._rows("select count(*) from record", [])[0][0])

    def _ask(self, question: str, values: list[str]) -> list[Record]:
        return [json.loads(body) for (body,) in self._rows(question, values)]

    def _rows(self, question: str, values: list[str]) -> list[tuple[Any, ...]]:
        try:
            with closing(sqlite3.connect(f"{self._path.as_uri()}?mode=ro&immutable=1", uri=True)) as base:
                return base.execute(question, values).fetchall()
        except sqlite3.Error as error:
            raise IncompleteError(f"The advisory snapshot is damaged: {error}.", remedy="Run `shipsafe advisories pull`.") from error


def digest_of(source: Path) -> str:
    """`sha256:` + hex: of a zip its bytes; of a folder, over the names and digests of its records."""
    digest = hashlib.sha256()
    if source.is_dir():
        for file in sorted(source.rglob("*.json")):
            digest.update(f"{hashlib.sha256(file.read_bytes()).hexdigest()} {file.relative_to(source).as_posix()}\n".encode())
    else:
        with source.open("rb") as opened:
            while chunk := opened.read(MEBIBYTE):
                digest.update(chunk)
    return f"sha256:{digest.hexdigest()}"
