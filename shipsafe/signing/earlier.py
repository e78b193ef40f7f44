"""What an earlier run has done for a zip at a target: where it was uploaded, and the job that signs or has signed it.

The journal says it when the earlier run was on this machine; else the bucket says it, because a signed object's key holds the job's id.
Both are only hints: S3 must show the bytes, and Signer must describe a job for exactly this version and profile version.
"""

from dataclasses import dataclass
from datetime import datetime

from shipsafe.adapters.aws.refusals import AwsRefusal
from shipsafe.adapters.aws.s3 import Head, head, keys_below
from shipsafe.adapters.aws.session import Aws
from shipsafe.adapters.aws.signer import JOB_ID, Job, describe_job
from shipsafe.errors import IncompleteError, IntegrityError
from shipsafe.model.signing import S3Object
from shipsafe.signing.journal import MOST_ATTEMPTS, Journal
from shipsafe.signing.ticket import Ticket, Unsigned

_MOST_SIGNED = 100  # signed objects of one zip that are listed; one profile version leaves one
_MOST_ASKED = 10
_NOT_OURS = ("AccessDeniedException", "ValidationException")


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """The job that was found, or None; `attempt` is its number, or that of the one to start."""

    job: Job | None
    attempt: int


def uploaded(aws: Aws, bucket: str, key: str, work: Unsigned, journal: Journal) -> S3Object | None:
    """The version that holds our bytes, or None where nothing was uploaded.

    Raises:
        IntegrityError: the newest version holds other bytes, and no earlier one of ours is known.
        IncompleteError: S3 refused or gave no answer.
    """
    known = journal.uploaded(aws.account, bucket, key)
    if known is not None:
        found = head(aws, bucket, key, known.version)
        if found is not None and found.version == known.version and holds(found, work):
            return known
    newest = head(aws, bucket, key)
    return pinned(newest, bucket, key, work) if newest is not None else None


def pinned(found: Head, bucket: str, key: str, work: Unsigned) -> S3Object:
    """The version that was found, if it holds our bytes.

    Raises:
        IntegrityError: it does not.
    """
    if not holds(found, work):
        raise IntegrityError(
            f"{work.name}: s3://{bucket}/{key} holds other bytes than its name says, or S3 knows no SHA-256 of them.",
            remedy="Somebody else wrote it: look into who may write to the bucket, delete that object, then sign again.",
        )
    return S3Object(bucket=bucket, key=key, version=found.version)


def holds(found: Head, work: Unsigned) -> bool:
    """Whether a version is our zip."""
    return found.sha256 == work.sha256 and found.size == work.size


def earlier_job(aws: Aws, ticket: Ticket, prefix: str, journal: Journal, *, name: str, now: datetime) -> Earlier:
    """The job of an earlier run.

    Args:
        aws: where the job would be.
        ticket: what it must have signed.
        prefix: what the key of its object begins with.
        journal: of earlier runs.
        name: the artifact, for messages.
        now: the time, UTC.

    Raises:
        IntegrityError: its signature was revoked: signing the same bytes again would undo that.
        IncompleteError: its signature has expired, or AWS gave no answer.
    """
    attempt = 1
    noted = journal.attempt(ticket.id)
    if noted is not None:
        job = _hinted(aws, noted.job)
        if job is not None and signs(job, ticket):
            if job.status != "Failed":
                return Earlier(job=_usable(job, name, now), attempt=noted.number)
            attempt = min(noted.number + 1, MOST_ATTEMPTS)
    listed = sorted(keys_below(aws, ticket.source.bucket, prefix, most=_MOST_SIGNED), key=lambda one: one.modified, reverse=True)
    for one in listed[:_MOST_ASKED]:
        job = _hinted(aws, one.key.removeprefix(prefix).removesuffix(".zip"))
        if job is not None and signs(job, ticket) and job.status == "Succeeded":
            return Earlier(job=_usable(job, name, now), attempt=attempt)
    return Earlier(job=None, attempt=attempt)


def _hinted(aws: Aws, job: str) -> Job | None:
    """A job that somebody wrote down, or named a file after. One that we may not see is not ours."""
    if not JOB_ID.fullmatch(job):
        return None
    try:
        return describe_job(aws, job)
    except AwsRefusal as refusal:
        if refusal.code in _NOT_OURS:
            return None
        raise


def signs(job: Job, ticket: Ticket) -> bool:
    """Whether a job is one for this ticket."""
    source = ticket.source
    return (
        job.source == (source.bucket, source.key, source.version)
        and job.profile == ticket.profile.name
        and job.profile_version == ticket.profile.version
    )


def _usable(job: Job, name: str, now: datetime) -> Job:
    other = "Sign it with another profile, or build it anew."
    if job.revoked is not None:
        raise IntegrityError(f"{name}: its signature by job {job.id} was revoked: {job.revoked}.", remedy=other)
    if job.expires is not None and job.expires <= now:
        raise IncompleteError(f"{name}: its signature by job {job.id} expired on {job.expires:%Y-%m-%d}.", remedy=other)
    return job
