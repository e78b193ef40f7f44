"""openssl, which knows nothing of us, accepts what our reader accepts: both writers, and the chain at signing time."""

import subprocess
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from shipsafe.local.cms import write_signature
from shipsafe.local.pki import open_root
from shipsafe.local.sign_zip import sign_zip
from shipsafe.signing.content_digest import inner_digest
from shipsafe.signing.signature import Signature
from shipsafe.signing.signed_zip import look
from shipsafe.signing.zip_entries import content, read_entries
from tests.signing import made


def _verify(folder: Path, archive: bytes, at: datetime, root: bytes) -> subprocess.CompletedProcess[str]:
    """`openssl cms -verify` over the inner digest, with this root alone, at that time."""
    file = BytesIO(archive)
    entries = read_entries(file)
    (folder / "sig.pem").write_bytes(b"".join(content(file, entries[-1])).replace(b" PKCS7-", b" CMS-"))
    (folder / "content").write_bytes(inner_digest(file, entries))
    (folder / "root.pem").write_bytes(x509.load_der_x509_certificate(root).public_bytes(Encoding.PEM))
    command = ["openssl", "cms", "-verify", "-binary", "-inform", "PEM", "-in", "sig.pem", "-content", "content", "-out", "out"]
    command += ["-CAfile", "root.pem", "-no-CApath", "-no-CAstore", "-attime", str(int(at.timestamp())), "-purpose", "any"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def _signature(archive: bytes) -> Signature:
    zipped = look(BytesIO(archive))
    assert zipped.intact
    assert zipped.signature
    return zipped.signature


@pytest.mark.parametrize("ber", [False, True], ids=["der", "ber"])
def test_openssl_accepts_what_the_tests_make(tmp_path: Path, ber: bool) -> None:  # noqa: FBT001 - a parameter of the test
    archive = made.signed_zip(signer=lambda inner: made.sign(inner, ber=ber))
    signature = _signature(archive)
    done = _verify(tmp_path, archive, signature.signed_at, signature.certificates[-1].der)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out").read_bytes() == (tmp_path / "content").read_bytes()


def test_openssl_and_our_reader_accept_what_the_local_signer_writes(tmp_path: Path) -> None:
    root, now = open_root(tmp_path / "root"), datetime(2026, 5, 4, 3, 2, 1, 120000, tzinfo=UTC)
    archive = sign_zip(
        made.Zip().bytes(),
        lambda inner: write_signature(
            inner, root.issue(now), job=made.JOB, profile_version=made.PROFILE, signed_at=now, expires=now + timedelta(days=400)
        ),
    )
    signature = _signature(archive)
    assert (signature.job.arn, signature.profile_version.arn) == (made.JOB, made.PROFILE)
    assert (signature.signed_at, signature.expires, signature.root) == (now, now + timedelta(days=400), root.fingerprint)
    done = _verify(tmp_path, archive, now, root.certificate)
    assert done.returncode == 0, done.stderr


def test_openssl_refuses_it_under_another_root_and_at_another_time(tmp_path: Path) -> None:
    archive = made.signed_zip()
    signature = _signature(archive)
    other = made.certify("Another root").der
    assert _verify(tmp_path, archive, signature.signed_at, other).returncode != 0
    later = signature.signed_at + timedelta(days=30)
    assert _verify(tmp_path, archive, later, signature.certificates[-1].der).returncode != 0


def test_openssl_refuses_other_contents(tmp_path: Path) -> None:
    signature = _signature(made.signed_zip())
    changed = made.signed_zip(
        [("app.py", b"evil"), *made.FILES[1:]], signer=lambda _: made.sign(made.inner_digest([*made.FILES, ("META_INF/", b"")]))
    )
    done = _verify(tmp_path, changed, signature.signed_at, signature.certificates[-1].der)
    assert done.returncode != 0
    assert not look(BytesIO(changed)).intact
