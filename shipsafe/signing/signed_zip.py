"""A zip and the signature inside it, looked at together.

    with open("orders.zip", "rb") as file:
        zipped = look(file)
    zipped.signature and zipped.intact

The signature is the last entry, and stands in the zip once. A signature that is somewhere else was not put there by AWS Signer, or
something was added after it.
"""

import hashlib
from dataclasses import dataclass
from typing import IO

from shipsafe.signing.content_digest import inner_digest
from shipsafe.signing.layout import ENTRY
from shipsafe.signing.signature import LONGEST, Signature, read_signature, unknown
from shipsafe.signing.zip_end import wrong
from shipsafe.signing.zip_entries import Entry, content, path_of, read_entries

_FOLDED = ENTRY.casefold()


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedZip:
    """What a zip says about itself.

    Attributes:
        signature: None where there is none.
        intact: whether the contents are those that were signed; False without a signature.
        digest: the `content_digest`, 48 bytes.
        entries: all of them, in the order of the archive; the signature's is the last.
    """

    signature: Signature | None
    intact: bool
    digest: bytes
    entries: tuple[Entry, ...]


def look(file: IO[bytes]) -> SignedZip:
    """Read the signature and compare it with the contents. Whose root it is says `roots.trust`.

    Raises:
        IntegrityError: the zip can be read in two ways, or its signature is unknown or wrong. That the contents are others than the signed
            ones raises nothing: `intact` says so.
    """
    entries = read_entries(file)
    return looked_at(file, entries, hashlib.sha384(inner_digest(file, entries)).digest())


def looked_at(file: IO[bytes], entries: tuple[Entry, ...], digest: bytes) -> SignedZip:
    """The same for a zip whose entries were read: `digest` is the `content_digest` of their bodies.

    Raises:
        IntegrityError: the zip is empty, or its signature is unknown or wrong.
    """
    if not entries:
        raise wrong("The zip is empty.")
    signature = _signature(file, entries)
    return SignedZip(
        signature=signature,
        intact=signature is not None and signature.message_digest == digest,
        digest=digest,
        entries=entries,
    )


def _signature(file: IO[bytes], entries: tuple[Entry, ...]) -> Signature | None:
    # A path has one entry (`read_entries`), but a disk that ignores case would not know it from this one.
    alike = [entry for entry in entries if path_of(entry.name).casefold() == _FOLDED]
    if not alike:
        return None
    if len(alike) > 1 or alike[0].name != ENTRY:
        raise wrong("The zip holds something that could be taken for its signature.")
    if alike[0] is not entries[-1]:
        raise wrong("The signature is not the last entry of the zip: something was added after signing.")
    if alike[0].size > LONGEST:
        raise unknown(f"it has more than {LONGEST} bytes")
    return read_signature(b"".join(content(file, alike[0])))
