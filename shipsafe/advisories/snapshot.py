"""The snapshot of OSV's advisories for PyPI in the user's cache folder: pulled whole or not at all, and dated.

Its age is the time since the last successful pull. The records' own dates do not tell: some lie in the future. A snapshot decides
what passes, so only one that was pulled under this user's key is believed: see `shipsafe.adapters.secret`.
"""

import json
import secrets
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile

from filelock import FileLock

from shipsafe.adapters.files import MEBIBYTE, disk_errors, sha256_file, write_atomic
from shipsafe.adapters.http import download, is_url
from shipsafe.adapters.secret import is_sealed, seal
from shipsafe.advisories.records import Record
from shipsafe.advisories.store import Store, build_store, digest_of
from shipsafe.errors import IncompleteError

EXPORT = "https://osv-vulnerabilities.storage.googleapis.com/PyPI/all.zip"
_LARGEST = 4096 * MEBIBYTE
_PULL = "Run `shipsafe advisories pull`."
_NO_WAY_OUT = "Where this machine has no way there, `shipsafe advisories pull --from FILE` takes a copy."
_TOLERATED = 10  # members that are no record: named in the status; more of them mean a damaged export


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What is known of the snapshot in the cache.

    Attributes:
        pulled: when it was last pulled, or confirmed to be the newest (ISO 8601, UTC).
        digest: `sha256:...` of the zip; `source` the URL or file it came from.
        unreadable: members that are no record.
        store: the name of the index file; `store_sha256` the hex SHA-256 of its bytes.
    """

    pulled: str
    digest: str
    source: str
    records: int
    store: str
    store_sha256: str = ""
    etag: str | None = None
    unreadable: tuple[str, ...] = ()

    @property
    def when(self) -> datetime:
        """`pulled` as a moment."""
        return datetime.fromisoformat(self.pulled)


def current(cache: Path) -> Snapshot | None:
    """The snapshot in the cache, or None when there is none that can be used: damaged, or pulled under another key."""
    try:
        values = json.loads((_folder(cache) / "current.json").read_bytes())
        sealed = values.pop("seal")
        snapshot = Snapshot(**{**values, "unreadable": tuple(values.get("unreadable", ()))})
        there = (_folder(cache) / Path(snapshot.store).name).is_file()
        usable = there and snapshot.when.tzinfo is not None and is_sealed(_told(snapshot), sealed)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return snapshot if usable else None


def open_store(snapshot: Snapshot, cache: Path) -> Store:
    """Its index, when it is still what was pulled.

    Raises:
        IncompleteError: the file is gone, or is another.
    """
    path = _folder(cache) / Path(snapshot.store).name
    if not path.is_file():
        raise IncompleteError("The advisory snapshot is gone from the cache.", remedy=_PULL)
    if sha256_file(path) != snapshot.store_sha256:
        raise IncompleteError("The advisory snapshot is not what was pulled: it is damaged.", remedy=_PULL)
    return Store(path)


def _told(snapshot: Snapshot) -> bytes:
    """What is sealed: everything that is said of it."""
    return json.dumps(asdict(snapshot), sort_keys=True).encode()


def pull(
    source: str | None, *, cache: Path, now: Callable[[], datetime], keep: Path | None = None, sleep: Callable[[float], None] = time.sleep
) -> Snapshot:
    """Fetch and index a snapshot; the old one stays in use until the new one is whole.

    Args:
        source: a URL or a file; None for OSV's export for PyPI.
        cache: the user's cache folder.
        now: the clock, in UTC.
        keep: where the zip goes that was indexed, for other machines; None where it is not needed any more. It is fetched whole then.
        sleep: waits, before another try.

    Raises:
        ConfigError: the URL is not https.
        IncompleteError: it cannot be fetched or is damaged; the message says that the old one stays in use, if there is one.
    """
    folder = _folder(cache)
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / "lock"):
            before = current(cache)
            try:
                return _pull(source or EXPORT, before, folder, now, keep, sleep)
            except IncompleteError as error:
                kept = f" The snapshot of {before.pulled[:10]} stays in use." if before else ""
                remedy = error.remedy if source else f"{error.remedy} {_NO_WAY_OUT}"
                raise IncompleteError(f"{error.what}{kept}", remedy=remedy, path=error.path) from error


def _pull(
    source: str, before: Snapshot | None, folder: Path, now: Callable[[], datetime], keep: Path | None, sleep: Callable[[float], None]
) -> Snapshot:  # fmt: skip
    stamp = now().isoformat(timespec="seconds")
    if not is_url(source):
        file = Path(source)
        if not file.is_file():
            raise IncompleteError("There is no such file.", remedy="Name a zip of OSV records, or a URL.", path=source)
        return _kept(file, keep, _commit(_index(file, str(file), None, stamp, folder), before, folder))
    with NamedTemporaryFile(dir=folder, prefix=".", suffix=".zip.tmp") as sink:
        same = before is not None and before.source == source and _is_whole(folder / before.store, before.store_sha256)
        etag = before.etag if before and same and keep is None else None
        fetched = download(source, sink, limit=_LARGEST, etag=etag, sleep=sleep)
        if fetched.unchanged and before is not None:
            return _commit(Snapshot(**{**asdict(before), "pulled": stamp}), before, folder)
        sink.flush()
        pulled = _index(Path(sink.name), source, fetched.etag, stamp, folder)
        return _kept(Path(sink.name), keep, _commit(pulled, before, folder))


def _kept(file: Path, keep: Path | None, snapshot: Snapshot) -> Snapshot:
    """What was indexed, copied to where it is kept."""
    if keep is not None:
        keep.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, keep)
    return snapshot


def _index(file: Path, source: str, etag: str | None, stamp: str, folder: Path) -> Snapshot:
    digest = digest_of(file)
    draft = folder / f".{secrets.token_hex(8)}.sqlite.tmp"
    try:
        counted = build_store(file, draft)
        if len(counted.unreadable) > _TOLERATED:
            raise IncompleteError(f"{len(counted.unreadable)} members are no OSV records.", remedy="Get it again.", path=source)
        sha256 = sha256_file(draft)
        store = f"{digest.removeprefix('sha256:')}.sqlite"
        draft.replace(folder / store)
    finally:
        draft.unlink(missing_ok=True)
    return Snapshot(pulled=stamp, digest=digest, source=source, records=counted.records, store=store, store_sha256=sha256, etag=etag,
                    unreadable=counted.unreadable)  # fmt: skip


def _is_whole(store: Path, sha256: str) -> bool:
    """Whether an index is what was pulled; one that another process has cleared meanwhile is not."""
    try:
        return sha256_file(store) == sha256
    except FileNotFoundError:
        return False


def _commit(snapshot: Snapshot, before: Snapshot | None, folder: Path) -> Snapshot:
    """Put a snapshot in the place of the one before it, whose index stays until the next: who has begun with it asks it to the end."""
    kept = {snapshot.store, before.store if before else ""}
    told = {**asdict(snapshot), "seal": seal(_told(snapshot))}
    write_atomic(folder / "current.json", (json.dumps(told, indent=2) + "\n").encode())
    for old in folder.glob("*.sqlite"):
        if old.name not in kept and not old.name.startswith("folder-"):
            old.unlink(missing_ok=True)
    return snapshot


def find(name: str, *, cache: Path) -> list[Record]:
    """Records with that id or alias.

    Raises:
        IncompleteError: there is no snapshot.
    """
    snapshot = current(cache)
    if snapshot is None:
        raise IncompleteError("There is no advisory snapshot here.", remedy="Run `shipsafe advisories pull`.")
    return open_store(snapshot, cache).by_any_id([name])


def _folder(cache: Path) -> Path:
    return cache / "advisories"
