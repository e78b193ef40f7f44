"""The two calls of AWS KMS that signing evidence makes: the public half of a key, and a signature over a digest.

Source: the botocore model of `kms` (2014-11-01); AWS KMS Developer Guide, "Key spec reference". The private half never leaves KMS.
"""

import re
from dataclasses import dataclass

from shipsafe.adapters.aws.refusals import aws_errors
from shipsafe.adapters.aws.session import Aws

KEY_ARN = re.compile(
    r"arn:aws[a-z-]*:kms:(?P<region>[a-z0-9-]{1,30}):\d{12}:(?:key/[A-Za-z0-9-]{1,128}|alias/[A-Za-z0-9/_-]{1,250})", re.ASCII
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KmsKey:
    """A key as KMS describes it. `spec`: ECC_NIST_P384, for example; `usage`: SIGN_VERIFY where it signs; `public`: SPKI, DER."""

    spec: str
    usage: str
    public: bytes


def read_public_key(aws: Aws, arn: str) -> KmsKey:
    """Ask for the public half of a key.

    Raises:
        IncompleteError: there is no such key, it may not be looked at (`kms:GetPublicKey`), or AWS gave no answer.
    """
    with aws_errors(f"read the public key of {arn}"):
        told = aws.client("kms").get_public_key(KeyId=arn)
        return KmsKey(spec=str(told["KeySpec"]), usage=str(told["KeyUsage"]), public=bytes(told["PublicKey"]))


def sign_digest(aws: Aws, arn: str, digest: bytes, algorithm: str) -> bytes:
    """Sign a digest (`kms:Sign`); `algorithm` is KMS's name, such as ECDSA_SHA_384. Gives the signature in DER.

    Raises:
        IncompleteError: it may not be done, the key is disabled, or AWS gave no answer.
    """
    with aws_errors(f"sign with {arn}"):
        told = aws.client("kms").sign(KeyId=arn, Message=digest, MessageType="DIGEST", SigningAlgorithm=algorithm)
        return bytes(told["Signature"])
