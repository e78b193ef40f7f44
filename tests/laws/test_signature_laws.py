"""Whatever is changed in a signed zip is noticed, and whatever else is read never ends in a traceback."""

import hashlib
import io
import zipfile
from contextlib import suppress
from functools import cache

from hypothesis import example, given, settings
from hypothesis import strategies as st

from shipsafe.errors import IntegrityError
from shipsafe.signing.content_digest import content_digest
from shipsafe.signing.layout import ENTRY
from shipsafe.signing.signature import read_signature
from shipsafe.signing.signed_zip import look
from shipsafe.signing.zip_entries import read_entries
from tests.signing import made

FLIP = st.integers(min_value=1, max_value=255)
POSITION = st.floats(min_value=0, max_value=1, exclude_max=True)
NAME = st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="/\\"), min_size=1, max_size=12).filter(
    lambda name: name not in (".", "..")
)
FILES = st.dictionaries(NAME, st.binary(max_size=40), min_size=1, max_size=5)


@cache
def _signature() -> bytes:
    return made.sign(b"\x07" * 48, ber=True)


@cache
def _signed() -> bytes:
    return made.signed_zip(compression=zipfile.ZIP_STORED)


def _holds(archive: bytes) -> bool:
    try:
        found = look(io.BytesIO(archive))
    except IntegrityError:
        return False
    return found.intact


def _flipped(data: bytes, where: float, flip: int) -> bytes:
    at = int(where * len(data))
    return data[:at] + bytes([data[at] ^ flip]) + data[at + 1 :]


@given(where=POSITION, flip=FLIP)
@settings(max_examples=300, deadline=None)
def test_a_signature_of_which_one_byte_was_changed_is_refused(where: float, flip: int) -> None:
    changed = made.armor(_flipped(made.unarmor(_signature()), where, flip))
    try:
        read_signature(changed)
    except IntegrityError:
        return
    raise AssertionError(where)


@given(where=POSITION, flip=FLIP)
@settings(max_examples=200, deadline=None)
def test_a_text_of_a_signature_of_which_one_byte_was_changed_is_refused(where: float, flip: int) -> None:
    try:
        read_signature(_flipped(_signature(), where, flip))
    except IntegrityError:
        return
    raise AssertionError(where)


def _needs() -> float:
    """Where the directory's first record says which version of the format it needs, as a part of the whole."""
    return (_signed().index(b"PK\x01\x02") + 6.5) / len(_signed())


@given(where=POSITION, flip=FLIP)
@example(where=_needs(), flip=64)  # Python's reader refuses version 8.4
@settings(max_examples=400, deadline=None)
def test_a_signed_zip_of_which_one_byte_was_changed_has_the_same_contents_or_does_not_hold(where: float, flip: int) -> None:
    """Times, permissions and versions are not signed; names and bodies are."""
    changed = _flipped(_signed(), where, flip)
    if _holds(changed):
        assert _plain(changed) == _plain(_signed())


def _plain(archive: bytes) -> list[tuple[str, bytes]]:
    """What another reader finds in it."""
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        return [(info.filename, file.read(info)) for info in file.infolist()]


@given(files=FILES, where=POSITION, flip=FLIP, pick=POSITION)
@settings(max_examples=100, deadline=None)
def test_a_member_of_which_one_byte_was_changed_is_not_what_was_signed(
    files: dict[str, bytes], where: float, flip: int, pick: float
) -> None:
    whole = [*files.items(), ("META_INF/", b"")]
    signature = (ENTRY, made.sign(made.inner_digest(whole)))
    assert _holds(made.Zip([*whole, signature]).bytes())
    number = int(pick * len(files))
    name, body = whole[number]
    changed = _flipped(body, where, flip) if body else b"new"
    assert not _holds(made.Zip([*whole[:number], (name, changed), *whole[number + 1 :], signature]).bytes())


@given(files=FILES, name=NAME, pick=POSITION)
@settings(max_examples=100, deadline=None)
def test_an_entry_of_another_name_is_not_what_was_signed(files: dict[str, bytes], name: str, pick: float) -> None:
    whole = [*files.items(), ("META_INF/", b"")]
    number = int(pick * len(files))
    renamed = [*whole[:number], (name, whole[number][1]), *whole[number + 1 :]]
    if name in files or b"".join(n.encode() + b for n, b in renamed) == b"".join(n.encode() + b for n, b in whole):
        return  # no other name, or one that takes a part of the body: docs/guides/signatures.md says so
    assert not _holds(made.Zip([*renamed, (ENTRY, made.sign(made.inner_digest(whole)))]).bytes())


@given(files=FILES)
@settings(max_examples=100, deadline=None)
def test_the_digest_is_the_plain_reading_of_the_formula(files: dict[str, bytes]) -> None:
    expected = hashlib.sha384(made.inner_digest(files.items())).digest()
    assert content_digest(io.BytesIO(made.Zip(list(files.items())).bytes())) == expected


@given(data=st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_no_bytes_end_in_a_traceback(data: bytes) -> None:
    for text in (data, made.armor(data or b"0")):
        with suppress(IntegrityError):
            raise AssertionError(read_signature(text))
    with suppress(IntegrityError):
        assert look(io.BytesIO(data)).signature is None


@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_no_damage_to_a_zip_ends_in_a_traceback(data: st.DataObject) -> None:
    """Cuts, copies and changed bytes at up to four places."""
    archive = bytearray(_signed())
    for _ in range(data.draw(st.integers(1, 4))):
        at, length = data.draw(st.integers(0, len(archive))), data.draw(st.integers(0, 40))
        archive[at : at + length] = data.draw(st.binary(max_size=40))
    try:
        found = look(io.BytesIO(bytes(archive)))
    except IntegrityError:
        return
    assert len(found.entries) == len(read_entries(io.BytesIO(bytes(archive))))
