"""What AWS and the network can do to a run: each ends in the right exit code and one clear sentence, and the next run goes on."""

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shipsafe.adapters.aws.session import Aws
from shipsafe.errors import IncompleteError, IntegrityError, ShipsafeError
from shipsafe.local.cms import write_signature
from shipsafe.local.faults import Fault
from shipsafe.local.sign_zip import sign_zip
from shipsafe.model.signing import SignTarget
from shipsafe.signing.journal import NAME
from shipsafe.signing.run import Carried
from tests.local_endpoint import ACCOUNT, REGION
from tests.signing.place import BUCKET, TARGET, ZIP, Site, connect
from tests.signing.zips import zip_bytes

READS = [
    ("s3", "HeadBucket"),
    ("s3", "GetBucketVersioning"),
    ("signer", "GetSigningProfile"),
    ("s3", "HeadObject"),
]
WRITES = [
    ("s3", "PutObject"),
    ("signer", "StartSigningJob"),
    ("signer", "DescribeSigningJob"),
    ("s3", "GetObject"),
]


def _hasty(target: SignTarget) -> Aws:
    """A connection whose clients try again less often than those of users."""
    return _trying(target, 2)


def _trying(target: SignTarget, attempts: int) -> Aws:
    from botocore.config import Config  # noqa: PLC0415 - boto3, for those tests that use it

    aws = connect(target)
    for service in ("s3", "signer"):
        config = Config(retries={"mode": "standard", "total_max_attempts": attempts})
        aws._clients[service] = aws.session.client(service, region_name=aws.region, config=config)
    return aws


def _impatient(site: Site, *, attempts: int = 1) -> Callable[[SignTarget], Aws]:
    """Connections that soon give up a call that the endpoint will not answer, and no other: a machine may stand still for a while."""
    from botocore.httpsession import URLLib3Session  # noqa: PLC0415 - likewise

    def opened(target: SignTarget) -> Aws:
        aws, soon = _trying(target, attempts), URLLib3Session(timeout=(60, 0.5))

        def send(request: Any, event_name: str, **_: Any) -> Any:
            unanswered = {f"before-send.{one.service}.{one.operation}" for one in site.endpoint.faults.waiting() if one.kind == "timeout"}
            return soon.send(request) if event_name in unanswered else None

        for service in ("s3", "signer"):
            aws.client(service).meta.events.register(f"before-send.{service}", send)
        return aws

    return opened


def _only_failure(carried: Carried) -> ShipsafeError:
    assert carried.signed == []
    [failure] = carried.failed
    assert "\n" not in str(failure.error)
    return failure.error


def _goes_on(site: Site, jobs: int = 1) -> None:
    """The next run finishes what this one has begun, without a second signature."""
    site.endpoint.faults.clear()
    signed, failed = site.run()
    assert (len(signed), failed) == (1, [])
    assert site.started() == jobs
    assert len(site.versions()) == 1


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind="reset"),
        Fault(code="InternalError", status=500),
        Fault(code="SlowDown", status=503),
    ],
    ids=["reset", "500", "slow-down"],
)
def test_a_passing_fault_of_every_call_changes_nothing(site: Site, fault: Fault, when: str) -> None:
    """Each call goes wrong once, before or after it took effect. An answer that is lost after the effect must not sign twice."""
    for service, operation in READS + WRITES:
        site.endpoint.faults.add(replace(fault, service=service, operation=operation, when=when))

    signed, failed = site.carry_out(site.plan(connect=_hasty))

    assert (len(signed), failed) == (1, [])
    assert site.endpoint.faults.waiting() == []
    assert site.started() == 1
    assert len(site.versions()) == 1


def test_calls_that_are_throttled_are_made_again_as_users_have_them(site: Site) -> None:
    """With adaptive retries, which slow down all calls of a client after one was throttled."""
    for operation in ("StartSigningJob", "DescribeSigningJob"):
        site.endpoint.faults.add(Fault(service="signer", operation=operation, code="ThrottlingException", status=429, times=2))

    signed, failed = site.run()

    assert (len(signed), failed) == (1, [])
    assert site.endpoint.faults.waiting() == []
    assert site.started() == 1
    assert len(site.versions()) == 1


def test_an_answer_that_never_comes_is_asked_for_again(site: Site) -> None:
    """The call took effect, and nobody heard of it."""
    for service, operation in WRITES:
        site.endpoint.faults.add(Fault(service=service, operation=operation, kind="timeout", when="after"))
    made = site.plan(connect=_impatient(site, attempts=5))

    signed, failed = site.carry_out(made)

    assert (len(signed), failed) == (1, [])
    assert site.endpoint.faults.waiting() == []
    assert site.started() == 1
    assert len(site.versions()) == 1


