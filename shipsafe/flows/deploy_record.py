"""What `deploy` states of what it did, added to the bundles of the release and kept where the policy keeps evidence.

    check_speakers(signers, policy, Role.DEPLOYER, today)       # before anything is deployed
    release = keep_record(output, release, told, RecordRequest(...))

One record for each function that was changed, also where it went back. A function that ran exactly this already gets one only where there
is none: the process was killed after the last change and before it was written down, or another tool has deployed what was handed to it.
Where there is one, it is kept again, which writes nothing where it lies already.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from shipsafe.errors import IntegrityError, ShipsafeError
from shipsafe.evidence.appending import appended
from shipsafe.evidence.deployment_record import DeploymentSaid, deployment_statement, read_deployment
from shipsafe.evidence.envelope import read_bundle, statement_of
from shipsafe.evidence.provenance import resource
from shipsafe.evidence.store import Store
from shipsafe.evidence.trust import vouched
from shipsafe.model.artifact import Bundle
from shipsafe.model.attestation import AttestPolicy, Envelope, Predicate, Resource, Statement
from shipsafe.model.chain import Chain
from shipsafe.model.deployment import Deployment, Ending
from shipsafe.packing.output import Output
from shipsafe.packing.release import Release, ReleasedArtifact, laid_bundle, record_signatures
from shipsafe.verify.bundles import envelopes_of

if TYPE_CHECKING:
    from securesystemslib.signer._signer import Signer

_REMEDY = "Deploy the release that lies in the folder."
_ONCE = (Ending.UNCHANGED, Ending.HANDED_OVER)  # found to run already: by us, or by another tool that we handed it to


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRequest:
    """How deployments are stated.

    Attributes:
        trusted: whose word counts; an earlier record that does not count is none.
        signers: whose keys sign; with none it is unsigned.
        run: id of the run, the same for all that it deployed.
        stage: as the policy calls it, or "".
        today: the day of signing, UTC.
        store: where evidence is kept, or None.
        override: what let the release through, as `Override.told` gives it; None for a clean one.
    """

    trusted: AttestPolicy
    run: str
    today: date
    signers: "tuple[Signer, ...]" = ()
    stage: str = ""
    store: Store | None = None
    override: Mapping[str, Any] | None = None


def keep_record(
    output: Output, release: Release, told: Sequence[tuple[Deployment, Chain | None]], request: RecordRequest
) -> Release:  # fmt: skip
    """Write down what was deployed, and give the release with it. Called under `output_lock`.

    Args:
        output: the folder of the release.
        release: as it lies there.
        told: each deployment with what `verify` found afterwards (None where nobody could look); refused ones are passed over.
        request: how.

    Raises:
        IntegrityError: a bundle or the manifest is not what it was, or a deployment is of no zip of the release.
        IncompleteError: a bundle is full, or the folder or the store cannot be written.
        ShipsafeError: a key cannot sign.
    """
    bundles: dict[str, Bundle] = {}
    new: list[tuple[Envelope, Statement]] = []
    for artifact in release.artifacts:
        own = [one for one in told if one[0].artifact == artifact.name and one[0].ending is not Ending.REFUSED]
        shown = str(artifact.evidence or artifact.path.with_suffix(".intoto.jsonl"))
        envelopes = envelopes_of(artifact) if own else ()
        there = _recorded(envelopes, request, shown)
        earlier = {one[0]: [found for found, said in there if _says(said, one[0], request)] for one in own if one[0].ending in _ONCE}
        # The process may have been killed, or the store away, after a record was written into the bundle and before it was kept.
        new += [(found, statement_of(found, shown=shown)) for many in earlier.values() for found in many]
        missing = [one for one in own if not earlier.get(one[0])]
        if not missing:
            continue
        before = b"".join(one.line + b"\n" for one in envelopes)
        statements = [_statement(artifact, release, deployment, chain, request) for deployment, chain in missing]
        data = appended(before, statements, request.signers, today=request.today, shown=shown)
        bundles[artifact.name] = laid_bundle(output, artifact.name, data)
        known = {one.sha256 for one in envelopes}
        new += [(one, statement_of(one, shown=shown)) for one in read_bundle(data, shown=shown) if one.sha256 not in known]
    if bundles:
        release = record_signatures(output, release, (), None, bundles)
    if request.store is not None:
        for envelope, statement in new:
            request.store.keep(envelope, statement)
    return release


def deployments_of(envelopes: Iterable[Envelope], trusted: AttestPolicy, *, shown: str) -> Iterator[DeploymentSaid]:
    """What records say that count: of the published shape, and signed by whom the policy trusts as a deployer on the day they name.

    What does not count is left out: a deployment that nobody can prove did not happen.

    Args:
        envelopes: of a bundle or a store; those of other kinds are passed over.
        trusted: whose word counts.
        shown: where they lie, for people.
    """
    for envelope in envelopes:
        try:
            statement = statement_of(envelope, shown=shown)
            if statement.kind != Predicate.DEPLOYMENT:
                continue
            said = read_deployment(statement, shown=shown)
            vouched(envelope, trusted, at=said.at.date(), shown=shown, statement=statement)
        except ShipsafeError:  # whoever verifies is told why it does not count
            continue
        yield said


def _recorded(envelopes: Iterable[Envelope], request: RecordRequest, shown: str) -> list[tuple[Envelope, DeploymentSaid]]:
    return [(one, said) for one in envelopes for said in deployments_of((one,), request.trusted, shown=shown) if said.ran]


def _says(said: DeploymentSaid, one: Deployment, request: RecordRequest) -> bool:
    """Whether an earlier record tells that this very version runs at this very place and stage, under the same override or under none.

    Bytes that went live under an override and have passed since get a record of that.
    """
    there = (said.account, said.region, said.stage, said.function, said.alias, said.version, said.sha256, said.override)
    override = dict(request.override) if request.override else None
    return there == (one.account, one.region, request.stage, one.function, one.alias, one.version, one.sha256, override)


def _statement(
    artifact: ReleasedArtifact, release: Release, one: Deployment, chain: Chain | None, request: RecordRequest
) -> Statement:  # fmt: skip
    entry = next(found for found in release.document["artifacts"] if found["name"] == artifact.name)
    signature = next((found for found in entry.get("signatures", ()) if found["sha256"] == one.sha256), None)
    if signature is None or one.unsigned_sha256 != artifact.sha256:
        what = f"{one.function} was deployed from a zip that the release does not name: sha256:{one.sha256 or 'unknown'}."
        raise IntegrityError(what, remedy=_REMEDY, path=str(release.out))
    place = signature["object"]
    signed = Resource(name=f"s3://{place['bucket']}/{place['key']}?versionId={place['version']}", digests={"sha256": one.sha256})
    return deployment_statement(one, unsigned=resource(entry), signed=signed, run=request.run, stage=request.stage,
                                verified=chain, override=request.override)  # fmt: skip
