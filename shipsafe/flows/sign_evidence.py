"""What the signer states, added to the bundles that the build began, and kept where the policy keeps evidence.

Of each artifact: what the gates answered when it asked them itself; of each target a signing record. What the builder claims stands in the
builder's own statements, and is not said again by the signer as if it had seen it.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from shipsafe.evidence.appending import appended
from shipsafe.evidence.envelope import statement_of
from shipsafe.evidence.gate_statement import gates_statement
from shipsafe.evidence.provenance import resource
from shipsafe.evidence.signing_record import signing_record
from shipsafe.evidence.store import Store
from shipsafe.flows.sign_request import SignRequest
from shipsafe.flows.zips import Asked
from shipsafe.model.artifact import Bundle
from shipsafe.model.attestation import Envelope, Predicate, Role, Statement
from shipsafe.model.policy import Policy
from shipsafe.model.signing import SignedArtifact
from shipsafe.packing.output import Output
from shipsafe.packing.release import Release, ReleasedArtifact, laid_bundle
from shipsafe.verify.bundles import envelopes_of

_AT_ONCE = 8  # envelopes that are kept at a time
_ABOUT_ALL = "project"


def stated_by_signer(
    output: Output, release: Release, signed: Sequence[SignedArtifact], asked: Asked, policy: Policy, request: SignRequest
) -> dict[str, Bundle]:  # fmt: skip
    """The bundle of each artifact that was signed, with what the signer states, by the artifact's name. Called under `output_lock`.

    Args:
        output: where the release lies; nothing of it is changed yet.
        release: with the bundles as they lie there.
        signed: what was read back.
        asked: what the gates answered, and who vouches for the builder.
        policy: that it was asked under.
        request: has the keys.

    Raises:
        ShipsafeError: a bundle is not the one that the release names, a key cannot sign, or the folder cannot be written.
    """
    found: dict[str, Bundle] = {}
    for artifact in release.artifacts:
        own = [one for one in signed if one.artifact == artifact.name]
        if own:
            name = artifact.evidence or artifact.path.with_suffix(".intoto.jsonl")
            before = b"".join(one.line + b"\n" for one in envelopes_of(artifact))
            statements = _statements(artifact, release, own, asked, policy)
            data = appended(before, statements, request.signers, today=request.today, shown=str(name))
            found[artifact.name] = laid_bundle(output, artifact.name, data)
    return found


def _statements(
    artifact: ReleasedArtifact, release: Release, signed: Sequence[SignedArtifact], asked: Asked, policy: Policy
) -> list[Statement]:  # fmt: skip
    zipped = resource(_entry(artifact, release))
    claims = [one for one in asked.claims if one.subject in (artifact.subject, _ABOUT_ALL)]
    vouched_by = asked.vouched_by.get(artifact.subject, ())
    return [
        gates_statement(asked.record, zipped, subject=artifact.subject, asked_by=Role.SIGNER, policy=policy),
        *(signing_record(one, zipped=zipped, claims=claims, vouched_by=vouched_by) for one in signed),
    ]


def _entry(artifact: ReleasedArtifact, release: Release) -> Mapping[str, Any]:
    return next(one for one in release.document["artifacts"] if one["name"] == artifact.name)


def keep(release: Release, store: Store) -> None:
    """Keep everything that is stated about a release; what is kept already is left as it is.

    What speaks of other zips, too, is left out: whoever can write to a bundle would file it under them, for ever. An override is about all
    zips of its release.

    Raises:
        IntegrityError: something else lies in its place, or a bundle is not the one that the release names.
        IncompleteError: it cannot be kept.
    """

    def kept(work: tuple[Envelope, str, frozenset[str]]) -> None:
        envelope, shown, own = work
        statement = statement_of(envelope, shown=shown)
        told = [one.digests["sha256"] for one in statement.subjects]
        if statement.kind == Predicate.SIGNING:  # an earlier one names a signed zip that the manifest has forgotten
            del told[1:2]
        if own.issuperset(told) or (statement.kind == Predicate.OVERRIDE and everything.issuperset(told)):
            store.keep(envelope, statement)

    everything = {one.sha256 for one in release.artifacts}
    for artifact in release.artifacts:
        signatures: Sequence[Mapping[str, str]] = _entry(artifact, release).get("signatures", ())
        own = frozenset((artifact.sha256, *(one["sha256"] for one in signatures)))
        work = [(one, str(artifact.evidence), own) for one in envelopes_of(artifact)]
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="keep") as pool:
            list(pool.map(kept, work))