@pytest.mark.parametrize(("service", "operation"), READS, ids=[operation for _, operation in READS])
@pytest.mark.parametrize("kind", ["error", "reset", "timeout"])
def test_a_lasting_fault_while_planning_is_told(site: Site, service: str, operation: str, kind: str) -> None:
    site.endpoint.faults.add(Fault(service=service, operation=operation, kind=kind, times=0))
    with pytest.raises(IncompleteError, match="Could not look at") as caught:
        site.plan(connect=_impatient(site) if kind == "timeout" else _hasty)
    assert "\n" not in str(caught.value)
    assert caught.value.remedy
    _goes_on(site)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", ["error", "reset", "timeout"])
@pytest.mark.parametrize(
    ("service", "operation", "told"),
    [
        ("s3", "PutObject", "Could not upload orders.zip to"),
        ("signer", "StartSigningJob", "Could not start a signing job for"),
        ("signer", "DescribeSigningJob", "Could not look at signing job"),
        ("s3", "HeadObject", "Could not look at"),
        ("s3", "GetObject", "Could not read"),
    ],
)
def test_a_lasting_fault_is_told_and_the_next_run_goes_on(
    site: Site, service: str, operation: str, told: str, kind: str, when: str
) -> None:
    made = site.plan(connect=_impatient(site) if kind == "timeout" else _hasty)
    site.endpoint.faults.add(Fault(service=service, operation=operation, kind=kind, when=when, times=0))

    error = _only_failure(site.carry_out(made))

    assert isinstance(error, IncompleteError)
    assert told in error.what
    assert error.remedy
    _goes_on(site)


@pytest.mark.parametrize(("service", "operation"), [*WRITES, ("s3", "HeadObject")])
def test_credentials_that_expire_midway(site: Site, service: str, operation: str) -> None:
    made = site.plan()
    code = "ExpiredToken" if service == "s3" else "ExpiredTokenException"
    site.endpoint.faults.add(Fault(service=service, operation=operation, code=code, status=400, times=0, message="The token has expired"))

    error = _only_failure(site.carry_out(made))

    assert isinstance(error, IncompleteError)
    told = "If the AWS credentials have expired, renew them, then" if operation == "HeadObject" else "Renew the AWS credentials and"
    assert error.remedy == f"{told} run this again: it goes on where it was."
    _goes_on(site)


def test_a_job_that_fails_says_why_and_is_tried_once_more(site: Site) -> None:
    site.endpoint.signer.fail_next("The key was not there")
    signed, failed = site.run()
    assert (len(signed), failed) == (1, [])
    assert site.started() == 2
    assert any(line.endswith("failed (The key was not there); a new one is started") for line in site.lines)
    facts = [json.loads(line)["fact"] for line in (site.folder / NAME).read_text(encoding="utf-8").splitlines()]
    assert facts == ["uploaded", "started", "failed", "started"]


def test_a_job_that_fails_twice_ends_the_run_and_the_next_run_starts_another(site: Site) -> None:
    site.endpoint.signer.fail_next("No access to the key")
    site.endpoint.signer.fail_next("Still no access to the key")
    error = _only_failure(site.run())
    assert isinstance(error, IncompleteError)
    assert "failed: Still no access to the key." in error.what
    assert site.started() == 2
    assert site.plan().lines[0].todo() == ("sign: attempt 3, the one before failed", "read back")
    _goes_on(site, jobs=3)


def test_a_job_that_failed_in_a_run_whose_journal_is_lost(site: Site) -> None:
    """The first token leads to the job that has failed; that one is an earlier run's, and costs this run nothing."""
    for _ in range(2):
        site.endpoint.signer.fail_next("No access")
    _only_failure(site.run())
    (site.folder / NAME).unlink()
    site.endpoint.clock.moved = timedelta(hours=1)
    site.endpoint.signer.fail_next("No access, for the third time")

    signed, failed = site.run()

    assert (len(signed), failed) == (1, [])
    assert site.started() == 4


def test_no_second_attempt_where_none_is_wanted(site: Site) -> None:
    site.endpoint.signer.fail_next("No")
    assert "failed: No." in str(_only_failure(site.run(again=0)))
    assert site.started() == 1


def test_a_job_that_hangs_is_waited_for_again_by_the_next_run(site: Site) -> None:
    site.endpoint.signer.delay = timedelta(hours=1)
    error = _only_failure(site.impatient(site.plan()))
    assert isinstance(error, IncompleteError)
    assert "is still in progress, and the time for signing is over." in error.what
    made = site.plan()
    assert made.lines[0].todo()[0].startswith("wait for job")
    assert not made.changes
    site.endpoint.clock.moved = timedelta(hours=2)
    _goes_on(site)


