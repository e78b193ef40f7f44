"""Whether a signature of an envelope is that of a key: exactly this payload, exactly this type.

    said = Said(envelope)
    said.is_signed_by(key)

What is signed is DSSE's pre-authentication encoding, which covers the payload type. It is hashed once for each algorithm and never put
together in memory: an SBOM may be large, and keys and signatures may be many.
Source: https://github.com/secure-systems-lab/dsse/blob/master/protocol.md
"""

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from shipsafe.model.attestation import Envelope, TrustedKey

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes


@dataclass(frozen=True, slots=True)
class Said:
    """What an envelope says, as its signers signed it."""

    envelope: Envelope
    _digests: dict[str, bytes] = field(default_factory=dict)

    def digest(self, algorithm: str) -> bytes:
        """The digest of the pre-authentication encoding; `algorithm`: sha256 or sha384."""
        if algorithm not in self._digests:
            digest = hashlib.new(algorithm, self._head())
            digest.update(self.envelope.payload)
            self._digests[algorithm] = digest.digest()
        return self._digests[algorithm]

    def _head(self) -> bytes:
        kind = self.envelope.payload_type.encode()
        return b"DSSEv1 %d %b %d " % (len(kind), kind, len(self.envelope.payload))

    def is_signed_by(self, key: TrustedKey) -> bool:
        """Whether one of the signatures is that key's. The key ids beside them are not looked at."""
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - only whoever verifies needs it
        from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - likewise
        from cryptography.hazmat.primitives.asymmetric import ec, ed25519  # noqa: PLC0415 - likewise
        from cryptography.hazmat.primitives.asymmetric.utils import Prehashed  # noqa: PLC0415 - likewise

        public = _loaded(key.pem)
        for signature in self.envelope.signatures:
            try:
                if isinstance(public, ed25519.Ed25519PublicKey):
                    public.verify(signature.sig, self._head() + self.envelope.payload)
                elif isinstance(public, ec.EllipticCurvePublicKey) and isinstance(public.curve, ec.SECP384R1):
                    public.verify(signature.sig, self.digest("sha384"), ec.ECDSA(Prehashed(hashes.SHA384())))
                elif isinstance(public, ec.EllipticCurvePublicKey) and isinstance(public.curve, ec.SECP256R1):
                    public.verify(signature.sig, self.digest("sha256"), ec.ECDSA(Prehashed(hashes.SHA256())))
                else:  # no policy that was read by `policy/attest.py` has one
                    return False
            except InvalidSignature:
                continue
            return True
        return False


@lru_cache(maxsize=64)
def _loaded(pem: str) -> "PublicKeyTypes":
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415 - only whoever verifies needs it

    return load_pem_public_key(pem.encode())
