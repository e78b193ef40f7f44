"""Evidence in a folder: one file an envelope and subject, written whole or not at all, never replaced."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from shipsafe.adapters.files import MEBIBYTE, disk_errors, sync_folder, write_atomic
from shipsafe.errors import IncompleteError, IntegrityError
from shipsafe.evidence.store.layout import ROOT, Filed, filed

_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)  # opening a pipe would wait for somebody to write
_REMEDY = "Check `evidence` in the policy, the folder and its rights, then run this again."


def read_file(path: Path, *, largest: int) -> bytes:
    """The bytes of a file that somebody may have put there.

    Raises:
        IntegrityError: it is larger than `largest` bytes, or no file.
        OSError: it cannot be read.
    """
    try:
        regular = stat.S_ISREG(path.stat().st_mode)
        file = os.fdopen(os.open(path, _FLAGS), "rb") if regular else None
    except FileNotFoundError:  # a link that leads nowhere
        file = None
    if file is None:
        raise IntegrityError("It is no file.", remedy="Find out what was put in its place.", path=str(path))
    with file:
        data = file.read(largest + 1)
    if len(data) > largest:
        raise IntegrityError(f"It is larger than {largest // MEBIBYTE} MiB, which no envelope is.", path=str(path))
    return data


class FolderPlace:
    """A folder. It is made when the first envelope is kept."""

    parallel = 1
    local = False

    def __init__(self, root: Path) -> None:
        self._root = root

    def shown(self, name: str) -> str:
        """The path, for people."""
        return str(self._root / name) if name else str(self._root)

    def names(self, below: str) -> Iterator[Filed]:
        """What is filed there, in the order of its names.

        Raises:
            IncompleteError: the folder is not there, or cannot be read.
        """
        if not self._root.is_dir():
            raise IncompleteError("There is no folder of that name.", remedy=_REMEDY, path=str(self._root))
        subjects = [below] if below != f"{ROOT}/" else [f"{below}{one}/" for one in self._listed(below)]
        for subject in subjects:
            for name in self._listed(subject):
                if found := filed(f"{subject}{name}"):
                    yield found

    def _listed(self, below: str) -> list[str]:
        try:
            return sorted(os.listdir(self._root / below))  # noqa: PTH208 - names alone are wanted, of folders with many
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise self._unreadable(below, error) from error

    def read(self, one: Filed, version: str, *, largest: int) -> bytes:  # noqa: ARG002 - a file has no versions
        """The bytes of a file.

        Raises:
            IntegrityError: it is larger than `largest` bytes, or no file.
            IncompleteError: it cannot be read.
        """
        try:
            return read_file(self.path(one), largest=largest)
        except OSError as error:
            raise self._unreadable(one.name, error) from error

    def path(self, one: Filed) -> Path:
        """The file."""
        return self._root / one.name

    def put(self, one: Filed, data: bytes) -> bool:
        """Write a new file; False where there is one of that name, which is left as it is.

        Raises:
            IncompleteError: the disk is full, read-only, or the like.
        """
        path = self.path(one)
        with disk_errors(path):
            if os.path.lexists(path):
                return False
            made = not path.parent.exists()
        try:  # whoever writes it at the same moment writes the same: the name is the digest of the content
            write_atomic(path, data)
        except IncompleteError as error:
            error.remedy = _REMEDY  # the place is not named with --out
            raise
        if made:
            with disk_errors(path):
                for folder in (path.parent.parent, path.parent.parent.parent, self._root.parent):
                    sync_folder(folder)
        return True

    def guard(self) -> str:
        """What keeps people from deleting evidence here."""
        return "Nothing keeps whoever may write to this folder from deleting evidence: a bucket with Object Lock does."

    def _unreadable(self, name: str, error: OSError) -> IncompleteError:
        return IncompleteError(f"Cannot be read: {error.strerror or error}.", remedy=_REMEDY, path=self.shown(name))
