"""Whose word a statement is: its signatures against the keys that the policy trusts.

    vouched(envelope, policy.attest, at=..., shown="dist/Orders.intoto.jsonl") -> Vouched

Key ids in an envelope are hints, and never believed: every signature is tried with every trusted key of the role, and keys are told apart
by the SHA-256 of their SubjectPublicKeyInfo, so that one key that is named twice counts once.
"""

from datetime import date

from shipsafe.errors import IntegrityError
from shipsafe.evidence.envelope import statement_of
from shipsafe.model.attestation import AttestPolicy, Envelope, Predicate, Role, Statement, TrustedKey, Vouched

_REMEDY = "Find out who wrote it; add the key to `[[attest.key]]` only if you know whose it is."


def role_of(statement: Statement) -> Role:
    """As whom a statement speaks. What gates said may come from a builder or from a signer: `askedBy` says which."""
    if statement.kind == Predicate.SIGNING or (statement.kind == Predicate.GATES and statement.predicate.get("askedBy") == "signer"):
        return Role.SIGNER
    return {Predicate.DEPLOYMENT.value: Role.DEPLOYER, Predicate.SUMMARY.value: Role.VERIFIER}.get(statement.kind, Role.BUILDER)


def vouched(envelope: Envelope, trusted: AttestPolicy, *, at: date, shown: str) -> Vouched:
    """What an envelope says, where enough trusted keys of its role signed it.

    Args:
        envelope: as it was read.
        trusted: of the policy.
        at: the day on which the keys must have been valid.
        shown: the bundle, for people.

    Raises:
        IntegrityError: it is no statement; too few trusted keys signed it; or nobody did and the policy does not allow that.
        IncompleteError: a keyless signature could not be looked at.
    """
    statement = statement_of(envelope, shown=shown)
    role = role_of(statement)
    if not trusted.trusts_anybody(role):
        if trusted.unsigned_allowed:
            return Vouched(statement=statement, envelope=envelope, role=role, by=())
        what = f"The policy takes no evidence that nobody vouches for, and trusts no key of a {role}."
        raise IntegrityError(what, remedy="Add one to `[[attest.key]]`.", path=shown)
    signed = {key.spki: key for key in trusted.keys if role in key.roles and _signed(envelope, key)}
    valid = {spki: key for spki, key in signed.items() if _valid(key, at)}
    needed = trusted.thresholds.get(role, 1)
    if len(valid) < needed:
        raise IntegrityError(_lacking(envelope, signed, valid, needed, role, at), remedy=_REMEDY, path=shown)
    return Vouched(statement=statement, envelope=envelope, role=role, by=tuple(sorted(key.name for key in valid.values())))


def _valid(key: TrustedKey, at: date) -> bool:
    return (key.begins is None or key.begins <= at) and (key.ends is None or at <= key.ends)


def _lacking(
    envelope: Envelope, signed: dict[str, TrustedKey], valid: dict[str, TrustedKey], needed: int, role: Role, at: date
) -> str:  # fmt: skip
    if not envelope.signatures:
        return f"Nobody signed it, and the policy trusts keys of a {role}."
    if expired := [key for spki, key in signed.items() if spki not in valid]:
        key = expired[0]
        return f"Key {key.name!r} signed it, and holds from {key.begins or 'ever'} until {key.ends or 'ever'}; it was used on {at}."
    if not valid:
        return f"No key that the policy trusts as {role} signed it."
    return f"{len(valid)} of {needed} keys signed it that must sign what a {role} states."


def _signed(envelope: Envelope, key: TrustedKey) -> bool:
    """Whether one of the signatures is that key's, over exactly this payload and type."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - only whoever verifies needs it
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415

    public = load_pem_public_key(key.pem.encode())
    kind = envelope.payload_type.encode()
    signed = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(envelope.payload), envelope.payload)
    for signature in envelope.signatures:
        try:
            if isinstance(public, ed25519.Ed25519PublicKey):
                public.verify(signature.sig, signed)
            elif isinstance(public, ec.EllipticCurvePublicKey):
                digest = hashes.SHA384() if isinstance(public.curve, ec.SECP384R1) else hashes.SHA256()
                public.verify(signature.sig, signed, ec.ECDSA(digest))
            else:
                return False
        except InvalidSignature:
            continue
        return True
    return False
