"""Signing with a private key that is in memory: deterministic ECDSA (RFC 6979), or Ed25519, which is so by itself."""

from collections.abc import Callable

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from securesystemslib.signer._key import Key, SSlibKey
from securesystemslib.signer._signature import Signature
from securesystemslib.signer._signer import SecretsHandler, Signer

from shipsafe.errors import IncompleteError
from shipsafe.evidence.public_key import for_securesystemslib


class FileSigner(Signer):
    """A signer of securesystemslib. The key stays in it: it is shown nowhere, and `repr` says nothing of it."""

    def __init__(self, key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> None:
        """A signer with a key on P-384, P-256 or Ed25519.

        Raises:
            IncompleteError: the OpenSSL below `cryptography` is older than 3.2, and knows no deterministic signatures.
        """
        self._sign = key.sign if isinstance(key, ed25519.Ed25519PrivateKey) else _deterministic(key)
        self._public = for_securesystemslib(key.public_key())

    @property
    def public_key(self) -> SSlibKey:
        """Its id is the SHA-256 of its SubjectPublicKeyInfo."""
        return self._public

    @classmethod
    def from_priv_key_uri(cls, priv_key_uri: str, public_key: Key, secrets_handler: SecretsHandler | None = None) -> "FileSigner":
        """Not so: `evidence.keys.open_signers` reads our URIs."""
        raise NotImplementedError

    def sign(self, payload: bytes) -> Signature:
        """The same payload gives the same signature."""
        return Signature(self._public.keyid, self._sign(payload).hex())


def _deterministic(key: ec.EllipticCurvePrivateKey) -> Callable[[bytes], bytes]:
    try:
        algorithm = ec.ECDSA(hashes.SHA384() if isinstance(key.curve, ec.SECP384R1) else hashes.SHA256(), deterministic_signing=True)
    except UnsupportedAlgorithm as error:
        what = "The installed `cryptography` makes no deterministic signatures: its OpenSSL is older than 3.2."
        raise IncompleteError(what, remedy="Install its wheel from PyPI.") from error
    return lambda payload: key.sign(payload, algorithm)
