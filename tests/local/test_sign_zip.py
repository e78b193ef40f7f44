"""A signed zip is the unsigned one with two entries behind the others."""

import io
import struct
import subprocess
import zipfile
from hashlib import sha384
from pathlib import Path

import pytest

from shipsafe.local.sign_zip import Unsignable, sign_zip
from shipsafe.signing.content_digest import content_digest
from shipsafe.signing.layout import ENTRY, FOLDER

SIGNATURE = b"-----BEGIN PKCS7-----\n"


def signed(archive: bytes) -> bytes:
    return sign_zip(archive, lambda _: SIGNATURE)


def packed(files: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED, comment: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, body in files.items():
            info = zipfile.ZipInfo(name)  # of 1980: the bytes of today's time may be those that a test replaces
            info.compress_type = method
            archive.writestr(info, body)
        archive.comment = comment
    return buffer.getvalue()


FILES = {"app.py": b"def handler(event, context):\n    return 1\n", "lib/": b"", "lib/data.bin": bytes(range(256)) * 40, "leer": b""}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_all_other_members_keep_their_bytes(method: int) -> None:
    """Local headers and data stand where they stood, and the central directory's records follow unchanged."""
    before = packed(FILES, method=method)
    after = signed(before)
    directory = before.index(b"PK\x01\x02")
    end = before.index(b"PK\x05\x06")
    assert after.startswith(before[:directory])
    assert before[directory:end] in after


def test_a_folder_entry_and_the_signature_stand_behind_them() -> None:
    with zipfile.ZipFile(io.BytesIO(signed(packed(FILES)))) as archive:
        assert archive.namelist() == [*FILES, FOLDER, ENTRY]
        assert archive.read(ENTRY) == SIGNATURE
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in FILES} == FILES


def test_unzip_finds_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "signed.zip"
    path.write_bytes(signed(packed(FILES)))
    done = subprocess.run(["unzip", "-t", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "No errors detected" in done.stdout


def test_what_is_signed_is_what_our_reader_finds() -> None:
    """The signer reads zips in its own way; both must come to the same digest, of names and bodies in order, folders too."""
    told: list[bytes] = []

    def sign(content: bytes) -> bytes:
        told.append(content)
        return SIGNATURE

    after = sign_zip(packed(FILES), sign)
    assert told[0] == sha384(b"".join(name.encode() + body for name, body in FILES.items()) + FOLDER.encode()).digest()
    assert content_digest(io.BytesIO(after)) == sha384(told[0]).digest()


def test_a_folder_of_that_name_is_not_added_twice() -> None:
    files = {FOLDER: b"", FOLDER + "NOTICE": b"x", "app.py": b"y"}
    with zipfile.ZipFile(io.BytesIO(signed(packed(files)))) as archive:
        assert archive.namelist() == [*files, ENTRY]


def test_the_comment_of_an_archive_stays() -> None:
    with zipfile.ZipFile(io.BytesIO(signed(packed(FILES, comment=b"made in spring")))) as archive:
        assert archive.comment == b"made in spring"


def test_a_name_that_is_not_unicode_stays_as_it_is() -> None:
    """`zipfile` would spell it anew in one of the two places."""
    before = packed({"caf\x82.txt".replace("\x82", "X"): b"1"}).replace(b"cafX", b"caf\x82")
    with zipfile.ZipFile(io.BytesIO(signed(before))) as archive:
        assert archive.namelist()[0] == "café.txt"
        assert archive.read("café.txt") == b"1"
    assert signed(before).count(b"caf\x82.txt") == 2


def test_an_archive_of_more_than_65535_entries_is_signed() -> None:
    before = packed({f"{number:x}": b"" for number in range(66_000)}, method=zipfile.ZIP_STORED)
    with zipfile.ZipFile(io.BytesIO(signed(before))) as archive:
        assert len(archive.namelist()) == 66_002
        assert archive.read(ENTRY) == SIGNATURE


@pytest.mark.parametrize(
    ("archive", "why"),
    [
        (b"", "is empty"),
        (packed({}), "an empty archive"),
        (b"no zip at all", "malformed: it has no end record"),
        (packed(FILES)[:-1], "malformed"),
        (packed(FILES)[1:], "malformed"),
        (b"#!/bin/sh\n" + packed(FILES), "malformed"),
        (packed(FILES) + b"behind", "malformed"),
        (packed({ENTRY: b"x", "a": b"y"}), "already signed"),
        (packed({"a": b"x"}).replace(b"a", b"b", 1), "malformed"),
        (packed(FILES, method=zipfile.ZIP_STORED).replace(b"return 1", b"return 2"), "malformed: Bad CRC-32"),
        (packed(FILES, method=zipfile.ZIP_LZMA), "malformed: an entry is encrypted, or neither stored nor deflated"),
        (packed({"a": b"x"}).replace(b"PK\x01\x02\x14\x03\x14\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01\x00"), "encrypted"),
        (packed({"a": b"1", "b": b"2"}).replace(b"b", b"a"), "malformed: two entries have the same name"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_signed_says_why(archive: bytes, why: str) -> None:
    with pytest.raises(Unsignable, match=why):
        sign_zip(archive, lambda _: pytest.fail("nothing may be signed"))


def test_a_signed_zip_is_not_signed_again() -> None:
    with pytest.raises(Unsignable, match="already signed"):
        signed(signed(packed(FILES)))


def test_a_zip_that_says_it_unpacks_to_more_than_250_mb_is_refused_unread() -> None:
    """Its records say 300 MB; nothing is unpacked to find out."""
    claims = struct.pack("<L", 300 * 1024 * 1024)
    archive = packed({"a": b"1234"}, method=zipfile.ZIP_STORED)
    size = struct.pack("<2L", 4, 4)
    bomb = archive.replace(size, size[:4] + claims)
    with pytest.raises(Unsignable, match="larger than 250 MB"):
        signed(bomb)
