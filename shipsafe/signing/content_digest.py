"""The digest that AWS Signer signs: of names and bodies, not of the zip.

    SHA-384(SHA-384(name || body || name || body || ...))

over the entries in the order of the archive, folders and `META_INF/` too, without the signature. Compression, times and permissions are
not in it, and nothing says where a name ends and a body begins: `a.py` with `def` and `a.pyd` with `ef` give the same digest. It is weaker
than the digest of the zip, which is why shipsafe pins that one as well.

Where the formula comes from: docs/guides/signatures.md.
"""

import hashlib
from collections.abc import Iterable
from typing import IO

from shipsafe.signing.layout import ENTRY
from shipsafe.signing.zip_entries import Entry, content, read_entries


def content_digest(file: IO[bytes]) -> bytes:
    """The 48 bytes that a signature of this zip says, or should say.

    Raises:
        IntegrityError: it is not a zip that has one meaning (see `zip_entries`).
    """
    return hashlib.sha384(inner_digest(file, read_entries(file))).digest()


def inner_digest(file: IO[bytes], entries: Iterable[Entry]) -> bytes:
    """The 48 bytes that are the detached content of the CMS signature; its message digest is their SHA-384.

    Raises:
        IntegrityError: the body of an entry is not what the zip says.
    """
    digest = hashlib.sha384()
    for entry in entries:
        if entry.name == ENTRY:
            continue
        digest.update(entry.name.encode())
        for chunk in content(file, entry):
            digest.update(chunk)
    return digest.digest()
