"""An archive and an SBOM that another machine made: copied, and described by their own bytes, so that nobody's word is taken for them.

    archive = bring("function:Pay", folder / "Pay.zip", workplace, sha256=...)

The copy is ours: whatever happens to the file that was brought, what was compared is what is published.
"""

import base64
import hashlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from shipsafe.adapters.files import MEBIBYTE, disk_errors
from shipsafe.adapters.json_file import read_json
from shipsafe.errors import IncompleteError, IntegrityError
from shipsafe.model.artifact import Archive
from shipsafe.model.tree import Entry, Origin, content_digest
from shipsafe.packing.output import digest_of, pieces
from shipsafe.packing.unpack import unpack

_REMEDY = "Bring what the share's build left, whole and unchanged."
_LARGEST = 512 * MEBIBYTE  # twice what Lambda takes
_LARGEST_SBOM = 100 * MEBIBYTE


def bring_archive(subject: str, source: Path, workplace: Path, *, sha256: str, compressor: str) -> Archive:
    """Copy a zip into a private folder.

    Args:
        subject: whose it is.
        source: the zip.
        workplace: a private folder.
        sha256: hex; what it must be.
        compressor: whose bytes these are said to be.

    Raises:
        IntegrityError: it is another file, or no regular one.
        IncompleteError: it is not there, is not a zip that can be looked into, or the disk is full.
    """
    target = workplace / "package.zip"
    short, long, size = _copy(source, target, sha256, _LARGEST)
    with disk_errors(workplace), TemporaryDirectory(dir=workplace, prefix="look-") as folder:
        entries = [
            Entry(path=path, mode=mode, size=file.lstat().st_size, sha256=digest_of(file) or "", source=file, origin=Origin.CODE)
            for path, file, mode in unpack(target, Path(folder), shown=str(source))
        ]
    return Archive(
        subject=subject,
        path=target,
        sha256=short.hex(),
        sha512=long.hex(),
        code_sha256=base64.b64encode(short).decode(),
        content_digest=content_digest(entries),
        size=size,
        unzipped=sum(entry.size for entry in entries),
        entries=len(entries),
        compressor=compressor,
    )


def bring_sbom(source: Path, workplace: Path, archive: Archive, *, sha256: str) -> Path:
    """Copy an SBOM into a private folder; gives the copy.

    Raises:
        IntegrityError: it is another file, no regular one, or it is not about that archive.
        ConfigError: it is not JSON.
        IncompleteError: it is not there, or the disk is full.
    """
    target = workplace / "sbom.cdx.json"
    _copy(source, target, sha256, _LARGEST_SBOM)
    document = read_json(target, limit=_LARGEST_SBOM, shown=str(source))
    root: Mapping[str, Any] = {}
    with suppress(KeyError, TypeError):
        root = document["metadata"]["component"]
    about = {"alg": "SHA-256", "content": archive.sha256}
    if not isinstance(root, dict) or root.get("bom-ref") != archive.subject or about not in (root.get("hashes") or ()):
        raise IntegrityError(f"It is not the SBOM of the archive of {archive.subject}.", remedy=_REMEDY, path=str(source))
    return target


def _copy(source: Path, target: Path, sha256: str, largest: int) -> tuple[bytes, bytes, int]:
    """Copy a regular file; gives its SHA-256, its SHA-512 and its size."""
    if source.is_symlink() or (source.exists() and not source.is_file()):
        raise IntegrityError("Not a regular file.", remedy=_REMEDY, path=str(source))
    if not source.exists():
        raise IncompleteError("It is not there, and its report names it.", remedy=_REMEDY, path=str(source))
    short, long, size = hashlib.sha256(), hashlib.sha512(), 0
    with disk_errors(target), target.open("xb") as sink:
        for piece in pieces(source):
            size += len(piece)
            if size > largest:
                raise IntegrityError(f"Larger than {largest // MEBIBYTE} MiB.", remedy=_REMEDY, path=str(source))
            short.update(piece)
            long.update(piece)
            sink.write(piece)
    if short.hexdigest() != sha256:
        what = f"It is not what its share built: its SHA-256 is {short.hexdigest()[:12]}... instead of {sha256[:12]}...."
        raise IntegrityError(what, remedy=_REMEDY, path=str(source))
    return short.digest(), long.digest(), size
