"""A zip before it is uploaded: it is the one that was judged, and one that Signer can sign.

A job fails on a zip that is empty, already signed or malformed (AWS Signer Developer Guide, "Signing jobs for Lambda"), and on one of more
than 250 MiB; each is said here, before anything is uploaded.
"""

import hashlib
import os
from io import BufferedReader

from shipsafe.adapters.files import MEBIBYTE
from shipsafe.errors import IncompleteError, IntegrityError
from shipsafe.signing.compare import rights
from shipsafe.signing.layout import ENTRY, LARGEST_ZIP
from shipsafe.signing.ticket import Unsigned
from shipsafe.signing.zip_entries import content, read_entries

_REBUILD = "Build it again, then sign."


def examine(work: Unsigned) -> None:
    """Read a zip once, in pieces.

    Raises:
        IntegrityError: it is not the zip whose digest was given.
        IncompleteError: it cannot be read, or Signer could not sign it.
    """
    try:
        with work.path.open("rb") as file:
            _examine(work, file)
    except OSError as error:
        raise IncompleteError(f"{work.name}: the zip cannot be read: {error.strerror}.", remedy=_REBUILD, path=str(work.path)) from error


def _examine(work: Unsigned, file: BufferedReader) -> None:
    size = os.fstat(file.fileno()).st_size
    if size > LARGEST_ZIP:
        most = f"{LARGEST_ZIP // MEBIBYTE} MiB"
        raise IncompleteError(f"{work.name}: the zip has more than {most}, the most that Signer takes.", remedy="Make it smaller.")
    if size != work.size or hashlib.file_digest(file, "sha256").hexdigest() != work.sha256:
        raise IntegrityError(
            f"{work.name}: {work.path.name} is not the zip that was judged: its SHA-256 is not {work.sha256}.",
            remedy="Find out what wrote to it, build again, then sign.",
        )
    try:
        entries = read_entries(file)
        for entry in entries:
            for _ in content(file, entry):
                pass
        rights(file)
    except IntegrityError as error:
        raise IncompleteError(f"{work.name}: the zip cannot be signed. {error.what}", remedy=_REBUILD) from error
    if not entries:
        raise IncompleteError(f"{work.name}: the zip is empty, and Signer signs none that is.", remedy=_REBUILD)
    if any(f"{entry.name.casefold()}/".startswith(f"{ENTRY.casefold()}/") for entry in entries):  # also as a folder of that name
        raise IncompleteError(
            f"{work.name}: the zip is already signed.", remedy="Give the unsigned zip; `shipsafe inspect` reads this one."
        )
