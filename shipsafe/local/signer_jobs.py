"""Signing jobs: started with an exact object version and a token, looked at while they run, and listed; a signature can be revoked.

A job is `InProgress` until it is due. What it then does is in signer_work.py. Words marked "ours" are not AWS's: nobody has published
what it says there.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

from shipsafe.local.call import ApiError, Call, Objects
from shipsafe.local.signer_access import caller, denied, is_allowed, usable_profile
from shipsafe.local.signer_pages import page
from shipsafe.local.signer_platforms import LAMBDA, NOTATION, PLATFORMS
from shipsafe.local.signer_state import Job, Planned, Profile, Revocation, Started, Transfer, World


def read_transfer(told: Mapping[str, Any]) -> Transfer:
    """Where a job reads and writes, as StartSigningJob was told.

    Raises:
        ApiError: ValidationException for a member that is absent or empty.
    """
    source, destination = told["source"].get("s3"), told["destination"].get("s3")
    if not source:
        raise _invalid("source:s3")
    for member in ("bucketName", "key", "version"):
        if not source[member]:
            raise _invalid("source:" + member.removesuffix("Name"))
    if not destination or not destination.get("bucketName"):
        raise _invalid("destination:bucket")
    return Transfer(
        bucket=source["bucketName"],
        key=source["key"],
        version=source["version"],
        to_bucket=destination["bucketName"],
        prefix=destination.get("prefix") or "",
    )


def refuse_buckets(objects: Objects, call: Call, transfer: Transfer) -> ApiError | None:
    """Why the buckets cannot be used: they must be in the profile's Region, and the source must have versions. The words are ours."""
    for bucket in (transfer.bucket, transfer.to_bucket):
        try:
            region, versioning = objects.region(bucket), objects.versioning(bucket)
        except ApiError as error:
            words = f"Bucket {bucket} cannot be used: {error.message}"
            if error.status == HTTPStatus.FORBIDDEN:
                return ApiError("AccessDeniedException", words, status=error.status)
            return ApiError("ValidationException", words)
        if region != call.region:
            words = f"Bucket {bucket} is in {region}; it must be in the Region of the signing profile, {call.region}"
            return ApiError("ValidationException", words)
        if bucket == transfer.bucket and (not versioning or (transfer.version == "null" and versioning != "Suspended")):
            return ApiError("ValidationException", f"Source bucket {bucket} must be version enabled")
    return None


def start_signing_job(world: World, call: Call, transfer: Transfer, refusal: ApiError | None) -> dict[str, Any]:
    """StartSigningJob. The same token with the same parameters is answered as it was the first time, whatever has happened since.

    `transfer` and `refusal` are what `read_transfer` and `refuse_buckets` gave before.
    """
    told = call.parameters
    profile = usable_profile(world, call, "signer:StartSigningJob")
    token = f"{call.partition}/{call.account}/{call.region}/{told['clientRequestToken']}"
    asked = hashlib.sha256(json.dumps({**told, "clientRequestToken": None}, sort_keys=True).encode()).hexdigest()
    before = world.state.tokens.get(token)
    if before is not None:
        if before.parameters != asked:
            words = f"clientRequestToken {told['clientRequestToken']} was already used with other parameters"  # ours
            raise ApiError("ValidationException", words)
        job = world.state.jobs[before.job]
        return {"jobId": job.id, "jobOwner": job.account}
    check_active(profile)
    _check_platform(profile)
    if refusal is not None:
        raise refusal
    planned = world.state.planned.pop(0) if world.state.planned else Planned("")
    job = new_job(world, call, profile)
    job.transfer = transfer
    job.due = None if planned.fate == "hang" else job.created + world.delay
    job.doom = planned.reason if planned.fate == "fail" else None
    job.lost = planned.fate == "lose"
    world.state.tokens[token] = Started(asked, job.id)
    return {"jobId": job.id, "jobOwner": job.account}


def new_job(world: World, call: Call, profile: Profile) -> Job:
    """A job in the account of its profile, in progress."""
    id_ = str(UUID(int=world.random.getrandbits(128), version=4))
    job = Job(
        id=id_,
        arn=f"arn:{call.partition}:signer:{profile.region}:{profile.account}:/signing-jobs/{id_}",
        account=profile.account,
        region=profile.region,
        invoker=call.account,
        requested_by=caller(call),
        profile=profile.name,
        profile_version=profile.version,
        platform=profile.platform,
        created=world.now(),
    )
    world.state.jobs[id_] = job
    return job


def check_active(profile: Profile) -> None:
    """Refuse a cancelled or revoked profile.

    Raises:
        ApiError: ValidationException.
    """
    if profile.status != "Active":
        words = f"profile with name {profile.name} is {profile.status.upper()} and cannot perform new signing jobs"  # ours
        raise ApiError("ValidationException", words)


