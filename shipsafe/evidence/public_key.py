"""A public key: which ones can be trusted, and what tells one from another (the SHA-256 of its SubjectPublicKeyInfo).

The same algorithms are read from a policy (`policy/attest.py`): ECDSA on P-384 with SHA-384, on P-256 with SHA-256, and Ed25519.
"""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519
    from securesystemslib.signer._key import SSlibKey

    Usable = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """A public key. `spki`: hex SHA-256 of its DER form; `pem` as a policy takes it; `algorithm` for people."""

    spki: str
    pem: str
    algorithm: str


def algorithm_of(key: object) -> tuple[str, str] | None:
    """The name of a key's algorithm for people, and that of its scheme in securesystemslib; None where it cannot be used."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519  # noqa: PLC0415 - only whoever has keys needs it

    if isinstance(key, ed25519.Ed25519PublicKey):
        return "Ed25519", "ed25519"
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP384R1):
        return "ECDSA P-384", "ecdsa-sha2-nistp384"
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return "ECDSA P-256", "ecdsa-sha2-nistp256"
    return None


def described(key: "Usable") -> PublicKey:
    """What a policy and a person need of a key that `algorithm_of` knows."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415 - likewise

    der, pem = (key.public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo) for encoding in (Encoding.DER, Encoding.PEM))
    return PublicKey(spki=hashlib.sha256(der).hexdigest(), pem=pem.decode().strip(), algorithm=(algorithm_of(key) or ("unknown", ""))[0])


def for_securesystemslib(key: "Usable") -> "SSlibKey":
    """The key as securesystemslib knows it; its id is the SHA-256 of the SubjectPublicKeyInfo."""
    from securesystemslib.signer._key import SSlibKey  # noqa: PLC0415 - it imports boto3

    return SSlibKey.from_crypto(key, keyid=described(key).spki, scheme=(algorithm_of(key) or ("", ""))[1])
