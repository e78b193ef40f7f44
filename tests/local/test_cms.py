"""The signature that is written: OpenSSL accepts it, and it has the layout of genuine ones."""

import subprocess
from datetime import UTC, datetime, timedelta
from hashlib import sha384
from pathlib import Path

import pytest
from asn1crypto import cms, pem
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from shipsafe.local.cms import write_signature
from shipsafe.local.pki import LocalRoot
from shipsafe.signing.signature import read_signature

CONTENT = sha384(b"names and bodies").digest()
SIGNED = datetime(2022, 2, 11, 17, 45, 24, 338000, tzinfo=UTC)
EXPIRES = datetime(2033, 5, 11, 17, 45, 24, tzinfo=UTC)
JOB = "arn:aws:signer:us-west-2:464622532012:/signing-jobs/3b4a0d5e-0000-4000-8000-000000000000"
PROFILE = "arn:aws:signer:us-west-2:464622532012:/signing-profiles/Prod/9vMI9ZAGLc"


@pytest.fixture(scope="module")
def text(local_root: LocalRoot) -> bytes:
    return write_signature(CONTENT, local_root.issue(SIGNED), job=JOB, profile_version=PROFILE, signed_at=SIGNED, expires=EXPIRES)


def verify(folder: Path, text: bytes, content: bytes, root: LocalRoot, at: datetime) -> "subprocess.CompletedProcess[str]":
    """What OpenSSL says of a signature over that content, at that time."""
    (folder / "signature").write_bytes(text)
    (folder / "content").write_bytes(content)
    (folder / "root").write_bytes(x509.load_der_x509_certificate(root.certificate).public_bytes(Encoding.PEM))
    command = ["openssl", "cms", "-verify", "-binary", "-inform", "PEM", "-in", "signature", "-content", "content", "-CAfile", "root"]
    command += ["-purpose", "any", "-attime", str(int(at.timestamp())), "-out", "verified"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_openssl_verifies_it_when_it_was_signed(tmp_path: Path, text: bytes, local_root: LocalRoot) -> None:
    done = verify(tmp_path, text, CONTENT, local_root, SIGNED)
    assert (done.returncode, done.stderr) == (0, "CMS Verification successful\n")


@pytest.mark.parametrize("after", [timedelta(days=3, seconds=1), timedelta(seconds=-1)])
def test_openssl_refuses_its_leaf_at_other_times(tmp_path: Path, text: bytes, local_root: LocalRoot, after: timedelta) -> None:
    """A chain is checked at signing time, never at now: the leaf lives for three days."""
    done = verify(tmp_path, text, CONTENT, local_root, SIGNED + after)
    assert done.returncode != 0
    assert "certificate" in done.stderr


def test_openssl_refuses_other_content(tmp_path: Path, text: bytes, local_root: LocalRoot) -> None:
    done = verify(tmp_path, text, sha384(b"another").digest(), local_root, SIGNED)
    assert done.returncode != 0
    assert "content verify error" in done.stderr


def test_it_has_the_layout_of_genuine_ones(text: bytes) -> None:
    """Each line of the layout that was read off a genuine signature."""
    assert text.startswith(b"-----BEGIN PKCS7-----\n")
    der = pem.unarmor(text)[2]
    assert der[:2] == b"\x30\x80", "indefinite length"
    data = cms.ContentInfo.load(der)["content"]
    assert data["version"].native == "v1"
    assert data["encap_content_info"].native == {"content_type": "data", "content": None}
    [signer] = data["signer_infos"]
    assert signer["digest_algorithm"]["algorithm"].native == "sha384"
    assert signer["signature_algorithm"]["algorithm"].native == "sha384_ecdsa"
    attributes = {attribute["type"].dotted: attribute["values"] for attribute in signer["signed_attrs"]}
    assert set(attributes) == {
        "1.2.840.113549.1.9.3",
        "1.2.840.113549.1.9.4",
        "1.2.840.113549.1.9.5",
        "1.2.840.113549.1.9.52",
        "1.3.187.137.1.2",
        "1.3.187.137.1.3",
        "1.3.187.137.1.4",
    }
    assert attributes["1.2.840.113549.1.9.4"][0].native == sha384(CONTENT).digest()
    assert b"20220211174524.338Z" in attributes["1.2.840.113549.1.9.5"].dump()
    assert b"20330511174524Z" in attributes["1.3.187.137.1.3"].dump()


def test_our_reader_reads_what_was_written(text: bytes, local_root: LocalRoot) -> None:
    signature = read_signature(text)
    assert (signature.job.arn, signature.profile_version.arn) == (JOB, PROFILE)
    assert (signature.signed_at, signature.expires) == (SIGNED, EXPIRES)
    assert signature.root == local_root.fingerprint
    assert signature.message_digest == sha384(CONTENT).digest()
