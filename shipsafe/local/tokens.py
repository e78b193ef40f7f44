"""Tokens of OpenID Connect: who issued one, what it claims, and whether its issuer's key signed it.

STS fetches keys from the issuer. A local endpoint is not the issuer that a trust policy names, and could not reach it: whoever plays the
issuer hands over its public keys instead, `POST /_shipsafe/oidc {"issuer": "https://...", "jwks": {"keys": [...]}}`. A token that no such
key has signed is refused, as on AWS.

References: RFC 7519 (JWT), RFC 7517 (JWK); AWS STS API Reference, "AssumeRoleWithWebIdentity" (errors).
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shipsafe.errors import ConfigError
from shipsafe.local.call import ApiError

_LARGEST = 20_000  # characters of a token that STS takes
_MOST_KEYS = 50
_PARTS = 3
_COORDINATE = 32  # bytes of each half of a signature on P-256
_NOT_A_TOKEN = "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"  # noqa: S105 - AWS's words


@dataclass(frozen=True, slots=True)
class Token:
    """A token whose signature and times hold."""

    issuer: str
    audience: str
    claims: Mapping[str, Any]


class Issuers:
    """The public keys of issuers, as they were handed over."""

    def __init__(self) -> None:
        self._keys: dict[str, dict[str, Mapping[str, Any]]] = {}

    def add(self, value: Mapping[str, Any]) -> None:
        """Take the keys of an issuer, in place of those it had.

        Raises:
            ConfigError: it is not `issuer` and `jwks` with RSA or P-256 keys that have a `kid`.
        """
        issuer, jwks = value.get("issuer"), value.get("jwks")
        listed = jwks.get("keys") if isinstance(jwks, dict) else None
        if not isinstance(issuer, str) or not issuer.startswith("https://") or not isinstance(listed, list):
            raise ConfigError('`issuer` is an https URL, and `jwks` is {"keys": [...]}.')
        keys: dict[str, Mapping[str, Any]] = {str(one["kid"]): one for one in listed[:_MOST_KEYS] if isinstance(one, dict) and "kid" in one}
        if not keys:
            raise ConfigError("`jwks` holds no key with a `kid`.")
        for one in keys.values():
            _public_key(one)
        self._keys[issuer.rstrip("/")] = keys

    def clear(self) -> None:
        """Forget all."""
        self._keys.clear()

    def read(self, text: str, now: datetime) -> Token:
        """A token of an issuer whose keys are known.

        Raises:
            ApiError: InvalidIdentityToken or ExpiredTokenException.
        """
        head, claims, signed, signature = _parts(text)
        issuer, audience = claims.get("iss"), claims.get("aud")
        for name in ("iss", "aud", "sub", "exp", "iat"):
            if claims.get(name) in (None, ""):
                raise _invalid(f"Missing a required claim: {name}")
        if not isinstance(issuer, str) or not isinstance(audience, str) or not isinstance(claims["sub"], str):
            raise _invalid(_NOT_A_TOKEN)
        known = self._keys.get(issuer.rstrip("/"))
        if known is None:
            words = (
                "Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity documentation"
            )
            raise _invalid(f"{words} for requirements. (The local endpoint asks nobody: POST {issuer}'s keys to /_shipsafe/oidc.)")
        key = known.get(str(head.get("kid")))
        if key is None or not _verifies(key, str(head.get("alg")), signed, signature):
            raise _invalid("Couldn't verify the signature of the token with the keys of your identity provider.")
        _in_time(claims, now)
        return Token(issuer, audience, claims)


def _invalid(message: str) -> ApiError:
    return ApiError("InvalidIdentityToken", message, 400)


def _parts(text: str) -> tuple[Mapping[str, Any], Mapping[str, Any], bytes, bytes]:
    """Header, claims, what is signed, signature."""
    parts = text.split(".")
    if len(text) > _LARGEST or len(parts) != _PARTS or not text.isascii():
        raise _invalid(_NOT_A_TOKEN)
    try:
        head, claims = (json.loads(_decoded(part)) for part in parts[:2])
        signature = _decoded(parts[2])
    except (ValueError, RecursionError) as error:
        raise _invalid(_NOT_A_TOKEN) from error
    if not isinstance(head, dict) or not isinstance(claims, dict):
        raise _invalid(_NOT_A_TOKEN)
    return head, claims, f"{parts[0]}.{parts[1]}".encode(), signature


def _decoded(part: str) -> bytes:
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)


def _number(key: Mapping[str, Any], name: str) -> int:
    return int.from_bytes(_decoded(str(key[name])))


def _public_key(key: Mapping[str, Any]) -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - heavy, and asked of few endpoints
    from cryptography.hazmat.primitives.asymmetric import ec, rsa  # noqa: PLC0415 - likewise

    try:
        if key.get("kty") == "RSA":
            return rsa.RSAPublicNumbers(_number(key, "e"), _number(key, "n")).public_key()
        if key.get("kty") == "EC" and key.get("crv") == "P-256":
            return ec.EllipticCurvePublicNumbers(_number(key, "x"), _number(key, "y"), ec.SECP256R1()).public_key()
    except (KeyError, ValueError, binascii.Error, UnsupportedAlgorithm) as error:
        raise ConfigError(f"Key {str(key.get('kid'))[:100]!r} is damaged: {error}.") from error
    raise ConfigError(f"Key {str(key.get('kid'))[:100]!r} is neither RSA nor EC on P-256.")


def _verifies(key: Mapping[str, Any], algorithm: str, signed: bytes, signature: bytes) -> bool:
    """Whether a key of the kind that the algorithm is for has signed it."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - likewise
    from cryptography.hazmat.primitives.asymmetric import ec, padding  # noqa: PLC0415 - likewise
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature  # noqa: PLC0415 - likewise
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415 - likewise

    public = _public_key(key)
    try:
        if (algorithm, key["kty"]) == ("RS256", "RSA"):
            public.verify(signature, signed, padding.PKCS1v15(), SHA256())
            return True
        if (algorithm, key["kty"]) == ("ES256", "EC") and len(signature) == 2 * _COORDINATE:
            halves = (int.from_bytes(signature[:_COORDINATE]), int.from_bytes(signature[_COORDINATE:]))
            public.verify(encode_dss_signature(*halves), signed, ec.ECDSA(SHA256()))
            return True
    except InvalidSignature:
        return False
    return False


def _in_time(claims: Mapping[str, Any], now: datetime) -> None:
    ends, begins = claims["exp"], claims.get("nbf", claims["iat"])
    for moment in (ends, begins):
        if isinstance(moment, bool) or not isinstance(moment, int | float):
            raise _invalid(_NOT_A_TOKEN)
    here = now.astimezone(UTC).timestamp()
    if here >= ends:
        words = f"Token expired: current date/time {int(here)} must be before the expiration date/time {int(ends)}"
        raise ApiError("ExpiredTokenException", words, 400)
    if here < begins - 300:  # clocks that differ by five minutes are let pass
        raise _invalid("Token is not yet valid.")
