"""Hand a folder from one job to another, where the artifacts of GitHub are not there or not wanted: through a bucket, or another folder.

    PLACE/sha256-HEX      the bytes of each file, under their digest
    PLACE/files.json      the list of them: written last, so that a place is whole or empty

Nothing is written over, neither by us nor, where the role has configs/iam/transport.json, by anybody with its credentials. What is taken
is compared with the list, file by file, and the list with a digest that came another way (`--digest`): whoever can write to the place can
keep a folder from arriving, and cannot make it arrive as another one.
"""

import hashlib
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from shipsafe.adapters.aws.refusals import AwsRefusal
from shipsafe.adapters.files import MEBIBYTE, disk_errors
from shipsafe.errors import ConfigError, IncompleteError, IntegrityError, NothingError
from shipsafe.flows.transport_places import Place, copied
from shipsafe.packing.parcel import LARGEST_LIST, Item, kept_as, list_written, read_list

T = TypeVar("T")
LIST = "files.json"
_AT_ONCE = 8
_TRIES = 4  # of one file: botocore tries calls again, but never the reading of an answer's body
_BYTES = "Find out who wrote it, and hand the folder over again, to another place."
_OTHER = "Something else was handed over there, and nothing is written over."


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """What was handed over or taken: `sha256:HEX` of the list, and the files in it. `again`: it lay there already, the same."""

    digest: str
    items: Sequence[Item]
    again: bool = False

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(one.size for one in self.items)


def put(folder: Path, items: Sequence[Item], place: Place) -> Handed:
    """Hand the files of a folder over, and at last their list.

    Raises:
        IntegrityError: another folder was handed over there.
        IncompleteError: a file changed meanwhile, or cannot be read or written.
    """
    listed = list_written(items)
    digest = hashlib.sha256(listed).hexdigest()
    made = Handed(digest=f"sha256:{digest}", items=items)
    if _lies_there(place, listed, remedy="Name a place of this run's own, with its number and attempt."):
        return replace(made, again=True)
    once = {one.sha256: one for one in items}
    _each(lambda one: place.put(kept_as(one), folder / one.path, sha256=one.sha256, size=one.size), once.values())
    with TemporaryDirectory(prefix="shipsafe-") as own:
        path = Path(own) / LIST
        path.write_bytes(listed)
        if place.put(LIST, path, sha256=digest, size=len(listed)):
            return made
    # Somebody was first; or we were, and the answer was lost, so that it was written once more.
    if not _lies_there(place, listed, remedy="Find out who else writes there, then name another place."):
        raise IncompleteError("What lay there a moment ago is gone.", remedy="Hand the folder over again.", path=place.shown)
    return replace(made, again=True)


def _lies_there(place: Place, listed: bytes, *, remedy: str) -> bool:
    """Whether this list lies there; False where none does.

    Raises:
        IntegrityError: it is another one.
        IncompleteError: it cannot be read.
    """
    there = _patiently(lambda: _list_in(place))
    if there not in (None, listed):
        raise IntegrityError(_OTHER, remedy=remedy, path=place.shown)
    return there is not None


def _list_in(place: Place) -> bytes | None:
    lines = place.read(LIST)
    return None if lines is None else _bounded(lines, LARGEST_LIST, f"{place.shown}/{LIST}")


def get(place: Place, folder: Path, *, digest: str | None = None) -> Handed:
    """Take what was handed over into a new folder, which is there whole or not at all.

    Args:
        place: where it lies.
        folder: must not be there, or be empty.
        digest: `sha256:HEX` that the list must have; None where nobody says.

    Raises:
        ConfigError: the folder holds something.
        NothingError: nothing was handed over there, or not all of it yet.
        IntegrityError: the list or a file is another one.
        IncompleteError: something cannot be read or written.
    """
    folder = folder.absolute()
    if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
        raise ConfigError("It is there already, and nothing is written over.", remedy="Name a new folder.", path=str(folder))
    shown = f"{place.shown}/{LIST}"
    listed = _patiently(lambda: _list_in(place))
    if listed is None:
        raise NothingError("Nothing was handed over there.", remedy="Look whether the job before has put it there.", path=place.shown)
    found = f"sha256:{hashlib.sha256(listed).hexdigest()}"
    if digest is not None and found != digest:
        raise IntegrityError(f"What was handed over is another folder: its list is {found}, and should be {digest}.", remedy=_BYTES,
                             path=shown)  # fmt: skip
    items = read_list(listed, shown=shown)
    draft = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.tmp")
    with disk_errors(folder):
        draft.mkdir(parents=True, mode=0o700)
        try:
            _each(lambda one: _take(place, one, draft / one.path), items)
            with suppress(FileNotFoundError):
                folder.rmdir()
            draft.chmod(0o755)
            draft.rename(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return Handed(digest=found, items=items)


def _each(step: Callable[[Item], object], items: Iterable[Item]) -> None:
    """A step for every file, some at a time; the first failure ends what has not begun."""
    pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="transport")
    try:
        for _ in pool.map(step, items):
            pass
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _take(place: Place, item: Item, path: Path) -> None:
    """Write one file of a place, and compare it."""
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    _patiently(lambda: _take_once(place, item, path))


def _patiently(step: Callable[[], T]) -> T:
    """A step that reads: a connection that breaks is made again."""
    for _ in range(_TRIES - 1):
        try:
            return step()
        except AwsRefusal:  # botocore has tried that again
            raise
        except IncompleteError:
            continue
    return step()


def _take_once(place: Place, item: Item, path: Path) -> None:
    shown = f"{place.shown}/{kept_as(item)}"
    content = place.read(kept_as(item))
    if content is None:
        raise IncompleteError(f"{item.path} is in the list and was not handed over.", remedy=_BYTES, path=shown)
    with disk_errors(path), path.open("wb") as file:
        found = copied(_at_most(content, item.size), file.write)
    if found != (item.sha256, item.size):
        raise IntegrityError(f"{item.path} is not what was handed over: its bytes are others.", remedy=_BYTES, path=shown)


def _at_most(content: Iterable[bytes], most: int) -> Iterator[bytes]:
    """The content up to the piece with which it is larger than it may be: what comes after it changes nothing."""
    size = 0
    for piece in content:
        yield piece
        size += len(piece)
        if size > most:
            return


def _bounded(content: Iterable[bytes], largest: int, shown: str) -> bytes:
    data = b"".join(_at_most(content, largest))
    if len(data) > largest:
        raise IntegrityError(f"It is larger than {largest // MEBIBYTE} MiB, which no list of ours is.", remedy=_BYTES, path=shown)
    return data
