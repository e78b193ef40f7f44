"""Signing with a private key that is in memory: deterministic ECDSA (RFC 6979), or Ed25519, which is so by itself."""

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from securesystemslib.signer._key import Key, SSlibKey
from securesystemslib.signer._signature import Signature
from securesystemslib.signer._signer import SecretsHandler, Signer

from shipsafe.evidence.public_key import for_securesystemslib


class FileSigner(Signer):
    """A signer of securesystemslib. The key stays in it: it is shown nowhere, and `repr` says nothing of it."""

    def __init__(self, key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> None:
        self._key = key
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
        if isinstance(self._key, ed25519.Ed25519PrivateKey):
            signature = self._key.sign(payload)
        else:
            digest = hashes.SHA384() if isinstance(self._key.curve, ec.SECP384R1) else hashes.SHA256()
            signature = self._key.sign(payload, ec.ECDSA(digest, deterministic_signing=True))
        return Signature(self._public.keyid, signature.hex())
