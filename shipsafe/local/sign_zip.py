"""Puts a signature into a zip: a folder entry and the signature's file behind all others, whose bytes stay as they are.

The archive is opened by hand at one place, its central directory: what `zipfile` writes when it appends may spell names, flags and extra
fields of the other entries anew. Every entry is read through `zipfile`, with its checksum, before anything is signed.
"""

import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha384
from io import BytesIO

from shipsafe.adapters.files import MEBIBYTE
from shipsafe.packing.zip_records import STORED, Member, central_header, end_records, local_header
from shipsafe.signing.layout import ENTRY, FOLDER, LARGEST_ZIP

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_END = struct.Struct("<4s4H2LH")  # APPNOTE 4.3.16, end of central directory
_END_64 = struct.Struct("<4sQ2H2L4Q")  # 4.3.14
_LOCATOR_64 = struct.Struct("<4sLQL")  # 4.3.15
_LONGEST_COMMENT = 0xFFFF
_UTF8 = 0x800
_ENCRYPTED = 0x1
_FILE_MODE, _FOLDER_MODE = 0o100644, 0o040755
_MOST_ENTRIES = 200_000


class Unsignable(Exception):  # noqa: N818 - it says why a signing job failed; nothing of ours did
    """The zip cannot be signed. Its text is the job's `statusReason`; AWS's own texts are not known."""


@dataclass(frozen=True, slots=True)
class _Directory:
    """Where the central directory lies, how many entries it has, and the archive's comment."""

    begins: int
    size: int
    count: int
    comment: bytes


def sign_zip(archive: bytes, sign: Callable[[bytes], bytes]) -> bytes:
    """The archive with a signature in it.

    Args:
        archive: an unsigned zip.
        sign: content digest (48 bytes; the folder entry that is added counts) -> text of the signature.

    Raises:
        Unsignable: the zip is empty, already signed, malformed, or larger than 250 MB when it is unpacked.
    """
    if not archive:
        raise Unsignable("The source object is empty.")
    directory = _find_directory(archive)
    content, has_folder = _read(archive)
    text = sign(content)
    added = [] if has_folder else [_member(FOLDER, b"", _FOLDER_MODE)]
    added.append(_member(ENTRY, text, _FILE_MODE))
    bodies, records = bytearray(), bytearray()
    for member in added:
        records += central_header(member, directory.begins + len(bodies))
        bodies += local_header(member) + (text if member.size else b"")
    end = end_records(directory.count + len(added), directory.size + len(records), directory.begins + len(bodies))
    comment = struct.pack("<H", len(directory.comment)) + directory.comment
    whole = memoryview(archive)
    before, central = whole[: directory.begins], whole[directory.begins : directory.begins + directory.size]
    return b"".join((before, bodies, central, records, end[:-2], comment))


def _find_directory(archive: bytes) -> _Directory:
    """Read the records that end an archive; nothing may stand between them, or before the first entry."""
    at = archive.rfind(b"PK\x05\x06", max(0, len(archive) - _END.size - _LONGEST_COMMENT))
    if at < 0 or at + _END.size > len(archive):
        raise _malformed("it has no end record")
    _, disk, first_disk, _, count, size, begins, length = _END.unpack_from(archive, at)
    ends = at
    locator = at - _LOCATOR_64.size
    if locator >= 0 and archive[locator : locator + 4] == b"PK\x06\x07":
        ends = _LOCATOR_64.unpack_from(archive, locator)[2]
        if ends + _END_64.size != locator or archive[ends : ends + 4] != b"PK\x06\x06":
            raise _malformed("its zip64 records contradict each other")
        _, _, _, _, disk, first_disk, _, count, size, begins = _END_64.unpack_from(archive, ends)
    comment = archive[at + _END.size :]
    if disk or first_disk or length != len(comment) or begins + size != ends or count > _MOST_ENTRIES:
        raise _malformed("its end record does not fit it")
    if count and not archive.startswith(b"PK\x03\x04"):
        raise _malformed("it does not begin with an entry")
    return _Directory(begins, size, count, comment)


def _read(archive: bytes) -> tuple[bytes, bool]:
    """The digest of names and bodies in the archive's order, with the signature's folder, and whether the archive holds that."""
    content = sha384()
    try:
        with zipfile.ZipFile(BytesIO(archive)) as file:
            entries = file.infolist()
            _refuse(entries)
            for entry in entries:
                content.update(entry.orig_filename.encode("utf-8" if entry.flag_bits & _UTF8 else "cp437"))
                with file.open(entry) as body:
                    while chunk := body.read(MEBIBYTE):
                        content.update(chunk)
    except (zipfile.BadZipFile, zlib.error, EOFError, UnicodeError, struct.error, NotImplementedError) as error:
        raise _malformed(str(error) or "it ends too early") from error
    has_folder = any(entry.filename == FOLDER for entry in entries)
    content.update(b"" if has_folder else FOLDER.encode())
    return content.digest(), has_folder


def _refuse(entries: list[zipfile.ZipInfo]) -> None:
    if not entries:
        raise Unsignable("The source object is an empty archive.")
    if any(entry.filename == ENTRY for entry in entries):
        raise Unsignable("The source object is already signed.")
    if len({entry.orig_filename for entry in entries}) != len(entries):
        raise _malformed("two entries have the same name")
    if any(entry.flag_bits & _ENCRYPTED or entry.compress_type not in _METHODS for entry in entries):
        raise _malformed("an entry is encrypted, or neither stored nor deflated")
    if sum(entry.file_size for entry in entries) > LARGEST_ZIP:
        raise Unsignable(f"The source object is larger than {LARGEST_ZIP // MEBIBYTE} MB when it is unpacked.")


def _member(name: str, body: bytes, mode: int) -> Member:
    return Member(name=name, mode=mode, method=STORED, crc=zlib.crc32(body), size=len(body), compressed=len(body))


def _malformed(why: str) -> Unsignable:
    return Unsignable(f"The source object is malformed: {why[:200]}.")
