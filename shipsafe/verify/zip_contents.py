"""What lies in a zip, in one pass: the digests of its bytes, of every file in it, and of what AWS Signer would sign.

    with open_regular(path, what="zip", shown="dist/Orders.zip") as file:
        found = contents_of(file, digests_of(file, shown=...), scratch, shown=...)

Nothing is unpacked but the few files that say what distributions there are (`METADATA`, `RECORD`, `direct_url.json`); they go into a
private folder. A zip that two readers could read in two ways is refused (`signing/zip_entries.py`), and so is a link in one.
"""

import base64
import hashlib
import os
import stat
from collections.abc import Container, Generator, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, BinaryIO

from shipsafe.adapters.files import MEBIBYTE, disk_errors
from shipsafe.errors import IncompleteError, IntegrityError
from shipsafe.model.artifact import Archive
from shipsafe.model.location import Location
from shipsafe.model.tree import FILE_MODE, PROGRAM_MODE, Entry, Origin, content_digest
from shipsafe.packing.select import nameable
from shipsafe.signing.layout import ENTRY
from shipsafe.signing.signed_zip import SignedZip, looked_at
from shipsafe.signing.zip_end import wrong
from shipsafe.signing.zip_entries import Entry as Member
from shipsafe.signing.zip_entries import content, path_of, read_entries
from shipsafe.signing.zip_entries import shown as named

LARGEST = 512 * MEBIBYTE  # bytes; twice what Lambda takes
_CHUNK = MEBIBYTE
_TOLD = ("METADATA", "RECORD", "direct_url.json")  # of a `.dist-info`: what says what distributions there are


class SignatureError(IntegrityError):
    """AWS's signature inside a zip is unknown or wrong; the files beside it can be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bytes:
    """The bytes of a file: hex digests, `code_sha256` in base64 as Lambda has it, and how many they are.

    `stamp`: what the disk said of the file before it was read, by which a later change is noticed.
    """

    sha256: str
    sha512: str
    code_sha256: str
    size: int
    stamp: tuple[int, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What lies in a zip.

    Attributes:
        bytes: of the zip.
        entries: its files by the bytes of their path, without AWS Signer's; `source` of those that say what distributions there are lies
            in the private folder; for the others it is that folder.
        zipped: its signature, if it has one, and whether that is of these contents.
        content_digest: `sha256:` and hex over path, mode and content of every file but the signature.
        rightless: whether the zip says nothing of the rights of its files.
    """

    bytes: Bytes
    entries: tuple[Entry, ...]
    zipped: SignedZip
    content_digest: str
    rightless: bool

    def archive(self, subject: str, unsigned: Bytes) -> Archive:
        """The zip as whoever packs one says it; `unsigned` are its bytes before it was signed."""
        return Archive(
            subject=subject,
            path=Path(),
            sha256=unsigned.sha256,
            sha512=unsigned.sha512,
            code_sha256=unsigned.code_sha256,
            content_digest=self.content_digest,
            size=unsigned.size,
            unzipped=sum(entry.size for entry in self.entries),
            entries=len(self.entries),
            compressor="not known",
        )


def digests_of(file: BinaryIO, *, shown: str) -> Bytes:
    """The digests of a file's bytes, read in pieces.

    Raises:
        IntegrityError: it is larger than any zip that Lambda takes.
        IncompleteError: it cannot be read.
    """
    stamp = _stamp(file)
    if stamp[0] > LARGEST:
        raise IntegrityError(f"It has more than {LARGEST // MEBIBYTE} MiB.", remedy="Lambda takes no such zip.", path=shown)
    short, long, size = hashlib.sha256(), hashlib.sha512(), 0
    try:
        file.seek(0)
        while size <= LARGEST and (chunk := file.read(_CHUNK)):
            size += len(chunk)
            short.update(chunk)
            long.update(chunk)
    except OSError as error:
        raise IncompleteError(f"It cannot be read: {error.strerror}.", remedy="Check the disk.", path=shown) from error
    code_sha256 = base64.b64encode(short.digest()).decode()
    return Bytes(sha256=short.hexdigest(), sha512=long.hexdigest(), code_sha256=code_sha256, size=size, stamp=stamp)


