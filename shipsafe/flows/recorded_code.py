"""Which code carries a signature, as kept signing records say: `CodeSha256`, so that it is found where Lambda names no signature.

The same bytes may run where Lambda names no signature. A record is believed as the policy believes any: where it lists keys of a signer,
nobody else can have a function stopped by writing to the store.
"""

from collections.abc import Callable
from pathlib import Path

from shipsafe.adapters.aws.session import Aws, Place, open_aws
from shipsafe.errors import ShipsafeError
from shipsafe.evidence.recorded import vouched_record
from shipsafe.evidence.store import store_of
from shipsafe.model.attestation import Envelope, Predicate
from shipsafe.model.policy import Policy
from shipsafe.model.signing import SignedArtifact
from shipsafe.signing.revoke.wanted import Revocation


def recorded_code(
    wanted: Revocation, policy: Policy, *, place: str | None, connect: Callable[[Place], Aws] = open_aws
) -> tuple[frozenset[str], tuple[str, ...]]:  # fmt: skip
    """Base64 digests of the code that the signature is in, and what could not be read, as sentences. Raises nothing.

    Args:
        wanted: what is to be revoked.
        policy: where records are kept, and whose word counts; a policy that keeps none is asked nothing.
        place: where records are kept, instead.
        connect: opens AWS.
    """
    if place is None and policy.evidence is None:
        return frozenset(), ()
    found: set[str] = set()
    unread: list[str] = []
    try:
        store = store_of(policy, folder=Path.cwd(), told=place, connect=connect)
        for kept, one in store.read_all(store.listed([Predicate.SIGNING])):
            try:
                record = _record(one, policy, store.shown_of(kept))
            except ShipsafeError as error:
                unread.append(f"A signing record: {error}")
                continue
            if wanted.concerns(record):
                found.add(record.code_sha256)
    except ShipsafeError as error:
        unread.append(str(error))
    return frozenset(found), tuple(unread)


def _record(one: Envelope | ShipsafeError, policy: Policy, shown: str) -> SignedArtifact:
    if isinstance(one, ShipsafeError):
        raise one
    return vouched_record(one, policy.attest, shown=shown)
