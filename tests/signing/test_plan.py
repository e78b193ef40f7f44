"""What is refused before anything is changed, each in one sentence and with its exit code."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Thread, current_thread

import pytest

from shipsafe.adapters.aws.session import Aws
from shipsafe.errors import ConfigError, IncompleteError, IntegrityError, NothingError, ShipsafeError
from shipsafe.local.faults import Fault
from shipsafe.model.signing import S3Object, SignTarget
from shipsafe.signing.journal import NAME, Journal
from shipsafe.signing.layout import ENTRY
from shipsafe.signing.plan import plan
from tests.local_endpoint import ACCOUNT, REGION
from tests.signing.place import BUCKET, TARGET, ZIP, Site, connect, make_bucket, make_profile
from tests.signing.zips import zip_bytes

OTHER = "444455556666"


@pytest.fixture(autouse=True)
def _nothing_was_changed(site: Site) -> Iterator[None]:
    yield
    assert site.started() == 0
    assert site.versions() == []


def _refused(site: Site, kind: type[ShipsafeError], told: str) -> None:
    with pytest.raises(kind, match=told) as caught:
        site.plan()
    assert type(caught.value).exit_code == kind.exit_code
    assert "\n" not in str(caught.value)


def test_nothing_to_sign_is_no_success(site: Site) -> None:
    with pytest.raises(NothingError, match="no artifact to sign"):
        plan([], [TARGET], connect=connect, journal=Journal.open(site.folder), now=site.now)


def test_no_place_to_sign_is_no_success(site: Site) -> None:
    with pytest.raises(ConfigError, match="names no place to sign"):
        plan([site.unsigned()], [], connect=connect, journal=Journal.open(site.folder), now=site.now)


def test_two_artifacts_of_one_name(site: Site) -> None:
    with pytest.raises(ConfigError, match="Two artifacts are called 'orders'"):
        site.plan(site.unsigned(), site.unsigned())


def test_a_bucket_that_is_not_there(site: Site) -> None:
    _refused(
        site.with_target(bucket="no-such-bucket-here"), IncompleteError, r"There is no bucket no-such-bucket-here\. `shipsafe bootstrap`"
    )


@pytest.mark.parametrize("versioning", ["", "Suspended"])
def test_a_bucket_without_versions(site: Site, versioning: str) -> None:
    make_bucket("plain-bucket", versioning="Enabled" if versioning else "")
    if versioning:
        site.client("s3").put_bucket_versioning(Bucket="plain-bucket", VersioningConfiguration={"Status": versioning})
    _refused(site.with_target(bucket="plain-bucket"), IncompleteError, "Versioning is off on bucket plain-bucket")


def test_a_bucket_in_another_region(site: Site) -> None:
    make_bucket("far-away-bucket", region="eu-west-2")
    _refused(site.with_target(bucket="far-away-bucket"), IncompleteError, r"is in eu-west-2, and target prod signs in eu-west-1")


def test_a_bucket_of_somebody_else(site: Site) -> None:
    make_bucket("their-bucket", account=OTHER)
    _refused(site.with_target(bucket="their-bucket"), IntegrityError, f"Bucket their-bucket does not belong to account {ACCOUNT}")


def test_a_bucket_that_lets_us_look_and_is_somebody_elses(site: Site) -> None:
    """ExpectedBucketOwner is refused and the same call without it is not."""
    site.endpoint.faults.add(Fault(service="s3", operation="HeadBucket", code="AccessDenied", status=403))
    _refused(site, IntegrityError, f"Bucket {BUCKET} does not belong to account {ACCOUNT}")


def test_a_bucket_that_we_may_not_look_at(site: Site) -> None:
    site.endpoint.faults.add(Fault(service="s3", operation="HeadBucket", code="AccessDenied", status=403, times=2))
    _refused(site, IncompleteError, f"Could not look at bucket {BUCKET}: HeadBucket answered 403")


def test_a_profile_that_is_not_there(site: Site) -> None:
    told = rf"There is no signing profile nobody in account {ACCOUNT}, {REGION}\. `shipsafe bootstrap`"
    _refused(site.with_target(profile="nobody"), IncompleteError, told)


def test_a_cancelled_profile(site: Site) -> None:
    site.client("signer").cancel_signing_profile(profileName=TARGET.profile)
    _refused(site, IncompleteError, "Signing profile orders_2026 of target prod is Canceled, not Active")


def test_a_revoked_profile(site: Site) -> None:
    version = site.client("signer").get_signing_profile(profileName=TARGET.profile)["profileVersion"]
    site.client("signer").revoke_signing_profile(
        profileName=TARGET.profile, profileVersion=version, reason="stolen", effectiveTime=datetime.now(UTC) - timedelta(days=1)
    )
    _refused(site, IntegrityError, r"Signing profile orders_2026 of target prod was revoked on \d{4}-\d\d-\d\d: Lambda refuses")


def test_a_profile_of_another_platform(site: Site) -> None:
    make_profile("containers", platform="Notation-OCI-SHA384-ECDSA")
    _refused(
        site.with_target(profile="containers"), IncompleteError, "is for Notation-OCI-SHA384-ECDSA, and Lambda needs AWSLambda-SHA384-ECDSA"
    )


def test_a_profile_of_another_version_than_is_pinned(site: Site) -> None:
    _refused(site.with_target(profile_version="AAAAAAAAAA"), IntegrityError, r"has version \w{10} on AWS, and the policy pins AAAAAAAAAA")


def test_a_profile_of_the_pinned_version_is_taken(site: Site) -> None:
    version = site.client("signer").get_signing_profile(profileName=TARGET.profile)["profileVersion"]
    assert site.with_target(profile_version=version).plan().changes


def test_a_profile_of_another_account_that_does_not_share_it(site: Site) -> None:
    make_profile("theirs", account=OTHER)
    with pytest.raises(IncompleteError, match="signing profile theirs"):
        site.with_target(profile="theirs", profile_owner=OTHER).plan()


def test_credentials_of_another_account(site: Site) -> None:
    _refused(site.with_target(account=OTHER), IntegrityError, f"belong to account {ACCOUNT}, and account {OTHER} is meant")


def test_no_credentials(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as without:
        without.delenv("AWS_ACCESS_KEY_ID")
        without.delenv("AWS_SECRET_ACCESS_KEY")
        with pytest.raises(IncompleteError, match="Could not ask AWS who we are: there are no usable AWS credentials"):
            site.plan(connect=connect)


def test_a_role_that_cannot_be_assumed(site: Site) -> None:
    site.endpoint.faults.add(Fault(service="sts", operation="AssumeRole", code="AccessDenied", status=403, times=0))
    _refused(site.with_target(role=f"arn:aws:iam::{ACCOUNT}:role/signer"), IncompleteError, "AssumeRole answered AccessDenied")
    site.endpoint.faults.clear()


def test_other_bytes_under_our_key(site: Site) -> None:
    work = site.unsigned()
    site.client("s3").put_object(Bucket=BUCKET, Key=f"unsigned/{work.sha256}.zip", Body=b"other bytes", ChecksumAlgorithm="SHA256")
    _refused(site, IntegrityError, rf"orders: s3://{BUCKET}/unsigned/{work.sha256}\.zip holds other bytes than its name says")
    for one in site.versions():
        site.client("s3").delete_object(Bucket=BUCKET, Key=one["Key"], VersionId=one["VersionId"])


def test_every_refusal_is_told_and_the_gravest_decides(site: Site) -> None:
    targets = [TARGET, replace(TARGET, name="one", profile="nobody"), replace(TARGET, name="two", profile_version="AAAAAAAAAA")]
    with pytest.raises(IntegrityError, match=r"no signing profile nobody .* the policy pins AAAAAAAAAA"):
        site.plan(targets=targets)


def test_what_to_do_about_several_refusals_is_said_once(site: Site) -> None:
    targets = [replace(TARGET, name=name, bucket=f"no-such-bucket-{name}") for name in ("a", "b", "c", "d", "e", "f")]
    with pytest.raises(IncompleteError) as caught:
        plan([site.unsigned()], targets, connect=connect, journal=Journal.open(site.folder), now=site.now)
    missing = " ".join(f"There is no bucket no-such-bucket-{name}." for name in "abcde")
    assert str(caught.value) == f"{missing} `shipsafe bootstrap` creates it. And 1 more."


def test_targets_are_connected_to_one_after_the_other_by_the_caller_itself(site: Site) -> None:
    """A named profile may ask on the terminal for a code."""
    asked: list[tuple[str, Thread]] = []

    def opened(target: SignTarget) -> Aws:
        asked.append((target.name, current_thread()))
        return site.connect(TARGET)

    site.plan(targets=[replace(TARGET, name=name) for name in "abc"], connect=opened)
    assert asked == [(name, current_thread()) for name in "abc"]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "This is not a zip"),
        (zip_bytes({}), "the zip is empty"),
        (zip_bytes({"app.py": b"", ENTRY: b"signature"}), "already signed"),
        (ZIP[:-30], "cannot be signed"),
    ],
)
def test_a_zip_that_cannot_be_signed(site: Site, data: bytes, told: str) -> None:
    with pytest.raises(IncompleteError, match=f"orders: .*{told}"):
        site.plan(site.unsigned("orders", data))


def test_a_journal_of_somebody_else_makes_no_difference(site: Site) -> None:
    job = "6bc1c1d3-0000-4000-8000-000000000001"
    (site.folder / NAME).write_text(
        f'{{"fact":"uploaded","account":"{ACCOUNT}","bucket":"{BUCKET}","key":"unsigned/{site.unsigned().sha256}.zip","version":"v1"}}\n'
        f'{{"fact":"failed","ticket":"{"ab" * 32}","attempt":7,"job":"{job}"}}\n',
        encoding="utf-8",
    )
    assert site.plan().lines[0].todo() == ("upload", "sign", "read back")


@pytest.mark.parametrize("name", ["", "not a job", "../../signing-jobs", "6bc1c1d3-0000-4000-8000-000000000001"])
def test_a_file_of_somebody_else_where_signed_zips_lie_makes_no_difference(site: Site, name: str) -> None:
    work = site.unsigned()
    s3 = site.client("s3")
    s3.upload_file(str(work.path), BUCKET, f"unsigned/{work.sha256}.zip", ExtraArgs={"ChecksumAlgorithm": "SHA256"})
    s3.put_object(Bucket=BUCKET, Key=f"signed/{work.sha256}/{name}.zip", Body=b"")

    assert site.plan(work).lines[0].todo() == ("sign", "read back")

    for one in site.versions():
        s3.delete_object(Bucket=BUCKET, Key=one["Key"], VersionId=one["VersionId"])


@pytest.mark.parametrize("code", ["AccessDeniedException", "ValidationException"])
def test_a_job_of_the_journal_that_we_may_not_see_is_not_ours(site: Site, code: str) -> None:
    made = site.plan()
    line, account = made.lines[0], made.stands[0].aws.account
    s3 = site.client("s3")
    version = s3.put_object(Bucket=BUCKET, Key=line.key, Body=ZIP, ChecksumAlgorithm="SHA256")["VersionId"]
    source = S3Object(bucket=BUCKET, key=line.key, version=version)
    journal = Journal.open(site.folder)
    journal.note_upload(account, source)
    journal.note_started(line.ticket(source).id, 4, "6bc1c1d3-0000-4000-8000-000000000001")
    site.endpoint.faults.add(Fault(service="signer", operation="DescribeSigningJob", code=code, status=403))

    assert site.plan().lines[0].todo() == ("sign", "read back")

    s3.delete_object(Bucket=BUCKET, Key=line.key, VersionId=version)
