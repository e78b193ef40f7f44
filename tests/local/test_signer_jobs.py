"""Signing jobs: exact versions, one job a token, in progress until they are due, and what makes them fail."""

import io
import zipfile
from datetime import timedelta
from hashlib import sha384
from pathlib import Path
from typing import Any

import pytest

from shipsafe.local.call import ApiError
from shipsafe.local.pki import LocalRoot
from shipsafe.local.signer import Signer
from shipsafe.signing.content_digest import content_digest
from shipsafe.signing.layout import ENTRY
from shipsafe.signing.signature import read_signature
from tests.local.stores import ACCOUNT, BEGIN, REGION, HandClock, Memory, ask
from tests.local.test_cms import verify

LAMBDA = "AWSLambda-SHA384-ECDSA"


def packed(text: str = "def handler(event, context): return 1") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", text)
    return buffer.getvalue()


class Desk:
    """An account with a versioned bucket, one object in it and a profile."""

    def __init__(self, root: LocalRoot) -> None:
        self.root, self.clock, self.objects = root, HandClock(), Memory()
        self.objects.bucket("builds")
        self.version = self.objects.write("builds", "a.zip", packed()) or ""
        self.signer = Signer(self.clock, self.objects, root)
        self.profile = ask(self.signer, "PutSigningProfile", profileName="prod", platformId=LAMBDA)

    def words(self, **other: Any) -> dict[str, Any]:
        source = {"bucketName": "builds", "key": "a.zip", "version": self.version} | other.pop("source", {})
        destination = {"bucketName": "builds", "prefix": "signed/"} | other.pop("destination", {})
        told = {"source": {"s3": source}, "destination": {"s3": destination}, "profileName": "prod", "clientRequestToken": "t1"}
        return told | other

    def start(self, **other: Any) -> str:
        return str(ask(self.signer, "StartSigningJob", **self.words(**other))["jobId"])

    def refused(self, **other: Any) -> ApiError:
        with pytest.raises(ApiError) as caught:
            self.start(**other)
        return caught.value

    def describe(self, job: str) -> dict[str, Any]:
        return ask(self.signer, "DescribeSigningJob", jobId=job)

    def ended(self, **other: Any) -> dict[str, Any]:
        job = self.start(**other)
        self.clock.pass_time(seconds=1)
        return self.describe(job)


@pytest.fixture
def desk(local_root: LocalRoot) -> Desk:
    return Desk(local_root)


def test_a_job_is_in_progress_and_then_succeeded(desk: Desk) -> None:
    """The members are those of botocore's shape, and the signed object's version is not among them."""
    job = desk.start()
    common = {
        "jobId": job,
        "source": {"s3": {"bucketName": "builds", "key": "a.zip", "version": "v1"}},
        "platformId": LAMBDA,
        "platformDisplayName": "AWS Lambda",
        "profileName": "prod",
        "profileVersion": desk.profile["profileVersion"],
        "createdAt": BEGIN,
        "requestedBy": f"arn:aws:iam::{ACCOUNT}:root",
        "jobOwner": ACCOUNT,
        "jobInvoker": ACCOUNT,
    }
    desk.clock.pass_time(milliseconds=999)
    assert desk.describe(job) == common | {"status": "InProgress"}
    assert len(desk.objects.objects) == 1
    desk.clock.pass_time(milliseconds=1)
    assert desk.describe(job) == common | {
        "status": "Succeeded",
        "statusReason": "Signing Succeeded",
        "completedAt": BEGIN + timedelta(seconds=1),
        "signatureExpiresAt": BEGIN.replace(year=2038, month=2) + timedelta(seconds=1),
        "signedObject": {"s3": {"bucketName": "builds", "key": f"signed/{job}.zip"}},
    }


def test_the_signed_object_lies_at_prefix_job_and_zip_with_nothing_between(desk: Desk) -> None:
    told = desk.ended(destination={"prefix": "a.zip/signed_"})
    assert told["signedObject"]["s3"]["key"] == f"a.zip/signed_{told['jobId']}.zip"
    told = desk.ended(destination={"prefix": None}, clientRequestToken="t2")
    assert told["signedObject"]["s3"]["key"] == f"{told['jobId']}.zip"


def test_settling_puts_the_object_there_without_a_question_to_signer(desk: Desk) -> None:
    """The front settles before it asks S3: who waits for the object need not describe the job."""
    job = desk.start()
    desk.clock.pass_time(seconds=1)
    desk.signer.settle()
    assert desk.objects.read("builds", f"signed/{job}.zip", "v1").startswith(b"PK")


def test_the_signature_says_which_job_and_which_profile(desk: Desk) -> None:
    told = desk.ended()
    body = desk.objects.read("builds", told["signedObject"]["s3"]["key"], "v1")
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        signature = read_signature(archive.read(ENTRY))
    assert signature.job.arn == f"arn:aws:signer:{REGION}:{ACCOUNT}:/signing-jobs/{told['jobId']}"
    assert signature.profile_version.arn == desk.profile["profileVersionArn"]
    assert (signature.signed_at, signature.expires) == (told["completedAt"], told["signatureExpiresAt"])
    assert signature.message_digest == content_digest(io.BytesIO(body))
    assert signature.root == desk.root.fingerprint


