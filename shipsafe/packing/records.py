"""Whose each file of a tree is that another tool installed: RECORD names it, and its hash says whether it is still that file.

    RECORD names it, and the hash is right    a dependency's
    RECORD names it, and the hash is wrong    somebody changed it: it is treated as code, and the gate `package` says so
    no RECORD names it, or without a hash     code, which is linted

Nothing of this proves where a distribution came from: whoever changes a file can change the RECORD with it.
Source: "Recording installed projects", https://packaging.python.org/en/latest/specifications/recording-installed-packages/.
"""

import base64
import binascii
import hashlib
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from shipsafe.errors import IncompleteError
from shipsafe.model.tree import Entry
from shipsafe.packing.installed import read_record

_RECORD = ".dist-info/RECORD"
_ALGORITHMS = ("sha256", "sha384", "sha512")
_UP = "../"


@dataclass(slots=True)
class Owned:
    """What the RECORDs of a tree say.

    Attributes:
        unchanged: path -> `.dist-info` folder whose RECORD has the file's hash, or is the file.
        changed: path -> `.dist-info` folder whose RECORD has another hash for it.
        absent: `.dist-info` folder -> paths that its RECORD names and that are not there.
        unreadable: `.dist-info` folders whose RECORD is none.
    """

    unchanged: dict[str, str] = field(default_factory=dict)
    changed: dict[str, str] = field(default_factory=dict)
    absent: dict[str, list[str]] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)


def read_records(entries: Mapping[str, Entry]) -> Owned:
    """Compare every file of a tree with the RECORDs in it."""
    owned = Owned()
    for record in sorted(path for path in entries if f"/{path}".endswith(_RECORD)):
        folder = record.rpartition("/")[0]
        try:
            rows = read_record(entries[record].source)
        except IncompleteError:
            owned.unreadable.add(folder)
            continue
        owned.unchanged.setdefault(record, folder)
        base = folder.rpartition("/")[0]
        for row in rows:
            _see(row, _path(base, row[0]), folder, entries, owned)
    for path in owned.unchanged:
        owned.changed.pop(path, None)  # two distributions have the file, and it is the other one's
    return owned


def _see(row: list[str], path: str, folder: str, entries: Mapping[str, Entry], owned: Owned) -> None:
    entry = entries.get(path)
    if entry is None:
        owned.absent.setdefault(folder, []).append(path)
        return
    same = _is_same(row[1] if len(row) > 1 else "", entry)
    if same:
        owned.unchanged.setdefault(path, folder)
    elif same is False:
        owned.changed.setdefault(path, folder)


def _path(base: str, written: str) -> str:
    """Where a row's file lies: pip writes `../../bin/x` for what `pip install --target` then moves to `bin/x`."""
    inner = written
    while inner.startswith(_UP):
        inner = inner.removeprefix(_UP)
    return posixpath.normpath(posixpath.join(base, inner if inner.startswith("bin/") else written))


def _is_same(written: str, entry: Entry) -> bool | None:
    """Whether a file has the hash that a row says; None where the row has none that proves anything."""
    algorithm, _, text = written.partition("=")
    if algorithm not in _ALGORITHMS:
        return None
    try:
        expected = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        return False
    if algorithm == "sha256":
        return expected.hex() == entry.sha256
    with entry.source.open("rb") as file:
        return hashlib.file_digest(file, algorithm).digest() == expected


def named(paths: list[str], most: int = 5) -> str:
    """The first paths, and how many more there are."""
    more = f" and {len(paths) - most} more" if len(paths) > most else ""
    return ", ".join(paths[:most]) + more


def changed_by_folder(owned: Owned) -> Iterator[tuple[str, list[str]]]:
    """`.dist-info` folder and the files of its distribution that somebody changed, sorted."""
    for folder in sorted(set(owned.changed.values())):
        yield folder, sorted(path for path, one in owned.changed.items() if one == folder)
