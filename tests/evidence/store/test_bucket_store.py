"""Evidence in a bucket: nothing is replaced, nothing is hidden by a newer version or a delete marker, refusals say what is missing."""

from pathlib import Path
from threading import Barrier, Thread

import pytest

from shipsafe.adapters.aws.kept_objects import versions_below
from shipsafe.adapters.aws.session import Aws, Place, open_aws
from shipsafe.errors import IncompleteError, IntegrityError
from shipsafe.evidence.store import Store, open_store
from shipsafe.local.endpoint import Endpoint
from shipsafe.local.faults import Fault
from tests.evidence.store.statements import ONE, kept, sealed, statement
from tests.local_endpoint import ACCOUNT, REGION, client

BUCKET = "acme-evidence"


@pytest.fixture
def store(local_aws: Endpoint, tmp_path: Path) -> Store:
    client("s3").create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}, ObjectLockEnabledForBucket=True
    )  # fmt: skip
    assert local_aws.url
    return open_store(f"s3://{BUCKET}/lambda", home=tmp_path)


def keys() -> list[str]:
    return [one["Key"] for one in client("s3").list_objects_v2(Bucket=BUCKET).get("Contents", ())]


def test_a_newer_version_hides_nothing(store: Store) -> None:
    """Object Lock keeps the first; anybody who may write can put another over it."""
    envelope, said = kept(ONE)
    store.keep(envelope, said)
    client("s3").put_object(Bucket=BUCKET, Key=keys()[0], Body=sealed(statement(ONE, forged=True)).line, ChecksumAlgorithm="SHA256")
    assert store.about(ONE) == (envelope,)
    assert not store.keep(envelope, said)


def test_a_delete_marker_hides_nothing(store: Store) -> None:
    envelope, said = kept(ONE)
    store.keep(envelope, said)
    client("s3").delete_object(Bucket=BUCKET, Key=keys()[0])
    assert keys() == []
    assert store.about(ONE) == (envelope,)
    assert [found for _, found in store.everything()] == [envelope]


def test_what_was_deleted_is_written_again_when_it_is_kept_again(store: Store) -> None:
    envelope, said = kept(ONE)
    store.keep(envelope, said)
    client("s3").delete_object(Bucket=BUCKET, Key=keys()[0])
    assert store.keep(envelope, said)
    assert len(keys()) == 1


def test_wrong_bytes_that_came_first_are_named_and_not_written_over(store: Store) -> None:
    envelope, said = kept(ONE)
    key = f"lambda/sha256/{ONE}/gates-{envelope.sha256}.json"
    client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"{}", ChecksumAlgorithm="SHA256")
    with pytest.raises(IntegrityError, match=f"s3://{BUCKET}/{key}: It is not what was filed"):
        store.keep(envelope, said)
    assert client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read() == b"{}"


def test_a_bucket_without_versions_works_as_well(local_aws: Endpoint, tmp_path: Path) -> None:
    assert local_aws.url
    client("s3").create_bucket(Bucket="plain", CreateBucketConfiguration={"LocationConstraint": REGION})
    plain = open_store("s3://plain", home=tmp_path)
    envelope, said = kept(ONE)
    assert plain.keep(envelope, said)
    assert not plain.keep(envelope, said)
    assert plain.about(ONE) == (envelope,)
    assert "has no Object Lock" in plain.guard


