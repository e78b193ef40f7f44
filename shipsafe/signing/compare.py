"""Whether a signed zip is the unsigned one and the signature, and nothing else.

Same names in the same order, same bytes, same rights, and beside them the signature's entry and at most its folder. What Signer's digest
leaves out is compared here too: where one entry ends and the next begins, and the rights of files.
"""

import struct
import zipfile
from collections.abc import Iterator
from itertools import zip_longest
from typing import IO

from shipsafe.errors import IntegrityError
from shipsafe.signing.layout import ENTRY, FOLDER
from shipsafe.signing.zip_entries import Entry, content, read_entries, shown

_BLOCK = 256 * 1024  # bytes
_REMEDY = "Nothing of it was used. Find out who wrote to the bucket, then sign again."


def compare(unsigned: IO[bytes], signed: IO[bytes]) -> tuple[str, ...]:
    """Compare two zips, in pieces; gives notes on what is no difference and yet worth knowing.

    Raises:
        IntegrityError: the signed zip holds anything else than the unsigned one and its signature.
    """
    before, after = read_entries(unsigned), read_entries(signed)
    own = {FOLDER, ENTRY} - {entry.name for entry in before}
    kept = [entry for entry in after if entry.name not in own]
    for one, other in zip_longest(before, kept):
        _same(unsigned, one, signed, other)
    return _same_rights(unsigned, signed, own)


def _same(unsigned: IO[bytes], one: Entry | None, signed: IO[bytes], other: Entry | None) -> None:
    if one is None or other is None or one.name != other.name:
        where = shown(other.name) if other else "nothing"
        expected = shown(one.name) if one else "nothing more"
        raise IntegrityError(f"The signed zip has {where} where the unsigned one has {expected}.", remedy=_REMEDY)
    if one.size == other.size and one.crc == other.crc:
        pieces = zip_longest(_blocks(unsigned, one), _blocks(signed, other))
        if all(here == there for here, there in pieces):
            return
    raise IntegrityError(f"{shown(one.name)} has other bytes in the signed zip than in the unsigned one.", remedy=_REMEDY)


def _blocks(file: IO[bytes], entry: Entry) -> Iterator[bytes]:
    """The body in pieces of one length, however it was compressed."""
    held = bytearray()
    for chunk in content(file, entry):
        held += chunk
        while len(held) >= _BLOCK:
            yield bytes(held[:_BLOCK])
            del held[:_BLOCK]
    if held:
        yield bytes(held)


def rights(file: IO[bytes]) -> dict[str, int]:
    """The kind and rights of each entry, as `stat` has them; 0 where the zip says none. Read by a second reader, which must agree.

    Raises:
        IntegrityError: it does not.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            return {info.filename: info.external_attr >> 16 for info in archive.infolist()}
    except (zipfile.BadZipFile, struct.error, NotImplementedError, ValueError, OSError) as error:
        raise IntegrityError(f"Another reader cannot read the zip: {str(error)[:120]}.", remedy=_REMEDY) from error


def _same_rights(unsigned: IO[bytes], signed: IO[bytes], own: set[str]) -> tuple[str, ...]:
    """Signer signs no rights of files, and Lambda runs with those that the zip says."""
    before = rights(unsigned)
    after = {name: mode for name, mode in rights(signed).items() if name not in own}
    changed = sorted(name for name in before if after.get(name) != before[name])
    # An archive without any rights is written by tools that know none; nothing can be hidden in that.
    if changed and any(after.values()):
        raise IntegrityError(f"{shown(changed[0])} has other rights in the signed zip than in the unsigned one.", remedy=_REMEDY)
    return ("The signed zip says nothing of the rights of its files; the unsigned one does.",) if changed else ()