def test_a_job_that_signer_does_not_know(site: Site) -> None:
    site.endpoint.signer.lose_next()
    error = _only_failure(site.run())
    assert isinstance(error, IncompleteError)
    assert "Signer does not know job" in error.what


def test_a_job_that_signer_knows_only_after_a_while(site: Site) -> None:
    fault = Fault(service="signer", operation="DescribeSigningJob", code="ResourceNotFoundException", status=404, times=3)
    site.endpoint.faults.add(fault)
    _goes_on_from_here(site)


def _goes_on_from_here(site: Site) -> None:
    signed, failed = site.run()
    assert (len(signed), failed) == (1, [])
    assert site.started() == 1


@pytest.mark.parametrize(
    ("lie", "told", "kind"),
    [
        (lambda job: job["source"]["s3"].update(version="another"), "is not the one that was started", IntegrityError),
        (lambda job: job.update(profileVersion="AAAAAAAAAA"), "is not the one that was started", IntegrityError),
        (lambda job: job.update(profileName="another"), "is not the one that was started", IntegrityError),
        (lambda job: job.update(platformId="AmazonFreeRTOS-Default"), "is not the one that was started", IntegrityError),
        (lambda job: job.update(status="Failed", source={}), "is not the one that was started", IntegrityError),
        (lambda job: job["signedObject"]["s3"].update(key="elsewhere.zip"), "wrote to another place than it was told", IntegrityError),
        (lambda job: job.pop("signedObject"), "wrote to another place than it was told", IntegrityError),
        (lambda job: job.update(revocationRecord={"reason": "bad"}), "was revoked: bad", IntegrityError),
        (lambda job: job.update(status="Paused"), "is 'Paused', which is no known state", IncompleteError),
        (lambda job: job.update(status=""), "is '', which is no known state", IncompleteError),
        (lambda job: job.clear(), "the answer has not the shape of one of AWS's", IncompleteError),
    ],
)
def test_what_signer_says_of_a_job_is_held_against_what_was_asked(
    site: Site, lie: Callable[[dict[str, Any]], Any], told: str, kind: type[ShipsafeError]
) -> None:
    def opened(target: SignTarget) -> Aws:
        aws = connect(target)
        aws.client("signer").meta.events.register("after-call.signer.DescribeSigningJob", lambda parsed, **_: lie(parsed))
        return aws

    error = _only_failure(site.carry_out(site.plan(connect=opened)))

    assert type(error) is kind
    assert told in error.what
    assert site.started() == 1


def test_a_key_that_somebody_writes_at_this_moment_is_tried_again(site: Site) -> None:
    for code, status in (("ConditionalRequestConflict", 409), ("PreconditionFailed", 412), ("ConditionalRequestConflict", 409)):
        site.endpoint.faults.add(Fault(service="s3", operation="PutObject", code=code, status=status))
    _goes_on_from_here(site)
    assert site.endpoint.faults.waiting() == []


def test_a_key_that_is_written_all_the_while_is_told(site: Site) -> None:
    site.endpoint.faults.add(Fault(service="s3", operation="PutObject", code="ConditionalRequestConflict", status=409, times=0))
    error = _only_failure(site.run())
    assert isinstance(error, IncompleteError)
    assert "was written and deleted by somebody else all the while" in error.what


def test_other_bytes_that_appear_under_our_key_after_the_plan(site: Site) -> None:
    made = site.plan()
    site.client("s3").put_object(Bucket=BUCKET, Key=made.lines[0].key, Body=b"evil", ChecksumAlgorithm="SHA256")
    error = _only_failure(site.carry_out(made))
    assert isinstance(error, IntegrityError)
    assert "holds other bytes than its name says" in error.what
    assert site.started() == 0


def test_a_zip_that_changes_between_plan_and_upload(site: Site) -> None:
    made = site.plan()
    path = made.lines[0].work.path
    path.write_bytes(path.read_bytes().replace(b"app.py", b"bpp.py"))
    error = _only_failure(site.carry_out(made))
    assert isinstance(error, IntegrityError)
    assert "orders.zip changed before it was uploaded" in error.what
    assert site.started() == 0
    assert site.versions() == []


