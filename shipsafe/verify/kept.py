"""Every release that a store of evidence knows, judged anew: by today's policy, with today's advisories, from its evidence alone.

    found = verify_kept(store, request)        # one chain for each unsigned zip
    found.exit_code

Nothing but evidence is looked at: whether a zip is still what it says, `verify FILE.zip` answers, and of what runs `verify --function`.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date

from shipsafe.errors import NothingError, ShipsafeError
from shipsafe.evidence.recorded import vouched_record
from shipsafe.evidence.store import Store
from shipsafe.evidence.store.layout import Kept
from shipsafe.model.attestation import AttestPolicy, Envelope, Predicate, Resource, Role
from shipsafe.model.chain import Chain, Verification
from shipsafe.model.signing import SignedArtifact
from shipsafe.verify import links
from shipsafe.verify.bundles import clean_last
from shipsafe.verify.proof import Proof, prove
from shipsafe.verify.release import verification
from shipsafe.verify.request import VerifyRequest
from shipsafe.verify.stated_links import stated_links
from shipsafe.verify.told import subject_of

# A deployment and a summary are about what such statements are about.
_KINDS = (Predicate.PROVENANCE, Predicate.SBOM, Predicate.GATES, Predicate.SIGNING, Predicate.OVERRIDE)


@dataclass(frozen=True, slots=True)
class _Zip:
    """An unsigned zip, by hex SHA-256, and every envelope that is filed under it."""

    sha256: str
    kept: tuple[Kept, ...]


def verify_kept(store: Store, request: VerifyRequest) -> Verification:
    """Judge every release of a store.

    Raises:
        NothingError: it knows none.
        IncompleteError: it cannot be listed.
    """
    zips = list(_zips(store))
    if not zips:
        raise NothingError(f"No release is kept in {store.shown}.", remedy="`shipsafe sign` keeps evidence where the policy says.")
    with ThreadPoolExecutor(request.jobs, thread_name_prefix="shipsafe-kept") as pool:
        chains = list(pool.map(lambda one: _chain(store, one, request), zips))
    chains.sort(key=lambda chain: (-chain.exit_code, chain.subject))
    return verification(chains, request)


def _zips(store: Store) -> Iterator[_Zip]:
    """Each zip once: one that a signing record names as signed belongs to the unsigned one, of which the rest of the evidence speaks."""
    listed = store.listed(_KINDS)
    stated = {subject for one in listed if one.word != "signing" for subject in one.subjects}
    signed_alone = [one for one in listed if one.word == "signing" and stated.isdisjoint(one.subjects)]
    by_zip: dict[str, list[Kept]] = {sha256: [] for sha256 in sorted(stated)}
    for one in listed:
        for subject in stated.intersection(one.subjects):
            by_zip[subject].append(one)
    for one in signed_alone:  # nothing but a record: which of its zips is the unsigned one, it says itself
        by_zip.setdefault(one.subjects[0], []).append(one)
    yield from (_Zip(sha256, tuple(kept)) for sha256, kept in by_zip.items())


def _chain(store: Store, one: _Zip, request: VerifyRequest) -> Chain:
    """The chain of one zip. What cannot be read is a link."""
    envelopes: list[Envelope] = []
    wrong: list[ShipsafeError] = []
    for _, found in store.read_all(one.kept):
        if isinstance(found, ShipsafeError):
            wrong.append(found)
        else:
            envelopes.append(found)
    shown = store.shown_of(one.kept[0]).rpartition("/")[0]
    proof = prove(clean_last(envelopes), one.sha256, request.policy.attest, _day(one.sha256, envelopes, request, shown), shown)
    made = [link for link in stated_links(proof, subject_of(proof), request, None, shown) if not (wrong and link.id == links.BUNDLE)]
    first = [links.of_error(links.BUNDLE, wrong[0])] if wrong else []
    name = next((item.name for item in _named(proof)), "")
    return Chain(
        subject=" ".join(filter(None, (subject_of(proof) or name, f"sha256:{one.sha256[:16]}"))),
        links=(*first, *made),
        digests=(Resource(name=name or one.sha256, digests={"sha256": one.sha256}),),
        attestations=proof.attested,
    )


def _named(proof: Proof) -> Sequence[Resource]:
    for one in (proof.provenance, proof.sbom, proof.gates, *proof.signings):
        if one is not None:
            return one.statement.subjects
    return ()


def _day(sha256: str, envelopes: Iterable[Envelope], request: VerifyRequest, shown: str) -> date:
    """The day on which keys must have been valid: when it was first signed, as a record says that counts on its own day; else today.

    A record that nobody has to vouch for dates nothing: whoever has a key that has ended could write one.
    """
    trusted = request.policy.attest
    records = _records(envelopes, trusted, shown) if trusted.trusts_anybody(Role.SIGNER) else ()
    return min((one.signed_at.date() for one in records if one.unsigned_sha256 == sha256), default=request.today)


def _records(envelopes: Iterable[Envelope], trusted: AttestPolicy, shown: str) -> Iterator[SignedArtifact]:
    for envelope in envelopes:
        try:
            yield vouched_record(envelope, trusted, shown=shown)
        except ShipsafeError:  # it is none; or its own link says so
            continue
