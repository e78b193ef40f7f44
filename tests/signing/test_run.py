"""From an unsigned zip to a signed one, on the local endpoint: what is done, and what a second run leaves out."""

import base64
import hashlib
import io
import re
import time
from datetime import timedelta
from pathlib import Path

import pytest

from shipsafe.adapters.aws.session import Aws, Place, open_aws
from shipsafe.errors import IntegrityError
from shipsafe.model.signing import SignTarget
from shipsafe.signing.journal import NAME
from shipsafe.signing.signed_zip import look
from tests.local_endpoint import ACCOUNT, REGION
from tests.signing.place import BUCKET, TARGET, Site, make_bucket, make_profile
from tests.signing.zips import zip_bytes

STAGING = "444455556666"


def test_a_zip_is_uploaded_signed_and_read_back(site: Site) -> None:
    work = site.unsigned()
    made = site.plan(work)
    assert made.changes
    assert site.versions() == []  # a plan changes nothing

    signed, failed = site.carry_out(made)

    assert failed == []
    [one] = signed
    body = site.client("s3").get_object(Bucket=BUCKET, Key=one.object.key, VersionId=one.object.version)["Body"].read()
    [job] = site.jobs()
    assert one.object.key == f"signed/{work.sha256}/{job['jobId']}.zip"
    assert (one.artifact, one.target, one.account, one.region) == ("orders", "prod", ACCOUNT, REGION)
    assert one.unsigned_sha256 == work.sha256
    assert one.source.key == f"unsigned/{work.sha256}.zip"
    assert one.size == len(body)
    assert one.sha256 == hashlib.sha256(body).hexdigest()
    assert base64.b64decode(one.code_sha256) == hashlib.sha256(body).digest()
    signature = look(io.BytesIO(body)).signature
    assert signature is not None
    assert (one.job, one.profile_version) == (signature.job.arn, signature.profile_version.arn)
    assert one.expires == signature.expires
    assert (one.root, one.trust) == (site.endpoint.fingerprint, "local")


def test_the_object_is_put_with_what_s3_can_check(site: Site) -> None:
    work = site.unsigned()
    [one] = site.run(work).signed
    told = site.client("s3").head_object(Bucket=BUCKET, Key=one.source.key, VersionId=one.source.version, ChecksumMode="ENABLED")
    assert base64.b64decode(told["ChecksumSHA256"]).hex() == work.sha256
    assert told["ContentType"] == "application/zip"
    assert told["ContentLength"] == work.size


def test_a_second_run_signs_nothing_and_gives_the_same(site: Site) -> None:
    first = site.run()
    made = site.plan()
    assert not made.changes

    second = site.carry_out(made)

    assert second == first
    assert site.started() == 1
    assert len(site.versions()) == 1


def test_a_run_on_another_machine_signs_nothing_and_gives_the_same(site: Site) -> None:
    """There is no journal; the bucket holds the job's id in the key of what it signed."""
    first = site.run()
    (site.folder / NAME).unlink()
    made = site.plan()
    assert not made.changes

    assert site.carry_out(made) == first
    assert site.started() == 1


def test_a_run_on_another_machine_while_the_job_goes_on_gets_the_same_job(site: Site) -> None:
    """The token is the same, so that Signer answers with the job that it has."""
    site.endpoint.signer.delay = timedelta(hours=1)
    late = site.impatient(site.plan())
    [failure] = late.failed
    assert "still in progress" in str(failure.error)
    (site.folder / NAME).unlink()
    site.endpoint.clock.moved = timedelta(hours=2)

    signed, failed = site.run()

    assert (len(signed), failed) == (1, [])
    assert site.started() == 1


def test_the_plan_says_what_is_left_to_do(site: Site) -> None:
    work = site.unsigned()
    assert site.plan(work).lines[0].todo() == ("upload", "sign", "read back")
    [one] = site.run(work).signed
    assert site.plan(work).lines[0].todo() == (f"read back what job {one.job.rpartition('/')[2]} of an earlier run signed",)


def test_progress_is_told(site: Site) -> None:
    site.run()
    shapes = [r"uploaded as version \S+", r"job \S+ started", r"signed by job \S+, read back as version \S+"]
    assert len(site.lines) == len(shapes)
    for line, shape in zip(site.lines, shapes, strict=True):
        assert re.fullmatch(f"orders -> prod: {shape}", line)


