"""Bytes on disk under their digest: bodies of requests and packages of functions, each once."""

import hashlib
import secrets
from pathlib import Path
from typing import IO

from shipsafe.adapters.files import disk_errors

_CHUNK = 1024 * 1024


class DiskBlobs:
    """`Blobs` that outlive the process. A file is written beside its place and moved there, so that none is ever half there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, body: bytes) -> str:
        """Keep bytes; their hex SHA-256.

        Raises:
            IncompleteError: the disk refuses.
        """
        digest = hashlib.sha256(body).hexdigest()
        if not self.path(digest).exists():
            with disk_errors(self._folder):
                draft = self._draft()
                draft.write_bytes(body)
                self._move(draft, digest)
        return digest

    def keep(self, source: IO[bytes]) -> str:
        """Keep what a file holds from where it stands, without holding it in memory; its hex SHA-256.

        Raises:
            IncompleteError: the disk refuses.
        """
        digest = hashlib.sha256()
        with disk_errors(self._folder):
            draft = self._draft()
            with draft.open("xb") as file:
                while part := source.read(_CHUNK):
                    digest.update(part)
                    file.write(part)
            self._move(draft, digest.hexdigest())
        return digest.hexdigest()

    def get(self, sha256: str) -> bytes:
        """The bytes of a digest.

        Raises:
            KeyError: they were never put.
        """
        try:
            return self.path(sha256).read_bytes()
        except FileNotFoundError as error:
            raise KeyError(sha256) from error

    def path(self, sha256: str) -> Path:
        """Where the bytes of a digest are."""
        return self._folder / sha256[:2] / sha256

    def _draft(self) -> Path:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self._folder / f".{secrets.token_hex(8)}.tmp"

    def _move(self, draft: Path, digest: str) -> None:
        place = self.path(digest)
        place.parent.mkdir(mode=0o700, exist_ok=True)
        draft.replace(place)