def _stamp(file: BinaryIO) -> tuple[int, ...]:
    """Size and times. Whoever writes into a file may set back when it was modified, and not when its inode changed."""
    found = os.fstat(file.fileno())
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns


def contents_of(file: BinaryIO, found: Bytes, scratch: Path, *, shown: str) -> Contents:
    """Look into a zip.

    Args:
        file: the zip.
        found: the digests of its bytes.
        scratch: a private, empty folder.
        shown: the zip, for people.

    Raises:
        SignatureError: its signature is unknown or wrong.
        IntegrityError: it is no zip, or one that two readers could read in two ways.
        IncompleteError: it cannot be read, or has changed meanwhile, or the private folder cannot be written.
    """
    try:
        members = read_entries(file)
        signed = hashlib.sha384() if any(member.name == ENTRY for member in members) else None
        entries = tuple(_entries(file, members, signed, scratch, shown))
        zipped = _looked_at(file, members, hashlib.sha384(signed.digest()).digest() if signed else b"")
    except IntegrityError as error:
        raise type(error)(error.what, remedy=error.remedy, path=shown) from error
    except OSError as error:
        raise IncompleteError(f"It cannot be read: {error.strerror}.", remedy="Check the disk.", path=shown) from error
    if (after := _stamp(file)) != found.stamp or after[0] != found.size:
        raise IncompleteError("The zip changed while it was looked at.", remedy="Run again when nobody writes it.", path=shown)
    return Contents(
        bytes=found,
        entries=tuple(sorted(entries, key=lambda entry: entry.path.encode())),
        zipped=zipped,
        content_digest=content_digest(entries),
        rightless=not any(member.mode for member in members if member.name != ENTRY),
    )


def _looked_at(file: BinaryIO, members: tuple[Member, ...], digest: bytes) -> SignedZip:
    try:
        return looked_at(file, members, digest)
    except IntegrityError as error:
        raise SignatureError(error.what, remedy=error.remedy) from error


def _entries(file: BinaryIO, members: tuple[Member, ...], signed: Any, scratch: Path, shown: str) -> Iterator[Entry]:
    """The files, each read once; what is signed of them goes into `signed`."""
    folders = set(_parents(members))
    place = Path(shown).name
    for number, member in enumerate(members):
        if member.name == ENTRY:
            continue
        if signed:
            signed.update(member.name.encode())
        path = _path(member, folders)
        if member.name.endswith("/"):
            continue
        digest = hashlib.sha256()
        source = scratch / str(number) if _says_what_is_there(path) else scratch
        with _kept(source) if source is not scratch else nullcontext() as copy:
            for chunk in content(file, member):
                digest.update(chunk)
                if signed:
                    signed.update(chunk)
                if copy:
                    copy.write(chunk)
        yield Entry(
            path=path,
            mode=PROGRAM_MODE if member.mode & stat.S_IXUSR else FILE_MODE,
            size=member.size,
            sha256=digest.hexdigest(),
            source=source,
            origin=Origin.CODE,
            location=Location(path=f"{place}/{path}"),
        )


def _parents(members: Iterable[Member]) -> Iterator[str]:
    """Every folder that a file stands in, some more than once."""
    for folder in {path_of(member.name).rpartition("/")[0] for member in members}:
        path = folder
        while path:
            yield path
            path = path.rpartition("/")[0]


def _path(member: Member, folders: Container[str]) -> str:
    """The path of a member in the tree.

    Raises:
        IntegrityError: it is a link or a device, cannot be named, or is a file where another one has its folder.
    """
    path = path_of(member.name)
    folder = member.name.endswith("/")
    if stat.S_IFMT(member.mode) not in (0, stat.S_IFDIR if folder else stat.S_IFREG):
        raise wrong(f"The entry {named(member.name)} is a link, a device, or of another kind than its name says.")
    if not nameable(path):
        raise wrong(f"The entry {named(member.name)} cannot be named.")
    if not folder and path in folders:
        raise wrong(f"The zip has the file {named(path)} and a folder of that name.")
    return path


def _says_what_is_there(path: str) -> bool:
    folder, _, name = path.rpartition("/")
    return name in _TOLD and folder.endswith(".dist-info")


@contextmanager
def _kept(path: Path) -> Generator[IO[bytes]]:
    with disk_errors(path), path.open("xb") as copy:
        yield copy
