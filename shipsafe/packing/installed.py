"""What uv leaves in its target, stripped of everything that it added for this machine, and checked against each RECORD.

uv writes scripts that start the Python of this machine into `bin/`, a `.lock`, and notes about the installation. None of it ships,
and RECORD loses the lines that speak of it. A wheel's own files in `bin/` stay.
"""

import base64
import csv
import hashlib
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from packaging.utils import canonicalize_name

from shipsafe.adapters.files import MEBIBYTE, sha256_file
from shipsafe.errors import IncompleteError
from shipsafe.packing.select import mode_of, nameable

# Files that say how and where something was installed, not what it is.
_NOTES = ("direct_url.json", "uv_cache.json", "uv_build.json")
_ALGORITHMS = ("sha256", "sha384", "sha512")
_LARGEST_RECORD = 64 * MEBIBYTE
_HEAD = 4096  # bytes in which a script names its interpreter


class Installed(NamedTuple):
    """One file of a target: its path there (POSIX), its mode in the zip, its bytes, and their SHA-256 in hex."""

    path: str
    mode: int
    size: int
    sha256: str


def clean(target: Path) -> tuple[Installed, ...]:
    """Strip a target, and list what ships, sorted by path.

    Raises:
        IncompleteError: a file is not what its RECORD says, cannot be named in a zip, or is a link.
    """
    (target / ".lock").unlink(missing_ok=True)
    digests: dict[str, str] = {}
    for record in sorted(target.glob("*.dist-info/RECORD")):
        _strip(record, target, digests)
    return tuple(
        Installed(path, mode_of(file), file.stat().st_size, digests.get(path) or sha256_file(file)) for path, file in sorted(_files(target))
    )


def owners(target: Path) -> dict[str, str]:
    """Path in the target -> normalised name of the distribution whose RECORD names it."""
    found: dict[str, str] = {}
    for record in sorted(target.glob("*.dist-info/RECORD")):
        name = canonicalize_name(record.parent.name.partition("-")[0])  # the spec escapes a dash in the name
        found |= {row[0]: name for row in read_record(record)}
    return found


def _files(target: Path) -> Iterator[tuple[str, Path]]:
    waiting = [""]
    for prefix in waiting:  # grows while it is walked
        with os.scandir(target / prefix) as found:
            entries = list(found)
        for entry in entries:
            path = f"{prefix}{entry.name}"
            if entry.is_symlink() or not (entry.is_file() or entry.is_dir()):
                raise _refuse(path, "is a link or a device, which no wheel may hold")
            if entry.name == "__pycache__":
                continue
            if entry.is_dir():
                waiting.append(f"{path}/")
            elif not nameable(path):
                raise _refuse(path, "has a name that cannot stand in a zip")
            else:
                yield path, Path(entry.path)


def _strip(record: Path, target: Path, digests: dict[str, str]) -> None:
    """Take out what is for this machine, and compare the rest; `digests` gets the SHA-256 of what was read for that."""
    kept = []
    for row in read_record(record):
        path = Path(os.path.normpath(target / row[0]))
        if not path.is_relative_to(target) or "__pycache__" in path.parts[len(target.parts) :]:
            continue
        if _is_for_machine(path, target):
            path.unlink(missing_ok=True)
        elif path.is_file():
            if digest := _check(row, path, record):
                digests[path.relative_to(target).as_posix()] = digest
            kept.append(row)
    if not any((target / "bin").glob("*")) and (target / "bin").is_dir():
        (target / "bin").rmdir()
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(sorted(kept))
    draft = record.with_name("RECORD.new")  # not in place: the file may be a hard link into uv's cache
    draft.write_text(text.getvalue(), encoding="utf-8")
    draft.replace(record)


def read_record(record: Path) -> list[list[str]]:
    """The rows of a RECORD that name a file.

    Raises:
        IncompleteError: it is not CSV in UTF-8, or is larger than 64 MiB.
    """
    try:
        if record.stat().st_size > _LARGEST_RECORD:
            raise _refuse(record.parent.name, "has a RECORD that is too large")
        rows = list(csv.reader(io.StringIO(record.read_text(encoding="utf-8"))))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise _refuse(record.parent.name, f"has a RECORD that cannot be read: {error}") from error
    return [row for row in rows if row and row[0] and "\0" not in row[0]]


def _is_for_machine(path: Path, target: Path) -> bool:
    """Whether uv wrote it for this machine: a note about the installation, or a script that starts this Python."""
    if path.name in _NOTES and path.parent.parent == target and path.parent.name.endswith(".dist-info"):
        return True
    if path.parent != target / "bin" or not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(_HEAD)
    return head.startswith(b"#!") and os.fsencode(sys.executable) in head


def _check(row: list[str], path: Path, record: Path) -> str | None:
    """Compare with RECORD. uv checks a wheel when it is downloaded; what lies in its cache may have been written to since.

    Gives the SHA-256 in hex, where that is what RECORD has.
    """
    algorithm, _, expected = (row[1] if len(row) > 1 else "").partition("=")
    if algorithm not in _ALGORITHMS or path == record:
        return None
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, algorithm)
    if base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode() != expected.rstrip("="):
        raise _refuse(row[0], "is not what its RECORD says", "Clear uv's cache (`uv cache clean`) and run again.")
    return digest.hexdigest() if algorithm == "sha256" else None


def _refuse(path: str, why: str, remedy: str = "Choose another version of the distribution.") -> IncompleteError:
    return IncompleteError(f"The installed file {ascii(path)[1:-1]} {why}.", remedy=remedy)