def test_openssl_verifies_the_signature_in_the_signed_object(desk: Desk, tmp_path: Path) -> None:
    """Over the SHA-384 of names and bodies in their order, worked out by hand here."""
    told = desk.ended()
    with zipfile.ZipFile(io.BytesIO(desk.objects.read("builds", told["signedObject"]["s3"]["key"], "v1"))) as archive:
        text, body = archive.read(ENTRY), archive.read("app.py")
    done = verify(tmp_path, text, sha384(b"app.py" + body + b"META_INF/").digest(), desk.root, told["completedAt"])
    assert (done.returncode, done.stderr) == (0, "CMS Verification successful\n")


def test_the_version_that_was_named_is_signed_though_it_was_overwritten(desk: Desk) -> None:
    job = desk.start()
    desk.objects.write("builds", "a.zip", packed("evil"))
    desk.clock.pass_time(seconds=1)
    key = desk.describe(job)["signedObject"]["s3"]["key"]
    with zipfile.ZipFile(io.BytesIO(desk.objects.read("builds", key, "v1"))) as archive:
        assert b"return 1" in archive.read("app.py")


def test_a_token_is_answered_as_the_first_time_whatever_has_happened_since(desk: Desk) -> None:
    job = desk.start()
    ask(desk.signer, "CancelSigningProfile", profileName="prod")
    desk.clock.pass_time(days=400)
    assert desk.start() == job
    assert len(ask(desk.signer, "ListSigningJobs")["jobs"]) == 1


def test_a_token_with_other_parameters_is_refused(desk: Desk) -> None:
    desk.start()
    error = desk.refused(destination={"prefix": "elsewhere/"})
    assert error.code == "ValidationException"
    assert "t1" in error.message


def test_tokens_of_other_regions_are_others(desk: Desk) -> None:
    desk.start()
    desk.objects.bucket("far", region="us-east-1")
    version = desk.objects.write("far", "a.zip", packed()) or ""
    ask(desk.signer, "PutSigningProfile", profileName="prod", platformId=LAMBDA, region="us-east-1")
    words = desk.words(source={"bucketName": "far", "version": version}, destination={"bucketName": "far"})
    ask(desk.signer, "StartSigningJob", **words, region="us-east-1")
    assert len(ask(desk.signer, "ListSigningJobs", region="us-east-1")["jobs"]) == 1


def test_an_empty_version_is_refused_in_awss_words(desk: Desk) -> None:
    error = desk.refused(source={"version": ""})
    assert (error.code, error.message) == ("ValidationException", "StartSigningJobRequest:source:version should not be empty")
    assert error.members == {"code": "InvalidJobParameters"}


def test_an_unknown_profile_is_refused_in_awss_words(desk: Desk) -> None:
    error = desk.refused(profileName="other")
    assert (error.code, error.status, error.message) == ("ResourceNotFoundException", 404, "profile with name other does not exist")


@pytest.mark.parametrize("how", ["CancelSigningProfile", "RevokeSigningProfile"])
def test_a_profile_that_ended_starts_no_job(desk: Desk, how: str) -> None:
    version = {"profileVersion": desk.profile["profileVersion"], "reason": "lost", "effectiveTime": BEGIN}
    ask(desk.signer, how, profileName="prod", **(version if how == "RevokeSigningProfile" else {}))
    assert desk.refused().code == "ValidationException"


@pytest.mark.parametrize("end", ["source", "destination"])
def test_a_bucket_in_another_region_is_refused(desk: Desk, end: str) -> None:
    desk.objects.bucket("far", region="us-east-1")
    error = desk.refused(**{end: {"bucketName": "far"}})
    assert (error.code, "us-east-1" in error.message) == ("ValidationException", True)


def test_a_bucket_that_does_not_exist_is_refused(desk: Desk) -> None:
    assert "The specified bucket does not exist" in desk.refused(source={"bucketName": "gone"}).message


def test_a_source_without_versions_is_refused(desk: Desk) -> None:
    desk.objects.bucket("plain", versioning="")
    desk.objects.write("plain", "a.zip", packed())
    assert "version enabled" in desk.refused(source={"bucketName": "plain", "version": "null"}).message


def test_null_is_a_version_of_a_suspended_bucket_alone(desk: Desk) -> None:
    assert "version enabled" in desk.refused(source={"version": "null"}).message
    desk.objects.bucket("paused", versioning="Suspended")
    desk.objects.write("paused", "a.zip", packed())
    assert desk.ended(source={"bucketName": "paused", "version": "null"})["status"] == "Succeeded"


def test_a_destination_needs_no_versions(desk: Desk) -> None:
    desk.objects.bucket("plain", versioning="")
    told = desk.ended(destination={"bucketName": "plain"})
    assert told["signedObject"]["s3"]["bucketName"] == "plain"