def test_two_that_keep_the_same_at_once_write_it_once(store: Store) -> None:
    envelope, said = kept(ONE)
    ready, new = Barrier(4), []

    def keep() -> None:
        ready.wait()
        new.append(store.keep(envelope, said))

    threads = [Thread(target=keep) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(new) == [False, False, False, True]


def test_a_write_that_meets_another_is_tried_again(store: Store, local_aws: Endpoint) -> None:
    local_aws.faults.add(Fault(service="s3", operation="PutObject", code="ConditionalRequestConflict", status=409))
    assert store.keep(*kept(ONE))


def test_a_write_whose_answer_was_lost_is_no_second_object(store: Store, local_aws: Endpoint) -> None:
    """botocore asks again, and finds what it wrote itself."""
    local_aws.faults.add(Fault(service="s3", operation="PutObject", when="after", code="InternalError", status=500))
    envelope, said = kept(ONE)
    store.keep(envelope, said)
    assert store.about(ONE) == (envelope,)
    assert len(client("s3").list_object_versions(Bucket=BUCKET)["Versions"]) == 1


@pytest.mark.parametrize(
    ("operation", "right"),
    [("ListObjectVersions", "s3:ListBucketVersions"), ("GetObject", "s3:GetObjectVersion"), ("PutObject", "s3:PutObject")],
)
def test_a_refusal_is_exit_4_and_names_the_right_that_is_missing(store: Store, local_aws: Endpoint, operation: str, right: str) -> None:
    envelope, said = kept(ONE)
    if operation != "PutObject":
        store.keep(envelope, said)
    local_aws.faults.add(Fault(service="s3", operation=operation, times=0, code="AccessDenied", status=403))
    with pytest.raises(IncompleteError, match=f"Give these credentials {right}.* on arn:aws:s3:::{BUCKET}"):
        store.about(ONE) if operation != "PutObject" else store.keep(envelope, said)


def test_a_bucket_that_may_not_be_looked_at_is_exit_4(store: Store, local_aws: Endpoint, tmp_path: Path) -> None:
    assert store.shown
    local_aws.faults.add(Fault(service="s3", operation="HeadBucket", times=0, code="403", status=403))
    with pytest.raises(IncompleteError, match="s3:ListBucket"):
        open_store(f"s3://{BUCKET}", home=tmp_path)


def test_a_bucket_that_is_not_there_is_exit_4(local_aws: Endpoint, tmp_path: Path) -> None:
    assert local_aws.url
    with pytest.raises(IncompleteError, match="There is no bucket nowhere"):
        open_store("s3://nowhere", home=tmp_path)


def test_evidence_does_not_go_to_a_stranger(local_aws: Endpoint, tmp_path: Path) -> None:
    """Whoever takes the name of a bucket first would get every SBOM."""
    assert local_aws.url
    client("s3", account="999999999999").create_bucket(Bucket="taken", CreateBucketConfiguration={"LocationConstraint": REGION})
    with pytest.raises(IntegrityError, match=f"another account than {ACCOUNT}, and to none of the policy's `accounts`"):
        open_store("s3://taken", home=tmp_path, accounts=["888888888888"])
    assert open_store("s3://taken", home=tmp_path, accounts=["999999999999"]).about(ONE) == ()


def test_a_bucket_in_another_region_is_asked_there(local_aws: Endpoint, tmp_path: Path) -> None:
    assert local_aws.url
    client("s3", region="eu-north-1").create_bucket(Bucket="north", CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    asked: list[Place] = []

    def connect(place: Place) -> Aws:
        asked.append(place)
        return open_aws(place)

    open_store("s3://north", home=tmp_path, connect=connect)
    assert asked == [Place(), Place(region="eu-north-1")]


def test_versions_are_listed_page_by_page(store: Store) -> None:
    """A key whose versions stand on two pages is one key, with the oldest version first."""
    assert store.shown
    written = [
        client("s3").put_object(Bucket=BUCKET, Key=f"p/{key}", Body=b"x", ChecksumAlgorithm="SHA256")["VersionId"] for key in "abbbc"
    ]
    client("s3").delete_object(Bucket=BUCKET, Key="p/b")
    for page in (1, 2, 3, 1000):
        found = dict(versions_below(open_aws(Place()), BUCKET, ACCOUNT, "p/", page=page))
        assert found == {"p/a": (written[0],), "p/b": tuple(written[1:4]), "p/c": (written[4],)}


@pytest.mark.parametrize(("unit", "number", "said"), [("Days", 400, "400 days"), ("Years", 3, "3 years"), ("Years", 1, "1 year")])
def test_the_default_retention_is_told(store: Store, unit: str, number: int, said: str) -> None:
    """Years, too: an endpoint that is not AWS's answers `"Days": 0` beside them."""
    assert "no default retention" in store.guard
    client("s3").put_object_lock_configuration(
        Bucket=BUCKET,
        ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", unit: number}}},
    )
    assert store.guard == f"Bucket {BUCKET} keeps every version for {said} (Object Lock, compliance)."


def test_a_retention_that_may_not_be_asked_is_not_known(store: Store, local_aws: Endpoint) -> None:
    local_aws.faults.add(Fault(service="s3", operation="GetObjectLockConfiguration", times=0, code="AccessDenied", status=403))
    assert store.guard.startswith(f"Whether bucket {BUCKET} has Object Lock is not known")
