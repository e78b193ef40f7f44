"""The output folder as it lies on disk: one build at a time in it, and files that are whole or not there.

    dist/.shipsafe/                     ours alone: objects, drafts, the lock
    dist/.shipsafe/sha256-HEX.zip       content-addressed
    dist/NAME.zip, dist/shipsafe.json   renamed into place from a draft

Drafts are written in `.shipsafe` and renamed, so nothing half-written ever has a name that a reader looks for. A link in place of
one of our files is replaced, never followed; a link in place of `.shipsafe` is refused.
"""

import hashlib
import os
import re
import secrets
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from shipsafe.adapters.files import MEBIBYTE, disk_errors, sync_folder
from shipsafe.errors import IncompleteError, IntegrityError

STORE = ".shipsafe"
_LOCK = "lock"
_TRIES = 1000
_IGNORE = ".gitignore"
_OBJECT = re.compile(r"sha256-(?P<digest>[0-9a-f]{64})\.(?:zip|cdx\.json)")
_DRAFT = re.compile(r"[0-9a-f]{16}\.draft")


@contextmanager
def output_lock(out: Path, *, on_wait: Callable[[], None]) -> Generator[None]:
    """Hold the output folder for one build; a second one waits, after it has called `on_wait`.

    Folders that were made for this and that nothing was published into are taken away again.

    Raises:
        IncompleteError: the folder cannot be written.
    """
    made = False
    lock = FileLock(out / STORE / _LOCK)
    timeout, tries = 0.0, _TRIES
    while not lock.is_locked:
        with disk_errors(out):
            try:
                made |= _own_folder(out)
                lock.acquire(timeout=timeout)
            except Timeout:
                on_wait()
                timeout = -1
            except (FileNotFoundError, FileExistsError):
                tries -= 1  # the build that we waited for has just taken its empty folder away
                if not tries:
                    raise
    try:
        yield
    finally:
        # Still under the lock: filelock sees that a file it waits for is gone, and begins again with a new one.
        with suppress(OSError):
            _take_away_if_empty(out, made=made)
        lock.release()


def _own_folder(out: Path) -> bool:
    """Make the folder and ours in it; gives whether the folder is new."""
    made = not out.exists()
    out.mkdir(parents=True, exist_ok=True)
    store = out / STORE
    if store.is_symlink():
        raise IncompleteError(f"{STORE} is a link, and is not followed.", remedy="Remove it.", path=str(store))
    store.mkdir(exist_ok=True)
    with suppress(FileExistsError), (store / _IGNORE).open("x") as file:
        file.write("*\n")
    return made


def _take_away_if_empty(out: Path, *, made: bool) -> None:
    store = out / STORE
    if {child.name for child in store.iterdir()} <= {_LOCK, _IGNORE}:
        for name in (_IGNORE, _LOCK):
            (store / name).unlink(missing_ok=True)
        store.rmdir()
        if made:
            out.rmdir()


@dataclass(frozen=True, slots=True)
class Output:
    """The folder, and who is told of each step before it is taken (a test ends the process there)."""

    out: Path
    step: Callable[[str], None]

    @property
    def store(self) -> Path:
        """The folder in it that is ours alone."""
        return self.out / STORE

    def object(self, digest: str, suffix: str) -> Path:
        """Where content of that SHA-256 is kept; `suffix` is `.zip` or `.cdx.json`."""
        return self.store / f"sha256-{digest}{suffix}"

    def put(self, target: Path, content: Iterable[bytes], digest: str) -> None:
        """Write `content`, whose SHA-256 must be `digest`, so that `target` is whole or what it was, even after a crash.

        Raises:
            IntegrityError: the content is another; `target` is what it was.
            OSError: the disk refuses.
        """
        self.step(f"draft {target.name}")
        draft = self.store / f"{secrets.token_hex(8)}.draft"
        found = hashlib.sha256()
        try:
            with draft.open("xb") as file:
                for chunk in content:
                    found.update(chunk)
                    file.write(chunk)
                    self.step(f"write {target.name}")
                file.flush()
                os.fsync(file.fileno())
            if found.hexdigest() != digest:
                raise IntegrityError(
                    f"{target.name} is not what was packed: its SHA-256 is {found.hexdigest()[:12]}... instead of {digest[:12]}....",
                    remedy="Find out which program writes to these folders, then build again.",
                )
            self.step(f"rename {target.name}")
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
        sync_folder(target.parent)

    def sweep(self, wanted: Iterable[str]) -> None:
        """Remove drafts, and objects whose SHA-256 is not among the wanted."""
        kept = set(wanted)
        for file in list(self.store.iterdir()):
            found = _OBJECT.fullmatch(file.name)
            if _DRAFT.fullmatch(file.name) or (found and found["digest"] not in kept):
                self.step(f"remove {file.name}")
                file.unlink(missing_ok=True)


def pieces(path: Path) -> Iterator[bytes]:
    """The content of a regular file that is not a link, in pieces of a MiB."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
        while chunk := file.read(MEBIBYTE):
            yield chunk


def digest_of(path: Path) -> str | None:
    """Hex SHA-256 of a regular file; None when there is none, or a link or anything else in its place."""
    if path.is_symlink() or not path.is_file():
        return None
    digest = hashlib.sha256()
    for chunk in pieces(path):
        digest.update(chunk)
    return digest.hexdigest()
