"""A zip and its signature together: what was tampered with is found, or the zip is refused."""

import io
import zipfile
from collections.abc import Sequence

import pytest

from shipsafe.errors import IntegrityError
from shipsafe.signing.signed_zip import look
from tests.signing import made

FOLDER = ("META_INF/", b"")
WHOLE = (*made.FILES, FOLDER)
SIGNATURE = made.sign(made.inner_digest(WHOLE))


def _zip(entries: Sequence[tuple[str, bytes]], *, compression: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    return io.BytesIO(made.Zip(list(entries), compression).bytes())


def test_a_signed_zip_is_intact() -> None:
    found = look(io.BytesIO(made.signed_zip()))
    assert found.intact
    assert found.signature is not None
    assert found.signature.message_digest == found.digest
    assert [entry.name for entry in found.entries] == ["app.py", "lib/", "lib/prices.py", "META_INF/", made.ENTRY]
    assert [entry.size for entry in found.entries[:3]] == [len(body) for _, body in made.FILES]


def test_a_zip_without_a_signature_has_none_and_is_not_intact() -> None:
    found = look(_zip(made.FILES))
    assert found.signature is None
    assert not found.intact
    assert len(found.entries) == 3


@pytest.mark.parametrize(
    "entries",
    [
        [("app.py", b"evil"), *WHOLE[1:]],
        [("evil.py", b"import app"), *WHOLE],
        [*WHOLE, ("evil.py", b"import app")],
        WHOLE[1:],
        [WHOLE[2], *WHOLE[:2], FOLDER],
        [("App.py", WHOLE[0][1]), *WHOLE[1:]],
        made.FILES,
    ],
    ids=["changed", "added first", "added last", "removed", "moved", "renamed", "without the folder"],
)
def test_contents_that_were_not_signed_are_not_intact(entries: Sequence[tuple[str, bytes]]) -> None:
    found = look(_zip([*entries, (made.ENTRY, SIGNATURE)]))
    assert found.signature is not None
    assert not found.intact


def test_another_compressor_and_other_times_are_still_intact() -> None:
    """As AWS has it: the digest of the zip finds these, the signature does not."""
    assert look(_zip([*WHOLE, (made.ENTRY, SIGNATURE)], compression=zipfile.ZIP_STORED)).intact


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([], "empty"),
        ([*WHOLE, (made.ENTRY, SIGNATURE), ("late.py", b"")], "not the last entry"),
        ([(made.ENTRY, SIGNATURE), *WHOLE], "not the last entry"),
        ([*WHOLE, (made.ENTRY, SIGNATURE), ("./" + made.ENTRY, SIGNATURE)], "stands in the zip twice"),
        ([*WHOLE, (made.ENTRY.lower(), SIGNATURE)], "taken for its signature"),
        ([*WHOLE, (made.ENTRY.lower(), SIGNATURE), (made.ENTRY, SIGNATURE)], "taken for its signature"),
        ([*WHOLE, (made.ENTRY + "/", b"")], "taken for its signature"),
        ([*WHOLE, ("./" + made.ENTRY, SIGNATURE)], "taken for its signature"),
        ([*WHOLE, (made.ENTRY, b"")], "layout of the signature is unknown"),
        ([*WHOLE, (made.ENTRY, SIGNATURE[:-20])], "layout of the signature is unknown"),
        ([*WHOLE, (made.ENTRY, b"A" * 70_000)], "more than 65536 bytes"),
    ],
)
def test_a_signature_that_is_not_where_it_belongs_is_refused(entries: Sequence[tuple[str, bytes]], words: str) -> None:
    with pytest.raises(IntegrityError, match=words):
        look(_zip(entries))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_signatures_are_refused() -> None:
    with pytest.raises(IntegrityError, match="stands in the zip twice"):
        look(_zip([*WHOLE, (made.ENTRY, SIGNATURE), (made.ENTRY, SIGNATURE)]))
