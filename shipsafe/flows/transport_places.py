"""Where a folder is handed over: a prefix of a bucket, or another folder. Files have plain names there, and none is ever written over.

place = open_place("s3://orders-runs/pipeline/4711/1")
place.put("files.json", path, sha256="...", size=120)      # False where one of that name lies there
"""

import hashlib
import os
import re
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from shipsafe.adapters.aws.handed_objects import HandedBucket, handed_bucket
from shipsafe.adapters.aws.session import Aws, open_aws
from shipsafe.adapters.aws.session import Place as AwsPlace
from shipsafe.adapters.files import disk_errors, read_errors, sync_folder
from shipsafe.errors import ConfigError, IncompleteError
from shipsafe.packing.output import pieces

_S3 = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(?P<prefix>[A-Za-z0-9!_.*'()/-]{1,600})", re.ASCII)


class Place(Protocol):
    """Where files are handed over, by plain names."""

    @property
    def shown(self) -> str:
        """Its address, for people."""

    @property
    def local(self) -> bool:
        """Whether it is the local endpoint's."""

    def put(self, name: str, path: Path, *, sha256: str, size: int) -> bool:
        """Write a new file; False where there is one of that name, which stays as it is."""

    def read(self, name: str) -> Iterator[bytes] | None:
        """The bytes of a file; None where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bucket:
    """A prefix of a bucket."""

    bucket: HandedBucket
    prefix: str

    @property
    def shown(self) -> str:
        return f"s3://{self.bucket.name}/{self.prefix}"

    @property
    def local(self) -> bool:
        return self.bucket.aws.local

    def put(self, name: str, path: Path, *, sha256: str, size: int) -> bool:
        return self.bucket.put(f"{self.prefix}/{name}", path, sha256=sha256, size=size)

    def read(self, name: str) -> Iterator[bytes] | None:
        return self.bucket.read(f"{self.prefix}/{name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Folder:
    """A folder that both jobs see."""

    root: Path
    local: bool = False

    @property
    def shown(self) -> str:
        return str(self.root)

    def put(self, name: str, path: Path, *, sha256: str, size: int) -> bool:
        """As the bucket does it: the bytes are those of that digest, or nothing is there."""
        draft = self.root / f"{secrets.token_hex(8)}.draft"
        with disk_errors(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            try:
                with draft.open("xb") as file:
                    found = copied(pieces(path), file.write)
                    file.flush()
                    os.fsync(file.fileno())
                if found != (sha256, size):
                    raise IncompleteError("It changed while it was handed over.", remedy="Hand the folder over again.", path=str(path))
                os.link(draft, self.root / name)  # unlike a rename it fails where there is one
            except FileExistsError:
                return False
            finally:
                draft.unlink(missing_ok=True)
            sync_folder(self.root)
        return True

    def read(self, name: str) -> Iterator[bytes] | None:
        path = self.root / name
        with read_errors(path):
            return pieces(path) if path.is_file() and not path.is_symlink() else None


def open_place(name: str, connect: Callable[[AwsPlace], Aws] = open_aws, *, owner: str | None = None) -> Place:
    """The place of that name: `s3://bucket/prefix`, or a folder.

    Args:
        name: of the place.
        connect: opens a session.
        owner: the account (12 digits) that the bucket must belong to; None for that of the credentials.

    Raises:
        ConfigError: it is no such name, or an owner is named for a folder.
        IntegrityError: the bucket belongs to another account.
        IncompleteError: there is no such bucket, or AWS gave no answer.
    """
    if "://" not in name and name and "\0" not in name:
        if owner is not None:
            raise ConfigError(f"{name[:120]!r} is no bucket, which an account could own.", remedy="Leave out --expected-owner.")
        return _Folder(root=Path(name))
    found = _S3.fullmatch(name)
    prefix = found["prefix"].strip("/") if found else ""
    if found is None or not prefix or any(part in ("", ".", "..") for part in prefix.split("/")):
        remedy = "Write s3://bucket/prefix with a prefix of this run's own, or a folder."
        raise ConfigError(f"{name[:120]!r} is no place to hand anything over.", remedy=remedy)
    return _Bucket(bucket=handed_bucket(found["bucket"], connect, owner=owner), prefix=prefix)


def copied(content: Iterable[bytes], write: Callable[[bytes], object]) -> tuple[str, int]:
    """Hex SHA-256 and number of the bytes that were written."""
    digest, size = hashlib.sha256(), 0
    for piece in content:
        digest.update(piece)
        size += len(piece)
        write(piece)
    return digest.hexdigest(), size
