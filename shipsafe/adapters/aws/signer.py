"""The few calls of AWS Signer that we make: read a profile, start a job, look at a job, revoke either.

Source: the botocore model of `signer` (2017-08-25); AWS Signer Developer Guide, "Signing jobs" and "Cross-account signing".
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shipsafe.adapters.aws.refusals import AwsRefusal, aws_errors
from shipsafe.adapters.aws.session import Aws
from shipsafe.errors import IncompleteError
from shipsafe.model.signing import ProfileVersion, S3Object, SigningJob

JOB_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LONGEST = 500  # characters of Signer's own words


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A signing profile. `status`: Active, Canceled or Revoked; `version` its ten characters, `arn` that version's ARN.

    `revoked_from`: what it has signed since then is no longer good; None where it is not revoked, or nobody says.
    """

    name: str
    arn: str
    version: str
    status: str
    platform: str
    revoked_at: datetime | None
    revoked_from: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A signing job as Signer describes it.

    Attributes:
        status: InProgress, Failed or Succeeded; `reason` is Signer's own words, or "".
        source: bucket, key and version that it reads.
        signed: bucket and key that it wrote, None until it has succeeded. Signer does not say which version.
        owner: the account that the job belongs to, or None.
        revoked: why the signature was revoked, or None.
    """

    id: str
    status: str
    reason: str
    source: tuple[str, str, str]
    signed: tuple[str, str] | None
    profile: str
    profile_version: str
    platform: str
    owner: str | None
    created: datetime | None
    expires: datetime | None
    revoked: str | None
    completed: datetime | None = None


def read_profile(aws: Aws, name: str, owner: str | None) -> Profile:
    """Ask about a profile; `owner` is its account, where that is another.

    Raises:
        IncompleteError: there is none, it may not be looked at, or AWS gave no answer.
    """
    profile = find_profile(aws, name, owner)
    if profile is None:
        what = f"There is no signing profile {name} in account {owner or aws.account}, {aws.region}."
        raise IncompleteError(what, remedy="`shipsafe bootstrap` creates it; `shipsafe doctor` lists those that are there.")
    return profile


def find_profile(aws: Aws, name: str, owner: str | None) -> Profile | None:
    """As `read_profile`; None where there is none of that name.

    Raises:
        IncompleteError: it may not be looked at, or AWS gave no answer.
    """
    words = {"profileOwner": owner} if owner else {}
    try:
        with aws_errors(f"look at signing profile {name} (account {owner or aws.account}, {aws.region})"):
            told = aws.client("signer").get_signing_profile(profileName=name, **words)
            return Profile(
                name=_line(told.get("profileName", "")),
                arn=_line(told["profileVersionArn"]),
                version=_line(told.get("profileVersion", "")),
                status=_line(told["status"]),
                platform=_line(told.get("platformId", "")),
                revoked_at=told.get("revocationRecord", {}).get("revokedAt"),
                revoked_from=told.get("revocationRecord", {}).get("revocationEffectiveFrom"),
            )
    except AwsRefusal as refusal:
        if refusal.absent:
            return None
        raise


def start_job(aws: Aws, source: S3Object, *, prefix: str, profile: str, owner: str | None, token: str) -> str:
    """Start a signing job, or get the one that the same token started before; gives its id.

    Raises:
        IncompleteError: Signer refused or gave no answer.
    """
    words = {"profileOwner": owner} if owner else {}
    with aws_errors(f"start a signing job for s3://{source.bucket}/{source.key}"):
        told = aws.client("signer").start_signing_job(
            source={"s3": {"bucketName": source.bucket, "key": source.key, "version": source.version}},
            destination={"s3": {"bucketName": source.bucket, "prefix": prefix}},
            profileName=profile,
            clientRequestToken=token,
            **words,
        )
    job = str(told.get("jobId", ""))
    if not JOB_ID.fullmatch(job):  # it becomes a part of a key and a line of the journal
        raise IncompleteError(f"Signer answered with a job id of another shape: {job[:80]!r}.", remedy="Run this again.")
    return job


def describe_job(aws: Aws, job: str) -> Job | None:
    """Look at a job; None where Signer knows none of that id.

    Raises:
        IncompleteError: Signer refused or gave no answer.
    """
    try:
        with aws_errors(f"look at signing job {job}"):
            told = _job(aws.client("signer").describe_signing_job(jobId=job), job)
            if told.id != job:
                raise ValueError(told.id)  # what is told of another job is no answer
            return told
    except AwsRefusal as refusal:
        if refusal.absent:
            return None
        raise


def revoke_job(aws: Aws, job: SigningJob, reason: str) -> None:
    """Revoke a signature, for good and in every region of the partition. Once more is no error, and changes nothing.

    Raises:
        IncompleteError: Signer refused or gave no answer.
    """
    words = {"jobOwner": job.account} if job.account != aws.account else {}
    with aws_errors(f"revoke the signature of {job.arn}"):
        aws.client("signer").revoke_signature(jobId=job.id, reason=reason, **words)


def revoke_profile_version(aws: Aws, profile: ProfileVersion, reason: str, effective: datetime) -> None:
    """Revoke what a profile version has signed since `effective`, for good and in every region; that time can only be moved back.

    Raises:
        IncompleteError: Signer refused or gave no answer.
    """
    with aws_errors(f"revoke {profile.arn}"):
        aws.client("signer").revoke_signing_profile(
            profileName=profile.name, profileVersion=profile.version, reason=reason, effectiveTime=effective
        )


def _job(told: Any, job: str) -> Job:
    source = told.get("source", {}).get("s3", {})
    return Job(
        id=_line(told.get("jobId", job)),
        status=_line(told["status"]),
        reason=_line(told.get("statusReason", "")),
        source=(str(source.get("bucketName", "")), str(source.get("key", "")), str(source.get("version", ""))),
        signed=_place(told.get("signedObject", {}).get("s3")),
        profile=_line(told.get("profileName", "")),
        profile_version=_line(told.get("profileVersion", "")),
        platform=_line(told.get("platformId", "")),
        owner=told.get("jobOwner"),
        created=told.get("createdAt"),
        expires=told.get("signatureExpiresAt"),
        revoked=_revoked(told.get("revocationRecord")),
        completed=told.get("completedAt"),
    )


def _line(text: str) -> str:
    """Signer's own words, on one line: a line break in them would forge one of ours."""
    return " ".join(str(text).split())[:_LONGEST]


def _place(told: Any) -> tuple[str, str] | None:
    return (str(told.get("bucketName", "")), str(told.get("key", ""))) if told else None


def _revoked(record: Any) -> str | None:
    if not record:
        return None
    when = record.get("revokedAt")
    return f"{_line(record.get('reason', 'no reason given'))}{f' ({when:%Y-%m-%d})' if when else ''}"