@pytest.mark.parametrize("size", [10, 10_000])
def test_a_zip_that_grows_or_shrinks_between_plan_and_upload(site: Site, size: int) -> None:
    made = site.plan()
    os.truncate(made.lines[0].work.path, size)
    error = _only_failure(site.carry_out(made))
    assert isinstance(error, IntegrityError)
    assert "orders.zip changed before it was uploaded" in error.what
    assert site.versions() == []


def test_a_zip_that_is_gone_after_the_plan(site: Site) -> None:
    made = site.plan()
    made.lines[0].work.path.unlink()
    error = _only_failure(site.carry_out(made))
    assert isinstance(error, IncompleteError)
    assert "orders.zip" in str(error)


def test_a_profile_that_is_cancelled_after_the_plan(site: Site) -> None:
    made = site.plan()
    site.client("signer").cancel_signing_profile(profileName=TARGET.profile)
    error = _only_failure(site.carry_out(made))
    assert isinstance(error, IncompleteError)
    assert "Could not start a signing job for" in error.what


def test_two_runs_at_once_upload_and_sign_once(site: Site, tmp_path: Path) -> None:
    """On two machines: each has its own journal, and both make their plan before either begins."""
    (tmp_path / "elsewhere").mkdir()
    other = replace(site, folder=tmp_path / "elsewhere")
    made = [site.plan(), other.plan()]
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(site.carry_out, made)
    assert (first.failed, second.failed) == ([], [])
    assert first.signed == second.signed
    assert site.started() == len(site.versions()) == 1


def test_versioning_that_is_turned_off_after_the_plan(site: Site) -> None:
    made = site.plan()
    site.client("s3").put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})
    error = _only_failure(site.carry_out(made))
    assert isinstance(error, IncompleteError)
    assert error.what.startswith(f"Versioning is off on bucket {BUCKET}")
    assert site.started() == 0


def _after(operation: str, do: Callable[[], Any]) -> Callable[[SignTarget], Aws]:
    """A connection on which `do` happens once, right after an operation has been answered."""
    done: list[bool] = []

    def happen(**_: Any) -> None:
        if not done:
            done.append(True)
            do()

    def opened(target: SignTarget) -> Aws:
        aws = connect(target)
        for service in ("s3", "signer"):
            aws.client(service).meta.events.register(f"after-call.{service}.{operation}", happen)
        return aws

    return opened


def _replace(site: Site, prefix: str, body: bytes) -> None:
    """Somebody writes another version of the newest object below a prefix."""
    s3 = site.client("s3")
    [key] = {one["Key"] for one in s3.list_object_versions(Bucket=BUCKET, Prefix=prefix)["Versions"]}
    s3.put_object(Bucket=BUCKET, Key=key, Body=body)


def test_an_object_that_is_overwritten_between_upload_and_signing_is_not_signed(site: Site) -> None:
    """The version that was uploaded is signed, whatever is the newest."""
    evil = zip_bytes({"app.py": b"import os; os.system('evil')\n"})
    made = site.plan(connect=_after("PutObject", lambda: _replace(site, "unsigned/", evil)))

    signed, failed = site.carry_out(made)

    assert failed == []
    newest = site.client("s3").head_object(Bucket=BUCKET, Key=signed[0].source.key)["VersionId"]
    assert newest != signed[0].source.version
    again = site.run()  # the journal still knows the version
    assert again.signed == signed
    (site.folder / NAME).unlink()
    with pytest.raises(IntegrityError, match="holds other bytes than its name says"):
        site.plan()


def test_an_object_that_is_deleted_between_upload_and_signing(site: Site) -> None:
    def delete() -> None:
        [one] = site.versions()
        site.client("s3").delete_object(Bucket=BUCKET, Key=one["Key"], VersionId=one["VersionId"])

    error = _only_failure(site.carry_out(site.plan(connect=_after("PutObject", delete))))

    assert isinstance(error, IncompleteError)
    signed, failed = site.run()
    assert (len(signed), failed) == (1, [])


