"""What is in the digest that Signer signs, and what is not."""

import hashlib
import io
import zipfile

import pytest

from shipsafe.errors import IntegrityError
from shipsafe.signing.content_digest import content_digest
from tests.signing import made


def _digest(archive: made.Zip) -> bytes:
    return content_digest(io.BytesIO(archive.bytes()))


def test_it_is_the_digest_of_the_digest_of_names_and_bodies_in_order() -> None:
    plain = b"".join(name.encode() + body for name, body in made.FILES)
    assert _digest(made.Zip()) == hashlib.sha384(hashlib.sha384(plain).digest()).digest()


def test_compression_and_times_are_not_in_it() -> None:
    assert _digest(made.Zip()) == _digest(made.Zip(compression=zipfile.ZIP_STORED, time=(2026, 1, 2, 3, 4, 6)))


def test_the_signature_is_not_in_it_and_its_folder_is() -> None:
    folder = [*made.FILES, ("META_INF/", b"")]
    unsigned, signed = _digest(made.Zip(folder)), content_digest(io.BytesIO(made.signed_zip()))
    assert unsigned == signed
    assert unsigned != _digest(made.Zip())


@pytest.mark.parametrize(
    "entries",
    [
        [*made.FILES, ("new.py", b"")],
        made.FILES[:-1],
        [made.FILES[0], made.FILES[2], made.FILES[1]],
        [("App.py", made.FILES[0][1]), *made.FILES[1:]],
        [("app.py", made.FILES[0][1] + b"\n"), *made.FILES[1:]],
    ],
    ids=["added", "removed", "moved", "renamed", "changed"],
)
def test_whatever_changes_an_entry_changes_it(entries: list[tuple[str, bytes]]) -> None:
    assert _digest(made.Zip(entries)) != _digest(made.Zip())


def test_where_a_name_ends_is_not_in_it() -> None:
    """The weakness of the formula: this is why the digest of the zip is pinned as well."""
    assert _digest(made.Zip([("a.py", b"def f(): ...")])) == _digest(made.Zip([("a.pyd", b"ef f(): ...")]))


def test_a_large_entry_is_streamed() -> None:
    class Watched(io.BytesIO):
        largest = 0

        def read(self, size: int | None = -1) -> bytes:
            data = super().read(size)
            self.largest = max(self.largest, len(data))
            return data

    body = bytes(range(251)) * 20_000
    file = Watched(made.Zip([("a.bin", body)], compression=zipfile.ZIP_STORED).bytes())
    assert content_digest(file) == hashlib.sha384(hashlib.sha384(b"a.bin" + body).digest()).digest()
    assert file.largest <= 256 * 1024


def test_what_is_no_zip_has_none() -> None:
    with pytest.raises(IntegrityError, match="not a zip"):
        content_digest(io.BytesIO(b"hello"))
