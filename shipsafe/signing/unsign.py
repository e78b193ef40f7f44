"""A signed zip without its signature: the same entries, byte for byte as they are compressed, so that it can be signed by somebody else.

Signer signs no zip that holds a signature. It appends its folder and its file behind everything else; so the zip is cut where they begin,
and its directory loses their records. The two are then compared as after signing: nothing but the signature may be missing.
"""

import secrets
import struct
from pathlib import Path
from typing import IO

from shipsafe.adapters.files import MEBIBYTE, disk_errors
from shipsafe.errors import IncompleteError
from shipsafe.signing.compare import compare
from shipsafe.signing.layout import ENTRY, FOLDER
from shipsafe.signing.zip_end import find_directory
from shipsafe.signing.zip_entries import read_entries

_RECORD = struct.Struct("<4s6H3L5H2L")  # APPNOTE.TXT 4.3.12; name, extra field and comment follow
_END = struct.Struct("<4s4H2LH")
_CHUNK = MEBIBYTE
_SMALL, _MOST = 0xFFFF_FFFE, 0xFFFE  # bytes and entries that the small end record holds
_BY_HAND = "Ask its publisher for the unsigned zip."


def is_signed(path: Path) -> bool:
    """Whether a zip holds a signature of Signer's, whatever that is worth.

    Raises:
        IntegrityError: it is no zip that all readers read alike.
        IncompleteError: it cannot be read.
    """
    with disk_errors(path), path.open("rb") as file:
        return any(entry.name == ENTRY for entry in read_entries(file))


def without_signature(path: Path, out: Path) -> None:
    """Write a signed zip without its signature; equal input gives equal bytes.

    Raises:
        IntegrityError: it is no zip that all readers read alike, or what is left is not what was there.
        IncompleteError: the signature does not stand at the end, or the disk refuses.
    """
    part = out.with_name(f".{out.name}.{secrets.token_hex(4)}.part")
    with disk_errors(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("rb") as signed, part.open("x+b") as made:
                _cut(signed, made, str(path))
                compare(made, signed)
            part.replace(out)
        finally:
            part.unlink(missing_ok=True)


def _cut(signed: IO[bytes], made: IO[bytes], shown: str) -> None:
    entries = read_entries(signed)  # which are in the order of the directory, with nothing between them
    start, end, count = find_directory(signed, signed.seek(0, 2))
    own = [entry.name for entry in entries if entry.name in (FOLDER, ENTRY)]
    if [entry.name for entry in entries[-len(own) :]] != own or end > _SMALL or count > _MOST:
        raise IncompleteError("Its signature does not stand at its end, as Signer writes it.", remedy=_BY_HAND, path=shown)
    signed.seek(start)
    cut, directory = _kept(signed.read(end - start), count - len(own))
    signed.seek(0)
    while cut > made.tell():
        made.write(signed.read(min(_CHUNK, cut - made.tell())))
    made.write(directory)
    made.write(_END.pack(b"PK\x05\x06", 0, 0, count - len(own), count - len(own), len(directory), cut, 0))
    made.flush()


def _kept(directory: bytes, count: int) -> tuple[int, bytes]:
    """Where the entry behind the first `count` ones begins, and the records of those."""
    at = 0
    for _ in range(count):
        name, extra, comment = _RECORD.unpack_from(directory, at)[10:13]
        at += _RECORD.size + name + extra + comment
    return _RECORD.unpack_from(directory, at)[-1], directory[:at]