def test_one_artifact_has_a_signature_at_each_target_and_is_promoted_later(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials = tmp_path / "credentials"
    credentials.write_text(f"[staging]\naws_access_key_id = {STAGING}\naws_secret_access_key = local\n", encoding="utf-8")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
    make_bucket("artifacts-staging", account=STAGING, region="eu-west-2")
    make_profile("staging", account=STAGING, region="eu-west-2")
    staging = SignTarget(
        name="staging",
        account=STAGING,
        region="eu-west-2",
        bucket="artifacts-staging",
        profile="staging",
        prefix="team/",
        aws_profile="staging",
    )
    work = site.unsigned()

    first = site.run(work, targets=[staging])
    both = site.run(work, targets=[staging, TARGET])

    assert (first.failed, both.failed) == ([], [])
    [one, other] = both.signed
    assert first.signed == [one]
    assert (one.target, one.account, one.region) == ("staging", STAGING, "eu-west-2")
    assert one.object.key.startswith(f"team/signed/{work.sha256}/")
    assert (other.target, other.account, other.region) == ("prod", ACCOUNT, REGION)
    assert one.unsigned_sha256 == other.unsigned_sha256 == work.sha256


def test_two_artifacts_of_the_same_bytes_are_signed_once(site: Site) -> None:
    signed, failed = site.run(site.unsigned("orders"), site.unsigned("invoices"))
    assert failed == []
    assert [one.artifact for one in signed] == ["orders", "invoices"]
    assert signed[0].object == signed[1].object
    assert site.started() == len(site.versions()) == 1


def test_what_one_artifact_meets_does_not_stop_the_others(site: Site) -> None:
    """Results come in the order of work and targets, whoever was faster."""
    work = [site.unsigned(f"f{number}", zip_bytes({"app.py": b"%d" % number})) for number in range(6)]
    made = site.plan(*work)
    work[2].path.write_bytes(zip_bytes({"app.py": b"!"}))  # changed since it was planned

    signed, failed = site.carry_out(made)

    assert [one.artifact for one in signed] == ["f0", "f1", "f3", "f4", "f5"]
    [failure] = failed
    assert (failure.artifact, failure.target, failure.error.exit_code) == ("f2", "prod", 5)
    assert isinstance(failure.error, IntegrityError)
    again = site.plan(*work[:2], *work[3:])
    assert not again.changes


def test_all_jobs_of_twenty_functions_run_before_the_first_is_done(site: Site) -> None:
    """No job ends before the clock is moved, and it is moved when all have been started: one after the other would never end."""
    site.endpoint.signer.delay = timedelta(hours=1)
    work = [site.unsigned(f"f{number:02}", zip_bytes({"app.py": b"%d" % number})) for number in range(20)]

    def sleep(_seconds: float) -> None:
        if sum(" started" in line for line in site.lines) == len(work):
            site.endpoint.clock.moved = timedelta(hours=2)
        time.sleep(0.05)

    signed, failed = site.run(*work, sleep=sleep)

    assert failed == []
    assert [one.artifact for one in signed] == [one.name for one in work]
    assert site.started() == len(work)


def test_every_call_is_recorded(site: Site) -> None:
    """The IAM policies are held against these calls."""
    calls: set[tuple[str, str]] = set()

    def connect(target: SignTarget) -> Aws:
        return open_aws(Place(region=target.region), record=lambda service, operation, _parameters: calls.add((service, operation)))

    site.carry_out(site.plan(connect=connect))
    (site.folder / NAME).unlink()
    site.carry_out(site.plan(connect=connect))

    assert calls == {
        ("sts", "GetCallerIdentity"),
        ("s3", "HeadBucket"),
        ("s3", "GetBucketVersioning"),
        ("s3", "HeadObject"),
        ("s3", "PutObject"),
        ("s3", "ListObjectsV2"),
        ("s3", "GetObject"),
        ("signer", "GetSigningProfile"),
        ("signer", "StartSigningJob"),
        ("signer", "DescribeSigningJob"),
    }
