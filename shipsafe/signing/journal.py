"""What a run of `shipsafe sign` has done, one JSON line per fact, so that the next one goes on where it was.

Facts are hints: each is confirmed by S3 or Signer before it is used, so that a journal which somebody else wrote, or which is lost, costs
a question more and never a wrong signature. A line is synced to the disk before what follows from it is done; a last line that is torn
by a crash is left out. The caller keeps other processes away from the folder.

    {"fact": "uploaded", "account": "111122223333", "bucket": "b", "key": "unsigned/0c1f….zip", "version": "3sL4kq…"}
    {"fact": "started", "ticket": "9d4e…", "attempt": 1, "job": "6bc1c1d3-…"}
    {"fact": "failed", "ticket": "9d4e…", "attempt": 1, "job": "6bc1c1d3-…"}
"""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from shipsafe.adapters.files import disk_errors, sync_folder
from shipsafe.model.signing import S3Object

NAME = "signing.journal"
_LARGEST = 16 * 1024 * 1024  # bytes; a fact takes about 200
MOST_ATTEMPTS = 99
_SHAPES = {  # every field of every fact
    "account": r"\d{12}",
    "bucket": r"[a-z0-9.-]{3,63}",
    "key": r"[\x21-\x7e]{1,1024}",
    "version": r"[\x21-\x7e]{1,1024}",
    "ticket": r"[0-9a-f]{64}",
    "job": r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
}
_FACTS = {
    "uploaded": {"account", "bucket", "key", "version"},
    "started": {"ticket", "attempt", "job"},
    "failed": {"ticket", "attempt", "job"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A job that was started for a ticket, counted from 1, and whether it is known to have failed."""

    number: int
    job: str
    failed: bool


@dataclass(slots=True)
class Journal:
    """The journal in a folder. May be told from several threads.

    `unreadable` counts lines that are not facts: they are left out, and nothing is lost but a question to AWS.
    """

    folder: Path
    unreadable: int = 0
    _uploaded: dict[tuple[str, str, str], str] = field(default_factory=dict)
    _attempts: dict[str, Attempt] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)
    _closed: bool = False

    @classmethod
    def open(cls, folder: Path) -> "Journal":
        """Read what earlier runs wrote.

        Raises:
            IncompleteError: the file is there and cannot be read.
        """
        journal = cls(folder)
        path = folder / NAME
        with disk_errors(path):
            if path.is_file() and not path.is_symlink():
                with path.open("rb") as file:
                    data = file.read(_LARGEST)
                for line in data.split(b"\n"):
                    fact = _read(line)
                    if fact is not None:
                        journal._take_up(fact)
                    elif line.strip():
                        journal.unreadable += 1
        return journal

    def uploaded(self, account: str, bucket: str, key: str) -> S3Object | None:
        """The version that was uploaded there, if one was."""
        version = self._uploaded.get((account, bucket, key))
        return S3Object(bucket=bucket, key=key, version=version) if version else None

    def attempt(self, ticket: str) -> Attempt | None:
        """The newest attempt at a ticket."""
        return self._attempts.get(ticket)

    def note_upload(self, account: str, place: S3Object) -> None:
        """Write down which version was uploaded.

        Raises:
            IncompleteError: the disk refuses.
        """
        self._write({"fact": "uploaded", "account": account, "bucket": place.bucket, "key": place.key, "version": place.version})

    def note_started(self, ticket: str, attempt: int, job: str) -> None:
        """Write down which job an attempt is.

        Raises:
            IncompleteError: the disk refuses.
        """
        self._write({"fact": "started", "ticket": ticket, "attempt": attempt, "job": job})

    def note_failed(self, ticket: str, attempt: int, job: str) -> None:
        """Write down that describe said Failed, before the next attempt is started.

        Raises:
            IncompleteError: the disk refuses.
        """
        self._write({"fact": "failed", "ticket": ticket, "attempt": attempt, "job": job})

    def close(self) -> None:
        """Write nothing more: the caller's lock is about to be given up, and a thread may still be waiting for AWS."""
        with self._lock:
            self._closed = True

    def _write(self, fact: dict[str, Any]) -> None:
        path = self.folder / NAME
        with self._lock, disk_errors(path):
            if self._closed:
                return
            self._take_up(fact)
            new = not path.exists()
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
            with os.fdopen(descriptor, "rb+") as file:
                line = json.dumps(fact, separators=(",", ":")).encode() + b"\n"
                file.write(b"\n" + line if _torn(file) else line)
                file.flush()
                os.fsync(file.fileno())
            if new:
                sync_folder(self.folder)

    def _take_up(self, fact: dict[str, Any]) -> None:
        if fact["fact"] == "uploaded":
            self._uploaded[fact["account"], fact["bucket"], fact["key"]] = fact["version"]
            return
        known = self._attempts.get(fact["ticket"])
        if known is None or fact["attempt"] >= known.number:
            self._attempts[fact["ticket"]] = Attempt(number=fact["attempt"], job=fact["job"], failed=fact["fact"] == "failed")


def _torn(file: Any) -> bool:
    """Whether a crash left a line without its end."""
    size = file.seek(0, os.SEEK_END)
    if not size:
        return False
    file.seek(size - 1)
    return bool(file.read(1) != b"\n")


def _read(line: bytes) -> dict[str, Any] | None:
    """A fact, if the line is one, field by field."""
    try:
        fact = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fact, dict) or not isinstance(fact.get("fact"), str) or _FACTS.get(fact["fact"]) != fact.keys() - {"fact"}:
        return None
    return fact if all(_fits(name, value) for name, value in _members(fact)) else None


def _members(fact: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((name, value) for name, value in fact.items() if name != "fact")


def _fits(name: str, value: Any) -> bool:
    if name == "attempt":
        return type(value) is int and 1 <= value <= MOST_ATTEMPTS
    return isinstance(value, str) and re.fullmatch(_SHAPES[name], value, re.ASCII) is not None and value != "null"
