"""Statements, added to a bundle: it is a log, so that nothing that others wrote is lost, and nothing stands in it twice.

    data = appended(data, [gates, record], signers, today=..., shown="dist/Orders.intoto.jsonl")

A statement that stands there already, signed by each of these signers, is not written again, although many signers (KMS, Sigstore) never
give the same signature twice. An unsigned one about the same matter, which proves nothing, gives way to a signed one.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING

from shipsafe.errors import IncompleteError, ShipsafeError
from shipsafe.evidence.envelope import LARGEST, MOST_ENVELOPES, payload, read_bundle, read_envelope, statement_of, written
from shipsafe.evidence.trust import role_of, vouched
from shipsafe.model.attestation import PAYLOAD_TYPE, AttestPolicy, Envelope, Role, Statement, TrustedIdentity, TrustedKey

if TYPE_CHECKING:
    from securesystemslib.signer._signer import Signer


def appended(data: bytes, statements: Iterable[Statement], signers: "Sequence[Signer]", *, today: date, shown: str) -> bytes:
    """A bundle with further statements of one and the same speaker.

    Args:
        data: the bundle, or nothing at all.
        statements: what is stated.
        signers: each signs each statement; with none they are unsigned.
        today: the day of signing.
        shown: the bundle, for people.

    Raises:
        IntegrityError: the bundle is none.
        IncompleteError: it is full.
        ShipsafeError: a signer could not sign.
    """
    envelopes = list(read_bundle(data, shown=shown)) if data else []
    for statement in statements:
        content, trusted = payload(statement), trust_in(signers, role_of(statement))
        same = (one for one in envelopes if one.payload_type == PAYLOAD_TYPE and one.payload == content)
        if any(_vouched(one, trusted, today, shown) for one in same):
            continue
        new = read_envelope(written(statement, signers), shown=shown)
        envelopes = [one for one in envelopes if not (new.signatures and _gives_way(one, statement, shown))]
        envelopes.append(new)
    made = b"".join(one.line + b"\n" for one in envelopes)
    if len(envelopes) > MOST_ENVELOPES or len(made) > LARGEST:
        what = f"There is no room in it for more: {len(envelopes)} envelopes, {len(made)} bytes."
        raise IncompleteError(what, remedy="Build the release again: that begins a new bundle.", path=shown)
    return made


def trust_in(signers: "Iterable[Signer]", role: Role) -> AttestPolicy:
    """A policy that takes only what each of these signers has signed."""
    keys, identities = [], []
    for signer in signers:
        public = signer.public_key
        name, value = str(public.keyid), public.keyval
        if "identity" in value:
            whose = {"identity": value["identity"], "issuer": value["issuer"], "repository": value.get("repository")}
            identities.append(TrustedIdentity(name=name, roles=frozenset({role}), **whose))
        else:
            keys.append(TrustedKey(name=name, roles=frozenset({role}), pem=value["public"], spki=name))
    number = len(keys) + len(identities)
    return AttestPolicy(unsigned_allowed=not number, keys=tuple(keys), identities=tuple(identities), thresholds={role: number})


def _vouched(envelope: Envelope, trusted: AttestPolicy, today: date, shown: str) -> bool:
    """Whether each of our signers has signed it; without signers, whatever is there will do."""
    try:
        vouched(envelope, trusted, at=today, shown=shown)
    except ShipsafeError:  # a stranger's signature, or one that cannot be looked at: ours is written beside it
        return False
    return True


def _gives_way(envelope: Envelope, statement: Statement, shown: str) -> bool:
    """Whether it is an unsigned envelope that says the like about the same subjects."""
    if envelope.signatures:
        return False
    said = statement_of(envelope, shown=shown)
    return (said.kind, role_of(said), said.subjects) == (statement.kind, role_of(statement), statement.subjects)
