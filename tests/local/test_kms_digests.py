"""KMS on the local endpoint signs a digest as a digest, as AWS does; moto alone hashes it once more."""

import hashlib
from contextlib import closing
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from shipsafe.local.endpoint import start
from shipsafe.local.pki import LocalRoot
from tests.local_endpoint import client, set_environment

_MESSAGE = b"a message"
_DIGEST = hashlib.sha384(_MESSAGE).digest()


@pytest.mark.usefixtures("local_aws")
def test_a_digest_and_its_message_are_one_thing() -> None:
    _agrees()


def _agrees() -> None:
    with closing(client("kms")) as kms:
        arn = kms.create_key(KeySpec="ECC_NIST_P384", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
        words = {"KeyId": arn, "SigningAlgorithm": "ECDSA_SHA_384"}
        told = kms.get_public_key(KeyId=arn)
        assert (told["KeyId"], told["KeySpec"]) == (arn, "ECC_NIST_P384")
        public = load_der_public_key(told["PublicKey"])
        assert isinstance(public, ec.EllipticCurvePublicKey)
        for made, checked in (("DIGEST", "RAW"), ("RAW", "DIGEST")):
            said = {"RAW": _MESSAGE, "DIGEST": _DIGEST}
            signature = kms.sign(Message=said[made], MessageType=made, **words)["Signature"]
            public.verify(signature, _MESSAGE, ec.ECDSA(hashes.SHA384()))
            assert kms.verify(Message=said[checked], MessageType=checked, Signature=signature, **words)["SignatureValid"]


@pytest.mark.usefixtures("local_aws")
def test_a_digest_of_another_length_is_refused_and_one_of_rsa_is_not_known() -> None:
    with closing(client("kms", config=_once())) as kms:
        arn = kms.create_key(KeySpec="ECC_NIST_P384", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
        with pytest.raises(ClientError, match=r"ValidationException.*invalid length"):
            kms.sign(KeyId=arn, Message=b"short", MessageType="DIGEST", SigningAlgorithm="ECDSA_SHA_384")
        arn = kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
        with pytest.raises(ClientError, match="does not reproduce"):
            kms.sign(KeyId=arn, Message=_DIGEST, MessageType="DIGEST", SigningAlgorithm="RSASSA_PSS_SHA_384")


def _once() -> object:
    from botocore.config import Config  # noqa: PLC0415 - a 501 would be asked again

    return Config(retries={"total_max_attempts": 1})


def test_a_second_endpoint_of_a_process_signs_digests_too(local_root: LocalRoot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for _ in range(2):
        with start(root=local_root) as endpoint:
            set_environment(monkeypatch, endpoint, tmp_path)
            _agrees()
