"""The output folder as it lies on disk: one build at a time in it, and files that are whole or not there.

    dist/.shipsafe/                     ours alone: objects, drafts, the lock
    dist/.shipsafe/work/                what is being packed, and not judged yet
    dist/.shipsafe/sha256-HEX.zip       content-addressed; SBOMs and evidence, too
    dist/NAME.zip, dist/shipsafe.json   renamed into place from a draft

Drafts stand in `.shipsafe` and are renamed, so nothing half-written ever has a name that a reader looks for. What lies on the same
disk is linked, not copied. A symbolic link in place of one of our files is replaced, never followed; one in place of `.shipsafe`
or of a folder in it is refused.
"""

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock, Timeout

from shipsafe.adapters.files import MEBIBYTE, disk_errors, sync_folder
from shipsafe.adapters.once import Once
from shipsafe.errors import IncompleteError, IntegrityError

STORE = ".shipsafe"
_LOCK = "lock"
_WORK = "work"
_TRIES = 1000
_IGNORE = ".gitignore"
_OBJECT = re.compile(r"sha256-(?P<digest>[0-9a-f]{64})\.(?:zip|cdx\.json|intoto\.jsonl)")
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
                made |= _own_folder(out)  # who took its empty folder away may have taken a file of ours with it
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
    for ours in (store, store / _WORK):
        if ours.is_symlink():
            name = ours.relative_to(out)
            raise IncompleteError(f"{name} is a link, and is not followed.", remedy="Remove it.", path=str(ours))
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


def _untold(_step: str) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, slots=True)
class Output:
    """The folder, and who is told of each step before it is taken (a test ends the process there)."""

    out: Path
    step: Callable[[str], None] = _untold
    _known: Once[tuple[int, ...], str | None] = field(default_factory=Once)

    @property
    def store(self) -> Path:
        """The folder in it that is ours alone."""
        return self.out / STORE

    def object(self, digest: str, suffix: str) -> Path:
        """Where content of that SHA-256 is kept; `suffix` is `.zip`, `.cdx.json` or `.intoto.jsonl`."""
        return self.store / f"sha256-{digest}{suffix}"

    def workplace(self, subject: str) -> Path:
        """A folder for what is being made for a subject, on the disk on which it will stay; made when it is not there.

        Raises:
            IncompleteError: the folder cannot be written, or is a link.
        """
        place = self.store / _WORK / subject.replace(":", "-")
        if place.is_symlink():  # what was packed before is removed first; one that could not be leads anywhere
            raise IncompleteError("It is a link, and is not followed.", remedy="Remove it.", path=str(place))
        with disk_errors(place):
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
        return place

    def digest_of(self, path: Path) -> str | None:
        """As `digest_of`, and a file that has not been written to since it was read in this run is not read again."""
        try:
            before = _signature(path)
            return self._known.get(before, lambda: self._read(path, before))
        except FileNotFoundError:
            return None

    def _read(self, path: Path, before: tuple[int, ...]) -> str | None:
        digest = digest_of(path)
        return digest if _signature(path) == before else None

    def remember(self, path: Path, digest: str) -> None:
        """That a file which this run has just written has that SHA-256: it is only read again when somebody has written to it since."""
        signature = _signature(path)
        self._known.forget(signature)  # a file that is gone may have had the same number, size and tick of the clock
        self._known.get(signature, lambda: digest)

    def take(self, target: Path, source: Path, digest: str) -> None:
        """As `put`, of a file: linked where that can be. After a crash it may not be there; `settle` makes it last.

        Raises:
            IntegrityError: the file is another; `target` is what it was.
            OSError: the disk refuses.
        """
        draft = self.store / f"{secrets.token_hex(8)}.draft"
        try:
            self.step(f"link {target.name}")
            try:
                os.link(source, draft, follow_symlinks=False)
            except (OSError, NotImplementedError):  # another disk, or one that knows no links
                self.put(target, pieces(source), digest)
                return
            if self.digest_of(draft) != digest:
                raise _not_what_was_packed(target, self.digest_of(draft) or "unknown", digest)
            with draft.open("rb") as file:
                os.fsync(file.fileno())
            self.step(f"rename {target.name}")
            draft.replace(target)
            if draft.exists():  # both were names of one file already, and POSIX renames nothing then
                draft.unlink()
        finally:
            draft.unlink(missing_ok=True)

    def settle(self) -> None:
        """Make what was taken last through a crash."""
        for folder in (self.store, self.out):
            sync_folder(folder)

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
                raise _not_what_was_packed(target, found.hexdigest(), digest)
            self.step(f"rename {target.name}")
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
        sync_folder(target.parent)

    def tidy(self) -> None:
        """Remove what was being packed."""
        shutil.rmtree(self.store / _WORK, ignore_errors=True)

    def sweep(self, wanted: Iterable[str]) -> None:
        """Remove drafts, what was being packed, and objects whose SHA-256 is not among the wanted."""
        kept = set(wanted)
        self.step("remove what was being packed")
        self.tidy()
        for file in list(self.store.iterdir()):
            found = _OBJECT.fullmatch(file.name)
            if _DRAFT.fullmatch(file.name) or (found and found["digest"] not in kept):
                self.step(f"remove {file.name}")
                file.unlink(missing_ok=True)


def _not_what_was_packed(target: Path, found: str, digest: str) -> IntegrityError:
    return IntegrityError(
        f"{target.name} is not what was packed: its SHA-256 is {found[:12]}... instead of {digest[:12]}....",
        remedy="Find out which program writes to these folders, then build again.",
    )


def _signature(path: Path) -> tuple[int, ...]:
    """What changes when a file is written to (and not when it gets another name, as `st_ctime` would)."""
    told = path.lstat()
    return (told.st_dev, told.st_ino, told.st_mode, told.st_size, told.st_mtime_ns)


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