def describe_signing_job(world: World, call: Call) -> dict[str, Any]:
    """DescribeSigningJob, for the job's owner and for who started it. It does not tell the version of the signed object: AWS neither."""
    job = _visible(world, call, call.parameters["jobId"])
    record = job.revocation
    optional = {
        "completedAt": job.completed,
        "statusReason": job.reason,
        "revocationRecord": {"reason": record.reason, "revokedAt": record.at, "revokedBy": record.by} if record else None,
    }
    return _shown(job) | {"requestedBy": job.requested_by} | {name: value for name, value in optional.items() if value is not None}


def list_signing_jobs(world: World, call: Call) -> dict[str, Any]:
    """ListSigningJobs: the newest first, through all filters."""
    jobs = [job for job in reversed(world.state.jobs.values()) if _is_visible(job, call)]
    items = ((job.id, _shown(job) | {"isRevoked": job.revocation is not None} if _fits(job, call.parameters) else None) for job in jobs)
    return page("jobs", items, call.parameters)


def revoke_signature(world: World, call: Call) -> dict[str, Any]:
    """RevokeSignature: for good, and in all Regions. Another account needs `jobOwner` and the profile's permission."""
    told = call.parameters
    owner = told.get("jobOwner") or call.account
    job = world.state.jobs.get(told["jobId"])
    if job is None or job.lost or (job.account, job.region) != (owner, call.region):
        raise _unknown(told["jobId"])
    if owner != call.account and not is_allowed(world.state.profiles[job.profile_arn], call, "signer:RevokeSignature"):
        raise denied(call, "signer:RevokeSignature", job.arn)
    if job.status != "Succeeded":
        raise ApiError("ValidationException", f"Signing job {job.id} has no signature that could be revoked: it is {job.status}")  # ours
    if job.revocation is None:
        now = world.now()
        job.revocation = Revocation(at=now, by=caller(call), reason=told["reason"], effective=now)
    return {}


def _invalid(member: str) -> ApiError:
    """As AWS says it of an empty version (terraform-aws-modules/terraform-aws-lambda#351); of the other members by analogy."""
    return ApiError("ValidationException", f"StartSigningJobRequest:{member} should not be empty", code="InvalidJobParameters")


def _check_platform(profile: Profile) -> None:
    if profile.platform == NOTATION:
        words = f"StartSigningJob is not supported for platform {profile.platform}"  # ours; "not supported for container image workflows"
        raise ApiError("ValidationException", words)
    if profile.platform != LAMBDA:
        raise ApiError("NotImplemented", f"The local endpoint does not sign for platform {profile.platform}.", status=501)


def _visible(world: World, call: Call, id_: str) -> Job:
    job = world.state.jobs.get(id_)
    if job is None or job.lost or not _is_visible(job, call):
        raise _unknown(id_)
    return job


def _is_visible(job: Job, call: Call) -> bool:
    here = job.region == call.region and job.arn.startswith(f"arn:{call.partition}:")
    return here and call.account in (job.account, job.invoker)


def _unknown(id_: str) -> ApiError:
    return ApiError("ResourceNotFoundException", f"Signing job with id {id_} does not exist", status=404)  # ours


def _shown(job: Job) -> dict[str, Any]:
    """What DescribeSigningJob and ListSigningJobs have in common."""
    answer: dict[str, Any] = {
        "jobId": job.id,
        "platformId": job.platform,
        "platformDisplayName": PLATFORMS[job.platform]["displayName"],
        "profileName": job.profile,
        "profileVersion": job.profile_version,
        "createdAt": job.created,
        "status": job.status,
        "jobOwner": job.account,
        "jobInvoker": job.invoker,
    }
    if job.transfer is not None:
        source = job.transfer
        answer["source"] = {"s3": {"bucketName": source.bucket, "key": source.key, "version": source.version}}
        if job.signed_key is not None:
            answer["signedObject"] = {"s3": {"bucketName": source.to_bucket, "key": job.signed_key}}
    if job.expires is not None:
        answer["signatureExpiresAt"] = job.expires
    return answer


def _fits(job: Job, told: Mapping[str, Any]) -> bool:
    equal = {
        "status": job.status,
        "platformId": job.platform,
        "requestedBy": job.requested_by,
        "jobInvoker": job.invoker,
        "isRevoked": job.revocation is not None,
    }
    if job.lost or any(told.get(name) not in (None, value) for name, value in equal.items()):
        return False
    before: datetime | None = told.get("signatureExpiresBefore")
    after: datetime | None = told.get("signatureExpiresAfter")
    if before is None and after is None:
        return True
    return job.expires is not None and (before is None or job.expires < before) and (after is None or job.expires > after)
