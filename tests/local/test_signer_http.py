"""Signer over HTTP with boto3: every operation's parameters arrive, every answer and refusal is read as AWS's."""

import io
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config

from shipsafe.signing.signed_zip import look
from tests.local_endpoint import ACCOUNT, REGION, client

if TYPE_CHECKING:
    from shipsafe.local.endpoint import Endpoint

LAMBDA = "AWSLambda-SHA384-ECDSA"
OTHER = "444455556666"


class Clients:
    """Clients of two services, closed at the end."""

    def __init__(self, stack: ExitStack) -> None:
        self.stack = stack

    def of(self, service: str, **words: Any) -> Any:
        made = client(service, **words)
        self.stack.callback(made.close)
        return made


@pytest.fixture
def clients(local_aws: "Endpoint") -> Iterator[Clients]:
    assert local_aws.url
    with ExitStack() as stack:
        yield Clients(stack)


def packed() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("app.py", "def handler(event, context): return 1")
    return buffer.getvalue()


def prepare(clients: Clients) -> tuple[Any, Any, dict[str, Any]]:
    """Signer and S3 with a profile, a versioned bucket and an object; the parameters of a job."""
    signer, s3 = clients.of("signer"), clients.of("s3")
    s3.create_bucket(Bucket="builds", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket="builds", VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket="builds", Key="a.zip", Body=packed())["VersionId"]
    signer.put_signing_profile(profileName="prod", platformId=LAMBDA, tags={"team": "orders"})
    source = {"s3": {"bucketName": "builds", "key": "a.zip", "version": version}}
    return signer, s3, {"source": source, "destination": {"s3": {"bucketName": "builds", "prefix": "signed/"}}, "profileName": "prod"}


def test_the_waiter_ends_and_the_object_is_signed(clients: Clients, local_aws: "Endpoint") -> None:
    signer, s3, words = prepare(clients)
    job = signer.start_signing_job(**words)
    signer.get_waiter("successful_signing_job").wait(jobId=job["jobId"], WaiterConfig={"Delay": 0, "MaxAttempts": 50})
    told = signer.describe_signing_job(jobId=job["jobId"])
    assert told["statusReason"] == "Signing Succeeded"
    signed = look(io.BytesIO(s3.get_object(Bucket="builds", Key=f"signed/{job['jobId']}.zip")["Body"].read()))
    assert signed.intact
    assert signed.signature is not None
    assert signed.signature.job.id == job["jobId"]
    assert signed.signature.root == local_aws.fingerprint
    assert signed.signature.expires == told["signatureExpiresAt"]


def test_s3_has_the_object_when_the_job_is_due_though_nobody_asked_signer(clients: Clients) -> None:
    signer, s3, words = prepare(clients)
    job = signer.start_signing_job(**words)["jobId"]
    assert s3.head_object(Bucket="builds", Key=f"signed/{job}.zip")["ContentLength"] > len(packed())


def test_refusals_are_exceptions_of_the_client(clients: Clients) -> None:
    signer, _, words = prepare(clients)
    with pytest.raises(signer.exceptions.ValidationException, match="Profile with name prod already exists"):
        signer.put_signing_profile(profileName="prod", platformId=LAMBDA)
    with pytest.raises(signer.exceptions.ResourceNotFoundException, match="profile with name none does not exist"):
        signer.start_signing_job(**words | {"profileName": "none"})
    with pytest.raises(signer.exceptions.ValidationException, match="regular expression"):
        signer.get_signing_profile(profileName="my-profile")
    source = {"s3": words["source"]["s3"] | {"version": ""}}
    with pytest.raises(signer.exceptions.ValidationException) as caught:
        signer.start_signing_job(**words | {"source": source})
    assert caught.value.response["message"] == "StartSigningJobRequest:source:version should not be empty"
    assert caught.value.response["code"] == "InvalidJobParameters"


