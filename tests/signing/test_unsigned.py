"""What cannot be signed is refused before it is uploaded."""

import io
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from shipsafe.errors import IncompleteError, IntegrityError
from shipsafe.signing.layout import ENTRY, LARGEST_ZIP
from shipsafe.signing.unsigned import examine
from tests.signing.zips import unsigned, zip_bytes

GOOD = zip_bytes({"app.py": b"def handler(event, context): ...\n"})


def _with_a_field_that_is_cut_short() -> bytes:
    """An entry whose extra field says that it has 16 bytes, and has four."""
    made, entry = io.BytesIO(), zipfile.ZipInfo("app.py")
    entry.extra = b"\x99\x99\x10\x00four"
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(entry, b"x")
    return made.getvalue()


def test_a_zip_as_it_was_judged_can_be_signed(tmp_path: Path) -> None:
    examine(unsigned(tmp_path, "orders", GOOD))


def test_a_zip_that_is_another_by_now_is_refused(tmp_path: Path) -> None:
    work = unsigned(tmp_path, "orders", GOOD)
    work.path.write_bytes(zip_bytes({"app.py": b"def handler(event, context): .?.\n"}))
    with pytest.raises(IntegrityError, match=r"orders: orders\.zip is not the zip that was judged"):
        examine(work)


def test_a_zip_of_another_size_is_refused_whatever_its_digest(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="is not the zip that was judged"):
        examine(replace(unsigned(tmp_path, "orders", GOOD), size=1))


def test_a_zip_that_is_gone_is_refused(tmp_path: Path) -> None:
    work = unsigned(tmp_path, "orders", GOOD)
    work.path.unlink()
    with pytest.raises(IncompleteError, match="cannot be read: No such file"):
        examine(work)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "This is not a zip"),
        (b"not a zip at all", "This is not a zip"),
        (zip_bytes({}), "the zip is empty"),
        (zip_bytes({"app.py": b"", ENTRY: b"signature"}), "already signed"),
        (zip_bytes({"app.py": b"", ENTRY.lower(): b"signature"}), "already signed"),
        (zip_bytes({"app.py": b"", f"{ENTRY}/more": b"a folder where the signature goes"}), "already signed"),
        (GOOD[:-10], "cannot be signed"),
        (b"#!/bin/sh\n" + GOOD, "bytes before the zip"),
        (GOOD.replace(b"app.py", b"../.py"), "leads out of the zip"),
        (GOOD.replace(b"PK\x01\x02\x14\x03\x14", b"PK\x01\x02\x14\x03\x63"), "asks for version 9.9 of the zip format"),
        (_with_a_field_that_is_cut_short(), "Another reader cannot read the zip: Corrupt extra field 9999"),
        (zip_bytes({"app.py": b"x" * 500}).replace(zip_bytes({"app.py": b"x" * 500})[36:39], b"\xff\xff\xff", 1), "cannot be unpacked"),
    ],
)
def test_a_zip_that_signer_could_not_sign_is_refused(tmp_path: Path, data: bytes, told: str) -> None:
    with pytest.raises(IncompleteError, match=told) as caught:
        examine(unsigned(tmp_path, "orders", data))
    assert caught.value.what.startswith("orders: ")


def test_a_zip_larger_than_signer_takes_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "large.zip"
    with path.open("wb") as file:
        file.truncate(LARGEST_ZIP + 1)
    with pytest.raises(IncompleteError, match="more than 250 MiB"):
        examine(replace(unsigned(tmp_path, "orders", GOOD), path=path, size=LARGEST_ZIP + 1))


def test_an_entry_that_is_compressed_in_another_way_is_refused(tmp_path: Path) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("app.py", b"pass\n" * 100)
    with pytest.raises(IncompleteError, match="compressed in a way that Lambda does not unpack"):
        examine(unsigned(tmp_path, "orders", data.getvalue()))
