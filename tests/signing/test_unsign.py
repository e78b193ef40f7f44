"""A signature comes off a zip, and nothing else does."""

import zipfile
from pathlib import Path

import pytest

from shipsafe.errors import IncompleteError, IntegrityError
from shipsafe.local.endpoint import Endpoint
from shipsafe.signing.layout import ENTRY, FOLDER
from shipsafe.signing.unsign import is_signed, without_signature
from tests.signing.place import ZIP, Site, make_bucket, make_profile
from tests.signing.zips import zip_bytes


def test_what_was_signed_is_what_is_left(local_aws: Endpoint, tmp_path: Path) -> None:
    """Byte for byte, where the zip was written as most are."""
    make_bucket()
    make_profile()
    site = Site(local_aws, tmp_path)
    (signed,) = site.run().signed
    path = tmp_path / "signed.zip"
    path.write_bytes(site.client("s3").get_object(Bucket=signed.object.bucket, Key=signed.object.key)["Body"].read())
    without_signature(path, tmp_path / "plain" / "orders.zip")
    assert (tmp_path / "plain" / "orders.zip").read_bytes() == ZIP
    assert [is_signed(path), is_signed(tmp_path / "plain" / "orders.zip")] == [True, False]


def signed_zip(path: Path, *files: str) -> Path:
    path.write_bytes(zip_bytes({name: b"" if name == FOLDER else f"body of {name}".encode() for name in files}))
    return path


def test_one_without_a_folder_entry_too(tmp_path: Path) -> None:
    without_signature(signed_zip(tmp_path / "a.zip", "app.py", ENTRY), tmp_path / "b.zip")
    with zipfile.ZipFile(tmp_path / "b.zip") as made:
        assert made.testzip() is None
        assert made.namelist() == ["app.py"]


@pytest.mark.parametrize("files", [(ENTRY, "app.py"), ("app.py", FOLDER, "b.py", ENTRY), (FOLDER, "app.py", ENTRY)])
def test_one_that_signer_did_not_write_is_refused(tmp_path: Path, files: tuple[str, ...]) -> None:
    with pytest.raises(IncompleteError, match="does not stand at its end"):
        without_signature(signed_zip(tmp_path / "a.zip", *files), tmp_path / "b.zip")
    assert not (tmp_path / "b.zip").exists()


def test_what_is_no_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(ZIP + b"more")
    with pytest.raises(IntegrityError):
        is_signed(tmp_path / "a.zip")