def test_a_bucket_elsewhere_is_refused(clients: Clients) -> None:
    signer, _, words = prepare(clients)
    far = clients.of("s3", region="us-west-2")
    far.create_bucket(Bucket="far", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    with pytest.raises(signer.exceptions.ValidationException, match="us-west-2"):
        signer.start_signing_job(**words | {"destination": {"s3": {"bucketName": "far"}}})


def test_a_suspended_buckets_null_version_is_signed(clients: Clients) -> None:
    """As AWS does it, and as shipsafe refuses it before it gets here."""
    signer, s3, words = prepare(clients)
    s3.put_bucket_versioning(Bucket="builds", VersioningConfiguration={"Status": "Suspended"})
    s3.put_object(Bucket="builds", Key="b.zip", Body=packed())
    source = {"s3": {"bucketName": "builds", "key": "b.zip", "version": "null"}}
    job = signer.start_signing_job(**words | {"source": source})["jobId"]
    assert signer.describe_signing_job(jobId=job)["status"] == "Succeeded"


def test_a_deleted_version_fails_the_job(clients: Clients) -> None:
    signer, s3, words = prepare(clients)
    s3.delete_object(Bucket="builds", Key="a.zip", VersionId=words["source"]["s3"]["version"])
    job = signer.start_signing_job(**words)["jobId"]
    told = signer.describe_signing_job(jobId=job)
    assert told["status"] == "Failed"
    assert "cannot be read" in told["statusReason"]


def test_every_other_operation_arrives(clients: Clients) -> None:
    """Times, lists in the query, ARNs in the path and Booleans are what HTTP may spoil."""
    signer, _, words = prepare(clients)
    profile = signer.get_signing_profile(profileName="prod")
    job = signer.start_signing_job(**words)["jobId"]
    arn = profile["arn"]
    assert signer.list_tags_for_resource(resourceArn=arn)["tags"] == {"team": "orders"}
    signer.tag_resource(resourceArn=arn, tags={"a": "1"})
    signer.untag_resource(resourceArn=arn, tagKeys=["team", "b"])
    assert signer.list_tags_for_resource(resourceArn=arn)["tags"] == {"a": "1"}
    assert [one["profileName"] for one in signer.list_signing_profiles(includeCanceled=True, statuses=["Active"])["profiles"]] == ["prod"]
    assert [one["jobId"] for one in signer.list_signing_jobs(status="Succeeded", isRevoked=False, maxResults=1)["jobs"]] == [job]
    soon = datetime.now(UTC) + timedelta(days=1)
    assert signer.list_signing_jobs(signatureExpiresBefore=soon)["jobs"] == []
    assert len(signer.list_signing_jobs(signatureExpiresAfter=soon)["jobs"]) == 1
    revision = signer.add_profile_permission(profileName="prod", action="signer:GetSigningProfile", principal=OTHER, statementId="s1")[
        "revisionId"
    ]
    elsewhere = clients.of("signer", account=OTHER)
    assert elsewhere.get_signing_profile(profileName="prod", profileOwner=ACCOUNT)["arn"] == arn
    assert signer.list_profile_permissions(profileName="prod")["permissions"][0]["principal"] == OTHER
    signer.remove_profile_permission(profileName="prod", revisionId=revision, statementId="s1")
    with pytest.raises(elsewhere.exceptions.AccessDeniedException):
        elsewhere.get_signing_profile(profileName="prod", profileOwner=ACCOUNT)
    assert signer.get_signing_platform(platformId=LAMBDA)["maxSizeInMB"] == 250
    assert LAMBDA in {one["platformId"] for one in signer.list_signing_platforms()["platforms"]}
    signer.revoke_signature(jobId=job, reason="stolen")
    assert signer.describe_signing_job(jobId=job)["revocationRecord"]["reason"] == "stolen"
    effective = datetime.now(UTC) - timedelta(hours=1)
    signer.revoke_signing_profile(profileName="prod", profileVersion=profile["profileVersion"], reason="lost", effectiveTime=effective)
    record = signer.get_signing_profile(profileName="prod")["revocationRecord"]
    assert abs(record["revocationEffectiveFrom"] - effective) < timedelta(seconds=1)
    signer.put_signing_profile(profileName="old", platformId=LAMBDA)
    signer.cancel_signing_profile(profileName="old")
    assert signer.get_signing_profile(profileName="old")["status"] == "Canceled"


@pytest.mark.parametrize("service", ["signer", "signer-data"])
def test_revocation_is_not_told_for_lambda_on_either_endpoint(clients: Clients, service: str) -> None:
    signer, _, words = prepare(clients)
    job = signer.start_signing_job(**words)["jobId"]
    asked = clients.of(
        service, config=Config(inject_host_prefix=False)
    )  # the model puts `data-` before the host: no loopback has that name
    with pytest.raises(asked.exceptions.ValidationException, match="Invalid platformId: AWSLambda-SHA384-ECDSA"):
        asked.get_revocation_status(
            signatureTimestamp=datetime.now(UTC),
            platformId=LAMBDA,
            profileVersionArn=signer.get_signing_profile(profileName="prod")["profileVersionArn"],
            jobArn=f"arn:aws:signer:{REGION}:{ACCOUNT}:/signing-jobs/{job}",
            certificateHashes=["00", "11"],
        )


def test_a_payload_is_signed_over_http(clients: Clients) -> None:
    signer = clients.of("signer")
    signer.put_signing_profile(profileName="images", platformId="Notation-OCI-SHA384-ECDSA")
    told = signer.sign_payload(profileName="images", payload=b"{}", payloadFormat="application/vnd.cncf.notary.payload.v1+json")
    assert told["signature"].startswith(b'{"payload": "e30"')
    assert told["jobOwner"] == ACCOUNT
