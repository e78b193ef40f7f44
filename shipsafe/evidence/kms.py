"""A key in AWS KMS: `awskms:ARN`, ECC_NIST_P384 or ECC_NIST_P256, for signing. The private half never leaves KMS.

    signer = open_kms("arn:aws:kms:eu-central-1:111122223333:key/...", connect=open_aws)

The region is that of the ARN; credentials and endpoint are AWS's own configuration, as everywhere. securesystemslib's own signer for KMS
has neither a region nor errors that a user can read. KMS takes a random number for each signature, so that two signatures of one
statement differ: only keys in files give equal bytes.
"""

import hashlib
from collections.abc import Callable

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import load_der_public_key
from securesystemslib.signer._key import Key, SSlibKey
from securesystemslib.signer._signature import Signature
from securesystemslib.signer._signer import SecretsHandler, Signer

from shipsafe.adapters.aws.kms import KEY_ARN, read_public_key, sign_digest
from shipsafe.adapters.aws.session import Aws, Place
from shipsafe.errors import ConfigError, IncompleteError, IntegrityError
from shipsafe.evidence.public_key import PublicKey, described, for_securesystemslib

_SPECS = {"ECC_NIST_P384": (ec.SECP384R1, "ECDSA_SHA_384"), "ECC_NIST_P256": (ec.SECP256R1, "ECDSA_SHA_256")}
Connect = Callable[[Place], Aws]


class KmsSigner(Signer):
    """A signer of securesystemslib that asks KMS."""

    def __init__(self, aws: Aws, arn: str, key: ec.EllipticCurvePublicKey, algorithm: str) -> None:
        self._aws, self._arn, self._key, self._algorithm = aws, arn, key, algorithm
        self._public = for_securesystemslib(key)

    @property
    def public_key(self) -> SSlibKey:
        """Its id is the SHA-256 of its SubjectPublicKeyInfo."""
        return self._public

    @classmethod
    def from_priv_key_uri(cls, priv_key_uri: str, public_key: Key, secrets_handler: SecretsHandler | None = None) -> "KmsSigner":
        """Not so: `evidence.keys.open_signers` reads our URIs."""
        raise NotImplementedError

    def sign(self, payload: bytes) -> Signature:
        """A signature over the payload; two of one payload differ.

        Raises:
            IncompleteError: KMS does not sign.
            IntegrityError: what KMS gave is not a signature of that key.
        """
        wide = isinstance(self._key.curve, ec.SECP384R1)
        digest = (hashlib.sha384 if wide else hashlib.sha256)(payload).digest()
        signature = sign_digest(self._aws, self._arn, digest, self._algorithm)
        try:
            self._key.verify(signature, digest, ec.ECDSA(Prehashed(hashes.SHA384() if wide else hashes.SHA256())))
        except InvalidSignature as error:
            what = f"KMS gave a signature that is not one of {self._arn}."
            raise IntegrityError(what, remedy="Find out what answers in AWS's place, then run this again.") from error
        return Signature(self._public.keyid, signature.hex())


def open_kms(arn: str, *, connect: Connect) -> KmsSigner:
    """A signer with a key in KMS; KMS is asked for the public half at once, so that a missing right shows before anything is done.

    Raises:
        ConfigError: it is not the ARN of a key, or that key does not sign on P-384 or P-256.
        IncompleteError: no credentials, no rights, no such key, no answer.
    """
    aws, key, algorithm = _asked(arn, connect)
    return KmsSigner(aws, arn, key, algorithm)


def public_of_kms(arn: str, *, connect: Connect) -> PublicKey:
    """The public half of a key in KMS.

    Raises:
        ConfigError, IncompleteError: as `open_kms`.
    """
    return described(_asked(arn, connect)[1])


def _asked(arn: str, connect: Connect) -> tuple[Aws, ec.EllipticCurvePublicKey, str]:
    shape = KEY_ARN.fullmatch(arn)
    if shape is None:
        remedy = "Write awskms:arn:aws:kms:REGION:ACCOUNT:key/ID (or :alias/NAME): the region is read from it."
        raise ConfigError(f"{arn[:200]!r} is not the ARN of a KMS key.", remedy=remedy)
    aws = connect(Place(region=shape["region"]))
    told = read_public_key(aws, arn)
    remedy = "Make one with `aws kms create-key --key-usage SIGN_VERIFY --key-spec ECC_NIST_P384`."
    if told.spec not in _SPECS or told.usage != "SIGN_VERIFY":
        raise ConfigError(f"{arn} is a key of {told.spec[:40]} for {told.usage[:40]}, and cannot sign evidence.", remedy=remedy)
    curve, algorithm = _SPECS[told.spec]
    try:
        key = load_der_public_key(told.public)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _odd(arn) from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, curve):
        raise _odd(arn)
    return aws, key, algorithm


def _odd(arn: str) -> IncompleteError:
    return IncompleteError(f"KMS describes {arn} in a way that cannot be read.", remedy="Find out what answers in AWS's place.")
