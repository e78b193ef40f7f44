"""Laws of signing a zip: whatever the bytes, it is signed as it is or refused as a zip, and what is signed is what our reader finds."""

import io
import zipfile
from hashlib import sha384

from hypothesis import given
from hypothesis import strategies as st

from shipsafe.errors import IntegrityError
from shipsafe.local.sign_zip import Unsignable, sign_zip
from shipsafe.signing.content_digest import content_digest
from shipsafe.signing.layout import ENTRY, FOLDER

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\\/\x00", exclude_categories=["C"]), min_size=1, max_size=12)
FILES = st.dictionaries(NAMES.filter(lambda name: name not in (".", "..")), st.binary(max_size=200), min_size=1, max_size=5)
METHODS = st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])


def packed(files: dict[str, bytes], method: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    return buffer.getvalue()


@given(FILES, METHODS)
def test_a_signed_zip_holds_the_same_files_and_the_digest_that_was_signed(files: dict[str, bytes], method: int) -> None:
    told: list[bytes] = []

    def sign(content: bytes) -> bytes:
        told.append(content)
        return b"signature"

    signed = sign_zip(packed(files, method), sign)
    with zipfile.ZipFile(io.BytesIO(signed)) as archive:
        assert archive.namelist() == [*files, FOLDER, ENTRY]
        assert {name: archive.read(name) for name in files} == files
    assert content_digest(io.BytesIO(signed)) == sha384(told[0]).digest()


@given(st.data(), FILES, METHODS)
def test_bytes_that_were_changed_are_signed_or_refused_and_nothing_else(data: st.DataObject, files: dict[str, bytes], method: int) -> None:
    """No mutation ends in another exception; where our strict reader takes the result, both agree on what was signed."""
    archive = bytearray(packed(files, method))
    for at in data.draw(st.lists(st.integers(0, len(archive) - 1), min_size=1, max_size=6)):
        archive[at] = data.draw(st.integers(0, 255))
    told: list[bytes] = []

    def sign(content: bytes) -> bytes:
        told.append(content)
        return b"signature"

    try:
        signed = sign_zip(bytes(archive), sign)
    except Unsignable:
        return
    try:
        found = content_digest(io.BytesIO(signed))
    except IntegrityError:
        return
    assert found == sha384(told[0]).digest()


@given(st.binary(max_size=400))
def test_no_bytes_end_in_another_exception(junk: bytes) -> None:
    for archive in (junk, b"PK\x03\x04" + junk, junk + packed({"a": b"1"}, zipfile.ZIP_STORED), b"PK\x05\x06" + junk):
        try:
            sign_zip(archive, lambda _: b"signature")
        except Unsignable:
            continue
