"""Bytes kept by their digest: packages of functions and layers, outside of the state that `snapshot` gives."""

import hashlib
from typing import Protocol


class Blobs(Protocol):
    """A store of bytes that never change. Whoever holds a digest can have the bytes again."""

    def put(self, body: bytes) -> str:
        """Keep bytes; their hex SHA-256."""

    def get(self, sha256: str) -> bytes:
        """The bytes of a digest that `put` gave.

        Raises:
            KeyError: they are not there.
        """


class MemoryBlobs:
    """Blobs that end with the process."""

    def __init__(self) -> None:
        self._bodies: dict[str, bytes] = {}

    def put(self, body: bytes) -> str:
        """Keep bytes; their hex SHA-256."""
        digest = hashlib.sha256(body).hexdigest()
        self._bodies[digest] = body
        return digest

    def get(self, sha256: str) -> bytes:
        """The bytes of a digest.

        Raises:
            KeyError: they were never put.
        """
        return self._bodies[sha256]
