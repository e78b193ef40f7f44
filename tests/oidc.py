"""An issuer of tokens such as GitHub's, for tests: its key, its tokens, and its public keys for the local endpoint.

issuer = Issuer()
issuer.register(endpoint.url)  # POST /_shipsafe/oidc
issuer.token(sub="repo:acme/orders:environment:release", job_workflow_ref="...@SHA")
"""

import base64
import json
import time
import urllib.request
from dataclasses import dataclass, field
from typing import Any

from shipsafe.model.pipeline import GITHUB_ISSUER

AUDIENCE = "sts.amazonaws.com"


def _key() -> Any:
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key  # noqa: PLC0415 - heavy, for the tests that need it

    return generate_private_key(SECP256R1())


@dataclass(frozen=True)
class Issuer:
    """Who issues tokens; a new one has a key that others with the same `kid` do not have."""

    url: str = GITHUB_ISSUER
    kid: str = "test"
    key: Any = field(default_factory=_key)

    @property
    def jwks(self) -> dict[str, Any]:
        """What `/.well-known/jwks` of an issuer answers."""
        numbers = self.key.public_key().public_numbers()
        key = {"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": self.kid}
        return {"keys": [key | {name: _text(getattr(numbers, name).to_bytes(32)) for name in ("x", "y")}]}

    def token(self, *, algorithm: str = "ES256", **claims: Any) -> str:
        """A token; `aud`, `iat` and `exp` are those of a job that has just asked, unless they are given. None leaves a claim out."""
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA  # noqa: PLC0415 - heavy, for the tests that need it
        from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature  # noqa: PLC0415 - likewise
        from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415 - likewise

        now = int(time.time())
        told = {"iss": self.url, "aud": AUDIENCE, "iat": now, "nbf": now, "exp": now + 300, **claims}
        body = {name: value for name, value in told.items() if value is not None}
        head = {"typ": "JWT", "alg": algorithm, "kid": self.kid}
        signed = ".".join(_text(json.dumps(part).encode()) for part in (head, body))
        halves = decode_dss_signature(self.key.sign(signed.encode(), ECDSA(SHA256())))
        return f"{signed}.{_text(b''.join(half.to_bytes(32) for half in halves))}"

    def register(self, endpoint: str) -> None:
        """Hand the public keys to a local endpoint, by its URL."""
        body = json.dumps({"issuer": self.url, "jwks": self.jwks}).encode()
        with urllib.request.urlopen(urllib.request.Request(f"{endpoint}/_shipsafe/oidc", body, method="POST"), timeout=120) as answer:  # noqa: S310 - http on loopback
            assert answer.status == 200


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