@pytest.mark.parametrize(
    ("evil", "told"),
    [
        (lambda _good: b"no zip", "This is not a zip"),
        (lambda _good: ZIP, "It is not signed"),
        (lambda good: good + b"\0", "something behind the end of the zip"),
        (lambda good: good[: len(good) // 2], "This is not a zip"),
        (lambda _good: b"", "This is not a zip"),
    ],
)
def test_a_signed_object_that_is_overwritten_before_it_is_read_back(site: Site, evil: Callable[[bytes], bytes], told: str) -> None:
    def write() -> None:
        if site.versions("signed/"):
            [one] = site.versions("signed/")
            good = site.client("s3").get_object(Bucket=BUCKET, Key=one["Key"])["Body"].read()
            _replace(site, "signed/", evil(good))

    error = _only_failure(site.carry_out(site.plan(connect=_after("DescribeSigningJob", write))))

    assert isinstance(error, IntegrityError)
    assert error.what.startswith("orders: s3://")
    assert told in error.what


def test_a_zip_that_was_signed_by_another_job_of_ours_is_not_taken_for_this_one(site: Site) -> None:
    """Genuinely signed, by the right profile, of the right content: and yet not by the job that was started."""
    [other] = site.run(targets=[replace(TARGET, prefix="other/")]).signed
    body = site.client("s3").get_object(Bucket=BUCKET, Key=other.object.key)["Body"].read()

    made = site.plan(connect=_after("DescribeSigningJob", lambda: _replace(site, "signed/", body)))
    error = _only_failure(site.carry_out(made))

    assert isinstance(error, IntegrityError)
    assert f"It was signed by {other.job}, and not by job" in error.what


def test_a_zip_of_another_content_with_a_genuine_signature_is_found(site: Site) -> None:
    other = site.unsigned("other", zip_bytes({"app.py": b"other\n"}))
    [signed] = site.run(other).signed
    body = site.client("s3").get_object(Bucket=BUCKET, Key=signed.object.key)["Body"].read()
    work = site.unsigned()

    made = site.plan(work, connect=_after("DescribeSigningJob", lambda: _replace(site, f"signed/{work.sha256}/", body)))
    error = _only_failure(site.carry_out(made))

    assert isinstance(error, IntegrityError)
    assert "in the signed zip than in the unsigned one" in error.what


def test_a_digest_of_another_formula_is_a_remark_where_every_byte_was_compared(site: Site) -> None:
    """AWS documents no formula, and the one that is known has a single source: it must not stop what our job signed of our bytes."""

    def sign_otherwise() -> None:
        [one] = site.versions("signed/")
        job = one["Key"].rpartition("/")[2].removesuffix(".zip")
        told = site.client("signer").describe_signing_job(jobId=job)
        profile = site.client("signer").get_signing_profile(profileName=TARGET.profile)["profileVersionArn"]
        arn = f"arn:aws:signer:{REGION}:{ACCOUNT}:/signing-jobs/{job}"
        leaf = site.endpoint.root.issue(told["completedAt"])
        when, expires = told["completedAt"], told["signatureExpiresAt"]

        def write(content: bytes) -> bytes:
            return write_signature(content[::-1], leaf, job=arn, profile_version=profile, signed_at=when, expires=expires)

        body = sign_zip(ZIP, write)
        _replace(site, "signed/", body)

    [signed], failed = site.carry_out(site.plan(connect=_after("DescribeSigningJob", sign_otherwise)))

    assert failed == []
    assert len(site.versions("signed/")) == 2
    assert ["digest in the signature is not the one" in note for note in signed.notes] == [True]


def test_a_root_that_nobody_vouches_for(site: Site) -> None:
    def distrust(root: str) -> str:
        raise IntegrityError(f"Nobody vouches for {root}.", remedy="Add it to the policy.")

    error = _only_failure(site.run(trust=distrust))
    assert isinstance(error, IntegrityError)
    assert f"Nobody vouches for {site.endpoint.fingerprint}." in error.what


def test_a_revoked_signature_is_not_made_anew(site: Site) -> None:
    [one] = site.run().signed
    job = one.job.rpartition("/")[2]
    site.client("signer").revoke_signature(jobId=job, reason="the code is bad")
    for _ in range(2):
        with pytest.raises(IntegrityError, match=rf"orders: its signature by job {job} was revoked: the code is bad \(\d{{4}}-"):
            site.plan()
        (site.folder / NAME).unlink(missing_ok=True)
    assert site.started() == 1


def test_an_expired_signature_is_told(site: Site) -> None:
    site.run()
    site.endpoint.clock.moved = timedelta(days=365 * 12)
    with pytest.raises(IncompleteError, match=r"orders: its signature by job \S+ expired on 20\d\d-"):
        site.plan()


def test_a_signed_object_that_was_deleted(site: Site) -> None:
    site.run()
    [one] = site.versions("signed/")
    site.client("s3").delete_object(Bucket=BUCKET, Key=one["Key"])
    error = _only_failure(site.run())
    assert isinstance(error, IncompleteError)
    assert "is not there" in error.what
    assert "Restore the object" in error.remedy


def test_a_full_disk_is_told(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    made = site.plan()
    monkeypatch.setattr("os.fsync", full)
    error = _only_failure(site.carry_out(made))
    assert isinstance(error, IncompleteError)
    assert error.remedy == "Free some space and run the same command again."
    monkeypatch.undo()
