"""The folder of the project that CDK copied an asset from, so that findings point at the files that people edit.

A cloud assembly holds a copy of each folder that it uploads and does not say where the original lies. The original is the folder of
the project whose files are the same, byte by byte; where there is none (it was edited since `cdk synth`, or CDK left files out),
the copy itself is what is asked about, and what ships.
"""

import filecmp
import os
import stat
from collections import deque
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from shipsafe.adapters.files import MEBIBYTE

_MOST = 20_000  # entries of the project that are looked at
_DEEPEST = 8
_MOST_FILES = 2_000  # of an asset that are compared; code that people edit has fewer
_MOST_BYTES = 64 * MEBIBYTE
_SKIPPED = frozenset((".git", ".aws-sam", "cdk.out", "dist", "node_modules", "site-packages", "__pycache__"))
# Python writes these into a folder that it imports from; CDK may have copied them or not.
_IGNORED = frozenset(("__pycache__", ".DS_Store"))

_Shape = frozenset[tuple[str, int]]


class Sources:
    """Looks for originals in one project; the project is walked once, and only when somebody asks."""

    def __init__(self, root: Path, assembly: Path) -> None:
        self._root = root
        self._assembly = assembly
        self._folders: dict[_Shape, list[Path]] | None = None

    def original(self, asset: Path) -> str | None:
        """The path of the folder that an asset's folder is a copy of, POSIX, relative to the root, or None."""
        if not asset.resolve().is_relative_to(self._assembly) or not (shape := _shape(_entries(asset))):
            return None
        if self._folders is None:
            self._folders = self._walk()
        found = next((folder for folder in self._folders.get(shape, ()) if _equal(asset, folder)), None)
        return found.relative_to(self._root).as_posix() if found else None

    def _walk(self) -> dict[_Shape, list[Path]]:
        """Every folder of the project by what lies in it, the nearest to the root first."""
        found: dict[_Shape, list[Path]] = {}
        waiting = deque([(self._root, 0)])
        seen = 0
        while waiting and seen <= _MOST:
            folder, depth = waiting.popleft()
            entries = _entries(folder)
            seen += 1 + len(entries)
            if any(entry.name == "pyvenv.cfg" for entry in entries):
                continue
            found.setdefault(_shape(entries), []).append(folder)
            if depth < _DEEPEST:
                inner = (entry for entry in entries if entry.is_dir(follow_symlinks=False) and entry.name not in _SKIPPED)
                waiting.extend((one, depth + 1) for entry in inner if (one := Path(entry.path)) != self._assembly)
        return found


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """What lies in a folder, sorted; nothing where it may not be read, or is none."""
    try:
        with os.scandir(folder) as listing:
            return sorted(islice(listing, _MOST), key=lambda entry: entry.name)
    except OSError:
        return []


def _shape(entries: list[os.DirEntry[str]]) -> _Shape:
    """Names in a folder, with the size of each file; a folder inside has none."""
    return frozenset((entry.name, _size(entry)) for entry in entries if entry.name not in _IGNORED)


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return -1 if entry.is_dir() else entry.stat().st_size
    except OSError:  # a link that leads nowhere
        return -2


def _equal(asset: Path, folder: Path) -> bool:
    ours, theirs = dict(islice(_files(asset), _MOST_FILES + 1)), dict(islice(_files(folder), _MOST_FILES + 1))
    if ours.keys() != theirs.keys() or len(ours) > _MOST_FILES:
        return False
    try:
        if sum(path.stat().st_size for path in ours.values()) > _MOST_BYTES:
            return False
        return all(_same(path, theirs[name]) for name, path in ours.items())
    except OSError:  # one may not be read: the copy is there
        return False


def _same(one: Path, other: Path) -> bool:
    first, second = one.stat().st_mode, other.stat().st_mode
    # Whether the owner may run it goes into the zip.
    return (first ^ second) & stat.S_IXUSR == 0 and stat.S_ISREG(second) and filecmp.cmp(one, other, shallow=False)


def _files(folder: Path, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Path]]:
    for entry in _entries(folder):
        if entry.name in _IGNORED or depth > _DEEPEST:
            continue
        if entry.is_dir():
            yield from _files(Path(entry.path), f"{prefix}{entry.name}/", depth + 1)
        else:
            yield f"{prefix}{entry.name}", Path(entry.path)
