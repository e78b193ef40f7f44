"""A folder that is handed from one job to another: what is in it, as a list of files with their digests.

    {"schema_version": "1.0", "files": [{"path": "Orders.zip", "sha256": "...", "size": 1043}, ...]}

The list is written from the folder by whoever hands it over, and read by whoever takes it, who believes none of its names: a path is
relative, stays inside, and is no other file's folder. Links are refused, and so is an empty folder: it would prove nothing.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from shipsafe.adapters.files import MEBIBYTE, read_errors
from shipsafe.adapters.json_file import holds_more, json_of
from shipsafe.adapters.shown import shown as fit
from shipsafe.errors import ConfigError, IncompleteError, IntegrityError, NothingError
from shipsafe.packing.output import pieces

LARGEST_LIST = 16 * MEBIBYTE
_MOST = 20_000  # files
_LARGEST = 1024 * MEBIBYTE  # of one file: four times what Lambda takes
_LARGEST_OF_ALL = 32 * 1024 * MEBIBYTE
_LONGEST = 1000  # characters of a path
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PATH = re.compile(r"[^\x00-\x1f\x7f\\:]+")  # a backslash and a colon mean something on some systems
_KEYS = {"path": str, "sha256": str, "size": int}
_REMEDY = "Find out who wrote it, and hand the folder over again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One file: its path in the folder (POSIX), hex SHA-256, bytes."""

    path: str
    sha256: str
    size: int


def items_of(folder: Path) -> tuple[Item, ...]:
    """Every file of a folder, sorted by path.

    Raises:
        ConfigError: there is no such folder, or it holds what cannot be handed over: a link, a device, a name that not every system takes.
        NothingError: it holds no file.
        IncompleteError: it cannot be read.
    """
    if not folder.is_dir():
        raise ConfigError("There is no such folder.", remedy="Name the folder that is to be handed over.", path=str(folder))
    with read_errors(folder):
        items = tuple(sorted((_item(folder, path) for path in _files(folder)), key=lambda one: one.path))
    if not items:
        raise NothingError("There is no file in it.", remedy="Name the folder that is to be handed over.", path=str(folder))
    if problem := _problem(items) or ("their list is too large" if _too_large(list_written(items)) else ""):
        raise ConfigError(f"It cannot be handed over: {problem}.", remedy="Hand over less, or under other names.", path=str(folder))
    return items


def _files(folder: Path) -> Iterator[Path]:
    """Everything in it that is no folder; at most one more than may be."""
    found = 0
    for place, folders, names in os.walk(folder, onerror=_raised):
        links = [name for name in folders if (Path(place) / name).is_symlink()]
        for name in (*names, *links):
            found += 1
            if found > _MOST:
                raise ConfigError(f"It holds more than {_MOST:,} files.", remedy="Hand over less.", path=str(folder))
            yield Path(place) / name


def _raised(error: OSError) -> None:
    raise error


def _item(folder: Path, path: Path) -> Item:
    if path.is_symlink() or not path.is_file():
        raise ConfigError("It is a link or no regular file, and is not handed over.", remedy="Put the file itself there.", path=str(path))
    digest, size = hashlib.sha256(), 0
    for piece in pieces(path):
        digest.update(piece)
        size += len(piece)
    return Item(path=path.relative_to(folder).as_posix(), sha256=digest.hexdigest(), size=size)


def list_written(items: Sequence[Item]) -> bytes:
    """The list; equal folders give equal bytes."""
    files = [{"path": one.path, "sha256": one.sha256, "size": one.size} for one in items]
    return json.dumps({"schema_version": "1.0", "files": files}, indent=1, ensure_ascii=True).encode() + b"\n"


def read_list(data: bytes, *, shown: str) -> tuple[Item, ...]:
    """What a list says, of which only the shape is believed.

    Raises:
        IntegrityError: it is none, or names what no folder of ours holds.
        IncompleteError: it was written by a newer shipsafe.
    """

    def wrong(what: str) -> IntegrityError:
        return IntegrityError(f"It is no list of files that were handed over: {what}.", remedy=_REMEDY, path=shown)

    if _too_large(data):
        raise wrong("it is too large")
    try:
        document = json_of(data, shown=shown)
    except ConfigError as error:
        raise wrong(error.what.rstrip(".")) from error
    version = document.get("schema_version") if isinstance(document, dict) else None
    if isinstance(version, str) and version != "1.0":
        raise IncompleteError("This list is of another version.", remedy="Use the shipsafe that wrote it.", path=shown)
    if version is None or not isinstance(document.get("files"), list) or not document["files"]:
        raise wrong("it names no files")
    if not all(map(_is_entry, document["files"])):
        raise wrong("an entry has not a path, a sha256 and a size")
    items = tuple(Item(**one) for one in document["files"])
    if problem := _problem(items):
        raise wrong(problem)
    return items


def _too_large(data: bytes) -> bool:
    """Found before it is parsed; commas and brackets in names count, too."""
    return len(data) > LARGEST_LIST or holds_more(data, 32 * _MOST)


def _is_entry(one: object) -> bool:
    return isinstance(one, Mapping) and one.keys() == _KEYS.keys() and all(type(one[key]) is kind for key, kind in _KEYS.items())


def _problem(items: Sequence[Item]) -> str:
    """Why a list cannot be that of a folder on every system, or ""."""
    if len(items) > _MOST or sum(one.size for one in items) > _LARGEST_OF_ALL:
        return f"it has more than {_MOST:,} files, or more than {_LARGEST_OF_ALL // MEBIBYTE:,} MiB"
    files: set[str] = set()
    folders: set[str] = set()
    for one in items:
        if not _is_inside(one.path):
            return f"{fit(one.path, _LONGEST)} is no name that every system takes and that stays in the folder"
        if not _SHA256.fullmatch(one.sha256) or not 0 <= one.size <= _LARGEST:
            return f"{fit(one.path, _LONGEST)} has a digest or a size that no file of ours has"
        name = one.path.casefold()
        if name in files:
            return f"{fit(one.path, _LONGEST)} is there twice"
        files.add(name)
        folders.update(str(above) for above in PurePosixPath(name).parents)
    if both := files & folders:
        return f"{fit(min(both), _LONGEST)} is a file and a folder"
    return ""


def _is_inside(path: str) -> bool:
    """Whether it is a relative path as we write it: no part is empty, `.` or `..`, and none ends as Windows would not have it."""
    if not _PATH.fullmatch(path) or len(path) > _LONGEST or any("\ud800" <= char <= "\udfff" for char in path):
        return False
    return all(part and part not in (".", "..") and part[-1] not in ". " for part in path.split("/"))


def kept_as(item: Item) -> str:
    """The name under which its bytes lie where they are handed over."""
    return f"sha256-{item.sha256}"