@pytest.mark.parametrize(
    ("body", "why"),
    [(b"", "empty"), (b"not a zip", "malformed"), (packed()[:-5], "malformed")],
)
def test_a_zip_that_cannot_be_signed_fails_the_job_and_says_why(desk: Desk, body: bytes, why: str) -> None:
    version = desk.objects.write("builds", "bad.zip", body)
    told = desk.ended(source={"key": "bad.zip", "version": version})
    assert told["status"] == "Failed"
    assert why in told["statusReason"]
    assert told["completedAt"] == BEGIN + timedelta(seconds=1)
    assert not {"signedObject", "signatureExpiresAt"} & told.keys()


def test_what_is_signed_already_fails(desk: Desk) -> None:
    key = desk.ended()["signedObject"]["s3"]["key"]
    told = desk.ended(source={"key": key}, clientRequestToken="t2")
    assert (told["status"], told["statusReason"]) == ("Failed", "The source object is already signed.")


@pytest.mark.parametrize("source", [{"version": "v9"}, {"key": "other.zip"}])
def test_an_object_that_is_not_there_fails_the_job(desk: Desk, source: dict[str, str]) -> None:
    told = desk.ended(source=source)
    assert told["status"] == "Failed"
    assert "does not exist" in told["statusReason"]


def test_a_destination_that_cannot_be_written_to_fails_the_job(desk: Desk) -> None:
    desk.objects.bucket("closed")
    desk.objects.read_only.add("closed")
    told = desk.ended(destination={"bucketName": "closed"})
    assert (told["status"], "Access Denied" in told["statusReason"]) == ("Failed", True)


def test_a_control_call_decides_the_fate_of_the_next_job(desk: Desk) -> None:
    desk.signer.fail_next("Internal error")
    desk.signer.hang_next()
    desk.signer.lose_next()
    failed, hung, lost, fine = (desk.start(clientRequestToken=f"t{number}") for number in range(4))
    desk.clock.pass_time(days=30)
    told = desk.describe(failed)
    assert (told["status"], told["statusReason"]) == ("Failed", "Internal error")
    assert desk.describe(hung)["status"] == "InProgress"
    with pytest.raises(ApiError) as caught:
        desk.describe(lost)
    assert (caught.value.code, caught.value.status) == ("ResourceNotFoundException", 404)
    assert desk.describe(fine)["status"] == "Succeeded"


def test_the_delay_is_that_of_the_jobs_start(desk: Desk) -> None:
    slow = desk.start()
    desk.signer.delay = timedelta()
    assert desk.describe(desk.start(clientRequestToken="t2"))["status"] == "Succeeded"
    assert desk.describe(slow)["status"] == "InProgress"


def test_jobs_are_listed_newest_first_through_every_filter(desk: Desk) -> None:
    ann = f"arn:aws:iam::{ACCOUNT}:user/ann"
    good = str(ask(desk.signer, "StartSigningJob", **desk.words(), caller=ann)["jobId"])
    desk.signer.fail_next("no")
    bad = desk.start(clientRequestToken="t2")
    desk.signer.hang_next()
    open_ = desk.start(clientRequestToken="t3")
    desk.clock.pass_time(seconds=1)

    def ids(**words: Any) -> list[str]:
        return [job["jobId"] for job in ask(desk.signer, "ListSigningJobs", **words)["jobs"]]

    assert ids() == [open_, bad, good]
    assert ids(status="Failed") == [bad]
    assert ids(status="InProgress") == [open_]
    assert ids(requestedBy=ann) == [good]
    assert ids(platformId="Other") == []
    assert ids(jobInvoker=ACCOUNT) == [open_, bad, good]
    assert ids(jobInvoker="999999999999") == []
    expires = desk.describe(good)["signatureExpiresAt"]
    assert ids(signatureExpiresBefore=expires + timedelta(seconds=1)) == [good]
    assert ids(signatureExpiresBefore=expires) == []
    assert ids(signatureExpiresAfter=expires - timedelta(seconds=1)) == [good]
    assert ids(isRevoked=True) == []
    ask(desk.signer, "RevokeSignature", jobId=good, reason="stolen")
    assert ids(isRevoked=True) == [good]
    assert ids(isRevoked=False) == [open_, bad]


def test_a_page_has_at_most_25_jobs(desk: Desk) -> None:
    started = [desk.start(clientRequestToken=f"t{number}") for number in range(30)]
    first = ask(desk.signer, "ListSigningJobs")
    desk.start(clientRequestToken="later")
    rest = ask(desk.signer, "ListSigningJobs", nextToken=first["nextToken"])
    assert [job["jobId"] for job in first["jobs"] + rest["jobs"]] == started[::-1]
    with pytest.raises(ApiError, match="less than or equal to 25"):
        ask(desk.signer, "ListSigningJobs", maxResults=26)


def test_a_job_of_another_platform_says_what_the_endpoint_cannot_do(desk: Desk) -> None:
    material = {"certificateArn": f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/1"}
    ask(desk.signer, "PutSigningProfile", profileName="iot", platformId="AmazonFreeRTOS-Default", signingMaterial=material)
    ask(desk.signer, "PutSigningProfile", profileName="images", platformId="Notation-OCI-SHA384-ECDSA")
    assert desk.refused(profileName="iot").status == 501
    assert desk.refused(profileName="images").code == "ValidationException"
