"""Files, read with a bound and written whole or not at all."""

import errno
import hashlib
import os
import secrets
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from shipsafe.errors import ConfigError, IncompleteError, ShipsafeError

MEBIBYTE = 1024 * 1024
_CHUNK = MEBIBYTE


def read_bounded(path: Path, *, limit: int, shown: str | None = None) -> bytes:
    """The whole of a regular file of at most `limit` bytes.

    Args:
        path: the file.
        limit: bytes; a larger file is refused before it is read.
        shown: the name to use in messages, when it is not the path.

    Raises:
        ConfigError: it is missing, not a regular file, larger than the limit, or cannot be read.
    """
    name = shown or str(path)
    try:
        if path.exists() and not path.is_file():  # opening a pipe would wait for somebody to write
            raise ConfigError("Not a regular file.", remedy="Name a file.", path=name)
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise ConfigError(f"Cannot be read: {error.strerror}.", remedy="Check the path and its rights.", path=name) from error
    if len(data) > limit:
        raise ConfigError(f"Larger than {limit // MEBIBYTE} MiB.", remedy="Split it, or name another file.", path=name)
    return data


def relative(path: Path, root: Path) -> str:
    """A path as messages and reports show it: POSIX, relative to the project root, `../` where it lies above it."""
    return Path(os.path.relpath(path, root)).as_posix()


def write_atomic(path: Path, data: bytes) -> None:
    """Put `data` at `path` so that a reader sees the old file or the new one, never half of one, even after a crash.

    A device or a pipe (`/dev/null`) is written to, and never replaced by a file.

    Raises:
        IncompleteError: the folder is read-only, the disk is full, or the like; the old file is untouched.
    """
    with disk_errors(path):
        if path.is_char_device() or path.is_fifo():
            path.write_bytes(data)
            return
        _put(path, data, lambda draft: draft.replace(path))


def write_new(path: Path, data: bytes) -> None:
    """As `write_atomic`, and never over anything that is there, also where two do it at once.

    Raises:
        ConfigError: something is there.
        IncompleteError: as `write_atomic`.
    """

    def link(draft: Path) -> None:
        try:
            path.hardlink_to(draft)  # unlike a rename it fails where there is one
        except FileExistsError as error:
            raise ConfigError("Already exists, and is left as it is.", remedy="Run this again.", path=str(path)) from error

    with disk_errors(path):
        _put(path, data, link)


def _put(path: Path, data: bytes, place: Callable[[Path], object]) -> None:
    """Write a draft beside `path`, put it there by `place`, and make both last through a crash."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with draft.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        place(draft)
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename in that folder last through a crash."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def disk_errors(path: Path) -> Generator[None]:
    """Turn a disk's refusals into our error, naming the path it is about."""
    try:
        yield
    except OSError as error:
        raise disk_error(error, path) from error


@contextmanager
def read_errors(path: Path) -> Generator[None]:
    """Turn a disk's refusals to be read into our error.

    Raises:
        IncompleteError: what is done inside cannot be read.
    """
    try:
        yield
    except OSError as error:
        raise IncompleteError(
            f"Cannot be read: {error.strerror or error}.", remedy="Check its rights and the disk.", path=str(path)
        ) from error


def disk_error(error: OSError, path: Path) -> ShipsafeError:
    """The error to show for a disk's refusal."""
    remedies = {
        errno.ENOSPC: "Free some space and run the same command again.",
        errno.EDQUOT: "Free some space and run the same command again.",
        errno.EROFS: "Choose a folder that can be written to with --out.",
        errno.EACCES: "Choose a folder that can be written to with --out, or change its rights.",
    }
    remedy = remedies.get(error.errno or 0, "Check the disk and run the same command again.")
    return IncompleteError(f"Cannot be written: {error.strerror or error}.", remedy=remedy, path=str(path))


def sha256_file(path: Path) -> str:
    """Hex SHA-256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
