"""Whose word a statement is: its signatures against the keys that the policy trusts.

    vouched(envelope, policy.attest, at=..., shown="dist/Orders.intoto.jsonl") -> Vouched

Key ids in an envelope are hints, and never believed: every signature is tried with every trusted key of the role, and keys are told apart
by the SHA-256 of their SubjectPublicKeyInfo. So one key counts once, however often it signed and under however many ids; a signature that
was rewritten into another valid form (s into n - s) adds nobody.
"""

from datetime import date
from typing import TYPE_CHECKING

from shipsafe.errors import IntegrityError
from shipsafe.evidence.envelope import statement_of
from shipsafe.evidence.signatures import Said
from shipsafe.model.attestation import AttestPolicy, Envelope, Predicate, Role, Statement, TrustedIdentity, TrustedKey, Vouched

if TYPE_CHECKING:
    from sigstore.models import TrustedRoot

_REMEDY = "Find out who wrote it; add the key to `[[attest.key]]` only if you know whose it is."
_ROLES = {
    Predicate.DEPLOYMENT.value: Role.DEPLOYER,
    Predicate.SUMMARY.value: Role.VERIFIER,
    Predicate.OVERRIDE.value: Role.OVERRIDER,
}
_BUNDLE = "bundle"  # where a keyless signature has what proves it, as securesystemslib writes it


def role_of(statement: Statement) -> Role:
    """As whom a statement speaks. What gates said may come from a builder or from a signer: `askedBy` says which."""
    if statement.kind == Predicate.SIGNING or (statement.kind == Predicate.GATES and statement.predicate.get("askedBy") == "signer"):
        return Role.SIGNER
    return _ROLES.get(statement.kind, Role.BUILDER)


def vouched(
    envelope: Envelope,
    trusted: AttestPolicy,
    *,
    at: date,
    shown: str,
    statement: Statement | None = None,
    root: "TrustedRoot | None" = None,
) -> Vouched:
    """What an envelope says, where enough trusted keys of its role signed it.

    Keyless signatures are looked at where keys alone are not enough.

    Args:
        envelope: as it was read.
        trusted: of the policy.
        at: the day on which the keys must have been valid.
        shown: the bundle, for people.
        statement: what `statement_of` read from this very envelope, where somebody has done that already.
        root: of Sigstore, where it is another than the one that came with its package.

    Raises:
        IntegrityError: it is no statement; too few trusted keys signed it; or nobody did and the policy does not allow that.
        IncompleteError: a keyless signature would have to be looked at, and cannot: the extra `sigstore` is missing.
    """
    statement = statement or statement_of(envelope, shown=shown)
    role = role_of(statement)
    if not trusted.trusts_anybody(role):
        if trusted.unsigned_allowed:
            return Vouched(statement=statement, envelope=envelope, role=role, by=())
        what = f"The policy takes no evidence that nobody vouches for, and trusts no key of {role.named}."
        raise IntegrityError(what, remedy="Add one to `[[attest.key]]`.", path=shown)
    said = Said(envelope)
    signed = {key.spki: key for key in trusted.keys if role in key.roles and said.is_signed_by(key)}
    names = {spki: key.name for spki, key in signed.items() if _valid(key, at)}
    needed = max(1, trusted.thresholds.get(role, 1))
    if len(names) < needed:
        identities = [one for one in trusted.identities if role in one.roles]
        names |= {" ".join(map(str, one.who)): one.name for one in identities if _is_of(said, one, root)}
    if len(names) < needed:
        expired = [key for spki, key in signed.items() if spki not in names]
        raise IntegrityError(_lacking(said, trusted, expired, sorted(names.values()), needed, role, at), remedy=_REMEDY, path=shown)
    return Vouched(statement=statement, envelope=envelope, role=role, by=tuple(sorted(names.values())))


def _valid(key: TrustedKey, at: date) -> bool:
    return (key.begins is None or key.begins <= at) and (key.ends is None or at <= key.ends)


def _is_of(said: Said, identity: TrustedIdentity, root: "TrustedRoot | None") -> bool:
    """Whether a keyless signature is that identity's.

    Raises:
        IncompleteError: there is one, and the extra is not installed.
    """
    bundles = [one.more[_BUNDLE] for one in said.envelope.signatures if _BUNDLE in one.more]
    if not bundles:
        return False
    from shipsafe.evidence.keyless_proof import embedded_root, holds  # noqa: PLC0415 - only a keyless signature needs it: 0.5 s

    under = root or embedded_root()
    return any(holds(bundle, said.digest("sha256"), identity, root=under) for bundle in bundles)


def _days(key: TrustedKey) -> str:
    """On which days a key of the policy may sign; one that always may is never asked about."""
    begins = f"from {key.begins}" if key.begins else ""
    ends = f"until {key.ends}" if key.ends else ""
    return f"{begins} {ends or 'on'}" if begins else ends


def _lacking(
    said: Said, trusted: AttestPolicy, expired: list[TrustedKey], names: list[str], needed: int, role: Role, at: date
) -> str:  # fmt: skip
    """What is wrong, in one sentence."""
    if not said.envelope.signatures:
        return f"Nobody signed it, and the policy trusts keys of {role.named}."
    if expired:
        key = expired[0]
        return f"Key {key.name!r} signed it, which the policy trusts {_days(key)} only; it was used on {at}."
    if names:
        return f"{len(names)} of {needed} keys signed it that must sign what {role.named} states: {', '.join(names)}."
    others = [key for key in trusted.keys if role not in key.roles and said.is_signed_by(key)]
    if others:
        roles = ", ".join(sorted(others[0].roles))
        return f"Key {others[0].name!r} signed it, which the policy trusts as {roles}, and this is what {role.named} states."
    return f"No key that the policy trusts as {role} signed it."
