"""`[attest]` of a policy: whose statements about an artifact count.

[attest]
unsigned = "refuse"

[[attest.key]]
name = "ci"
for = ["builder"]
public = '''
-----BEGIN PUBLIC KEY-----
...
-----END PUBLIC KEY-----
'''

The key itself stands in the policy, so that the policy's digest covers it. `shipsafe keys show` prints the table.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from shipsafe.model.attestation import AttestPolicy, Role, TrustedIdentity, TrustedKey
from shipsafe.model.pipeline import HOME
from shipsafe.policy.document import Document, as_date

_LONGEST = 16 * 1024  # characters of a public key


def attest_policy(document: Document, values: Mapping[str, Any]) -> AttestPolicy:
    """What the merged policy says; `document` is the project's own, for places.

    Raises:
        ConfigError: a key is not one that can be used, two are the same, or a threshold cannot be met.
    """
    table = values.get("attest", {})
    keys = tuple(_key(document, number, entry) for number, entry in enumerate(table.get("key", ())))
    for number, key in enumerate(keys):
        for other in keys[:number]:
            if key.spki == other.spki or key.name == other.name:
                what = f"`attest.key` {key.name!r} and {other.name!r} are the same {'key' if key.spki == other.spki else 'name'}."
                raise document.error(f"attest.key.{number}", what, "Leave one out: a threshold counts different keys.")
    identities = tuple(
        TrustedIdentity(
            name=entry["name"],
            roles=_roles(entry),
            identity=entry["identity"],
            issuer=entry["issuer"],
            repository=entry.get("repository"),
        )
        for entry in table.get("identity", ())
    )
    for number, one in enumerate(identities):
        named = {key.name for key in keys} | {other.name for other in identities[:number]}
        if one.name in named or any(one.who == other.who for other in identities[:number]):
            what = f"`attest.identity` {one.name[:80]!r} is there already, by its name or as that identity."
            raise document.error(f"attest.identity.{number}", what, "Leave one out: a threshold counts different signers.")
        if one.repository is None and _is_called(one, values.get("pipeline", {}).get("repository")):
            what = f"`attest.identity` {one.name[:80]!r} is a reusable workflow, which is that identity in every repository that calls it."
            remedy = 'Say whose runs count: repository = "https://github.com/OWNER/NAME".'
            raise document.error(f"attest.identity.{number}", what, remedy)
    thresholds = {role: table.get(f"{role}s", 1) for role in (Role.BUILDER, Role.SIGNER, Role.OVERRIDER)}
    unsigned_allowed = table.get("unsigned", "allow") == "allow"
    made = AttestPolicy(unsigned_allowed=unsigned_allowed, keys=keys, identities=identities, thresholds=thresholds)
    for role, needed in thresholds.items():
        able = sum(role in roles for roles in made.speakers)
        if needed > max(able, 1):
            raise document.error(f"attest.{role}s", f"{needed} keys must sign as {role}, and the policy trusts {able}.", "Add keys.")
    return made


def _is_called(one: TrustedIdentity, repository: str | None) -> bool:
    """Whether it is a workflow of another repository than the project's; of a project that is not named, only ours is known as one."""
    host, _, home = (one.home or "").removeprefix("https://").partition("/")
    return bool(host and home) and (home == HOME if repository is None else home != repository)


def _roles(entry: Mapping[str, Any]) -> frozenset[Role]:
    return frozenset(Role(one) for one in entry["for"])


def _key(document: Document, number: int, entry: Mapping[str, Any]) -> TrustedKey:
    place = f"attest.key.{number}"
    pem = entry["public"].strip()
    der = _spki(pem)
    if der is None:
        remedy = "Paste what `shipsafe keys show` prints: a public key on P-384 or P-256, or Ed25519, as PEM."
        raise document.error(f"{place}.public", f"The `public` of key {entry['name'][:80]!r} cannot be used.", remedy)
    begins, ends = as_date(entry.get("from")), as_date(entry.get("until"))
    if begins and ends and ends < begins:
        raise document.error(f"{place}.until", f"Key {entry['name'][:80]!r} ends before it begins.", "Correct the dates.")
    return TrustedKey(name=entry["name"], roles=_roles(entry), pem=pem, spki=hashlib.sha256(der).hexdigest(), begins=begins, ends=ends)


def _spki(pem: str) -> bytes | None:
    """The DER form of a public key that may be trusted, or None."""
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - only a policy with keys needs it
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - likewise
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519  # noqa: PLC0415 - likewise

    if len(pem) > _LONGEST:
        return None
    try:
        key = serialization.load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        return None
    curves: Iterable[type] = (ec.SECP256R1, ec.SECP384R1)
    fits = isinstance(key, ed25519.Ed25519PublicKey) or (
        isinstance(key, ec.EllipticCurvePublicKey) and any(isinstance(key.curve, one) for one in curves)
    )
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo) if fits else None
