"""The signing record says all of a signature, in the published shape, and is read back as the same."""

from datetime import UTC, datetime, timedelta, timezone

from shipsafe.evidence.predicates import check
from shipsafe.evidence.recorded import recorded
from shipsafe.evidence.signing_record import signing_record
from shipsafe.model.attestation import Predicate, Resource
from shipsafe.model.claims import Claim
from shipsafe.model.signing import S3Object, SignedArtifact

UNSIGNED, SIGNED = "a" * 64, "b" * 64
ARTIFACT = SignedArtifact(
    artifact="Orders",
    target="prod",
    account="111122223333",
    region="eu-central-1",
    unsigned_sha256=UNSIGNED,
    source=S3Object(bucket="bucket", key=f"unsigned/{UNSIGNED}.zip", version="v1"),
    object=S3Object(bucket="bucket", key=f"signed/{UNSIGNED}/job.zip", version="v2"),
    size=4711,
    sha256=SIGNED,
    code_sha256="u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7s=",
    job="arn:aws:signer:eu-central-1:111122223333:/signing-jobs/6bc1c1d3-0000-4000-8000-000000000000",
    profile_version="arn:aws:signer:eu-central-1:111122223333:/signing-profiles/orders_2026/AbCdE12345",
    signed_at=datetime(2026, 11, 21, 10, tzinfo=timezone(timedelta(hours=1))),
    expires=datetime(2037, 2, 20, 9, tzinfo=UTC),
    root="c" * 64,
    trust="aws",
)
ZIP = Resource(name="Orders.zip", digests={"sha256": UNSIGNED, "sha512": "d" * 128})
CLAIM = Claim(subject="function:Orders", name="handler", value="app.handler", vouched_by="ci")


def test_it_is_about_both_zips_the_unsigned_one_first() -> None:
    made = signing_record(ARTIFACT, zipped=ZIP, claims=[CLAIM], vouched_by=("release", "ci"))
    assert made.kind == Predicate.SIGNING
    assert made.subjects == (ZIP, Resource(name=str(ARTIFACT.object), digests={"sha256": SIGNED}))
    assert made.predicate["vouchedBy"] == ["ci", "release"]
    assert made.predicate["claims"] == [{"subject": "function:Orders", "name": "handler", "value": "app.handler", "vouchedBy": "ci"}]
    assert (made.predicate["signedAt"], made.predicate["expires"]) == ("2026-11-21T09:00:00Z", "2037-02-20T09:00:00Z")


def test_it_has_the_published_shape_and_is_read_back_as_it_was() -> None:
    made = signing_record(ARTIFACT, zipped=ZIP, claims=[CLAIM], vouched_by=())
    check(made.kind, made.predicate, shown="Orders.intoto.jsonl")
    assert recorded(made, shown="Orders.intoto.jsonl") == ARTIFACT
