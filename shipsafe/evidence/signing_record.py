"""The signing record: what `sign` states of one zip at one target, after it has read the signed object back.

    statement = signing_record(signed, zipped=Resource(name="Orders.zip", digests={...}), claims=..., vouched_by=("ci",))

Subjects are the unsigned zip and then the signed object, so that whoever has one of them finds the other, by digest. What the signer took
from the builder is listed as claims, with whose attestation vouches for each; `vouchedBy` names the keys that vouch for the build. Every
time in it comes from the signature, so that a second run over the same signature states the same.

    {"artifact": "Orders", "target": "prod", "account": "111122223333", "region": "eu-central-1",
     "source": {"bucket": "b", "key": "unsigned/....zip", "version": "v1"}, "object": {...}, "unsigned": {"sha256": "..."},
     "signed": {"sha256": "...", "codeSha256": "...", "size": 4711}, "job": "arn:...", "profileVersion": "arn:...",
     "signedAt": "2026-11-21T09:00:00Z", "expires": "2037-02-20T09:00:00Z", "root": "...", "trust": "aws",
     "claims": [...], "vouchedBy": [...]}
"""

from collections.abc import Iterable

from shipsafe.model.attestation import Predicate, Resource, Statement
from shipsafe.model.claims import Claim
from shipsafe.model.moments import as_text
from shipsafe.model.signing import S3Object, SignedArtifact


def signing_record(signed: SignedArtifact, *, zipped: Resource, claims: Iterable[Claim], vouched_by: Iterable[str]) -> Statement:
    """The statement about one signed artifact.

    Args:
        signed: as it was read back.
        zipped: the unsigned zip: the name of its file, and its digests.
        claims: what was taken from the builder, about this artifact and about the whole release.
        vouched_by: names of the trusted keys that signed the builder's statements; none where nobody vouches for them.
    """
    predicate = {
        "artifact": signed.artifact,
        "target": signed.target,
        "account": signed.account,
        "region": signed.region,
        "source": _place(signed.source),
        "object": _place(signed.object),
        "unsigned": {"sha256": signed.unsigned_sha256},
        "signed": {"sha256": signed.sha256, "codeSha256": signed.code_sha256, "size": signed.size},
        "job": signed.job,
        "profileVersion": signed.profile_version,
        "signedAt": as_text(signed.signed_at),
        "expires": as_text(signed.expires),
        "root": signed.root,
        "trust": signed.trust,
        "claims": [{"subject": one.subject, "name": one.name, "value": one.value, "vouchedBy": one.vouched_by} for one in claims],
        "vouchedBy": sorted(vouched_by),
    }
    subjects = (zipped, Resource(name=str(signed.object), digests={"sha256": signed.sha256}))
    return Statement(subjects=subjects, kind=Predicate.SIGNING, predicate=predicate)


def _place(place: S3Object) -> dict[str, str]:
    return {"bucket": place.bucket, "key": place.key, "version": place.version}
