"""Keys in KMS, on the local endpoint: the region of the ARN, refusals in our words, and signatures that OpenSSL accepts."""

import hashlib
import subprocess
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from shipsafe.adapters.aws.session import Aws, Place, open_aws
from shipsafe.errors import ConfigError, IncompleteError, IntegrityError
from shipsafe.evidence.envelope import written
from shipsafe.evidence.keys import open_signers, public_key_of
from shipsafe.evidence.trust import vouched
from shipsafe.local.endpoint import Endpoint
from shipsafe.local.faults import Fault
from shipsafe.model.attestation import TrustedKey
from tests.evidence.speakers import BUILDER, DAY, envelope, key, statement, trusts
from tests.local_endpoint import REGION, client

_ELSEWHERE = "us-west-2"
pytestmark = pytest.mark.usefixtures("local_aws")


def _key(spec: str = "ECC_NIST_P384", usage: str = "SIGN_VERIFY", region: str = REGION) -> str:
    with closing(client("kms", region=region)) as kms:
        return str(kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["Arn"])


class _Answering:
    """A client of which some answers are replaced."""

    def __init__(self, inner: Any, answers: Mapping[str, Mapping[str, Any]]) -> None:
        self.inner, self.answers = inner, answers

    def __getattr__(self, name: str) -> Any:
        real = getattr(self.inner, name)
        return (lambda **words: {**real(**words), **self.answers[name]}) if name in self.answers else real


def _answering(**answers: Mapping[str, Any]) -> Any:
    def connect(place: Place) -> Aws:
        aws = open_aws(place)
        aws._clients["kms"] = _Answering(aws.client("kms"), answers)
        return aws

    return connect


@pytest.mark.parametrize("spec", ["ECC_NIST_P384", "ECC_NIST_P256"])
def test_what_kms_signs_is_vouched_for_and_openssl_agrees(spec: str, tmp_path: Path) -> None:
    uri = f"awskms:{_key(spec)}"
    public = public_key_of(uri)
    signers = open_signers([uri])
    assert signers[0].public_key.keyid == public.spki
    line = written(statement(), signers)
    trusted = TrustedKey(name="kms", roles=BUILDER, pem=public.pem, spki=public.spki)
    assert vouched(envelope(line), trusts(trusted), at=DAY, shown="b").by == ("kms",)
    (tmp_path / "pub.pem").write_text(public.pem + "\n")
    (tmp_path / "data").write_bytes(b"some bytes")
    (tmp_path / "sig").write_bytes(bytes.fromhex(signers[0].sign(b"some bytes").signature))
    hashed = "-sha384" if spec.endswith("384") else "-sha256"
    run = ("openssl", "dgst", hashed, "-verify", "pub.pem", "-signature", "sig", "data")
    assert b"Verified OK" in subprocess.run(run, cwd=tmp_path, check=True, capture_output=True).stdout


def test_the_region_is_that_of_the_arn() -> None:
    (signer,) = open_signers([f"awskms:{_key(region=_ELSEWHERE)}"])
    assert signer.sign(b"x").signature


def test_an_alias_is_taken_by_its_arn() -> None:
    arn = _key()
    alias = arn.rpartition(":")[0] + ":alias/evidence"
    with closing(client("kms")) as kms:
        kms.create_alias(AliasName="alias/evidence", TargetKeyId=arn)
    assert public_key_of(f"awskms:{alias}") == public_key_of(f"awskms:{arn}")
    with pytest.raises(ConfigError, match="given before"):
        open_signers([f"awskms:{alias}", f"awskms:{arn}"])


def test_a_key_that_is_not_there_is_incomplete() -> None:
    arn = _key().rpartition("/")[0] + "/11111111-2222-3333-4444-555555555555"
    with pytest.raises(IncompleteError, match="NotFoundException"):
        open_signers([f"awskms:{arn}"])


def test_kms_that_denies_is_incomplete_and_names_the_call(local_aws: Endpoint) -> None:
    arn = _key()
    local_aws.faults.add(Fault(service="kms", operation="GetPublicKey", code="AccessDeniedException", status=400))
    with pytest.raises(IncompleteError, match="GetPublicKey answered AccessDeniedException"):
        open_signers([f"awskms:{arn}"])
    (signer,) = open_signers([f"awskms:{arn}"])
    local_aws.faults.add(Fault(service="kms", operation="Sign", code="AccessDeniedException", status=400))
    with pytest.raises(IncompleteError, match="Sign answered AccessDeniedException"):
        signer.sign(b"x")
    local_aws.faults.add(Fault(service="kms", operation="Sign", code="DisabledException", status=400))
    with pytest.raises(IncompleteError, match="DisabledException"):
        written(statement(), [signer])


@pytest.mark.parametrize(
    ("spec", "usage"),
    [("RSA_2048", "SIGN_VERIFY"), ("ECC_NIST_P521", "SIGN_VERIFY"), ("ECC_SECG_P256K1", "SIGN_VERIFY"), ("RSA_2048", "ENCRYPT_DECRYPT")],
)
def test_a_key_of_another_kind_is_refused(spec: str, usage: str) -> None:
    with pytest.raises(ConfigError, match="cannot sign evidence"):
        open_signers([f"awskms:{_key(spec, usage)}"])


def test_a_signature_that_is_not_of_that_key_is_not_written() -> None:
    (good,) = open_signers([f"awskms:{_key()}"])
    foreign = bytes.fromhex(good.sign(b"x").signature)
    (signer,) = open_signers([f"awskms:{_key()}"], connect=_answering(sign={"Signature": foreign}))
    with pytest.raises(IntegrityError, match="not one of arn"):
        signer.sign(b"x")


@pytest.mark.parametrize(
    "public",
    [b"", b"\x30\x00", hashlib.sha256(b"x").digest(),
     key("x").public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)[:-1]],
)  # fmt: skip
def test_a_public_key_that_cannot_be_read_is_incomplete(public: bytes) -> None:
    with pytest.raises(IncompleteError, match="cannot be read"):
        open_signers([f"awskms:{_key()}"], connect=_answering(get_public_key={"PublicKey": public}))


def test_no_credentials_are_incomplete(monkeypatch: pytest.MonkeyPatch) -> None:
    arn = _key()
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(IncompleteError, match="no usable AWS credentials"):
        open_signers([f"awskms:{arn}"])
