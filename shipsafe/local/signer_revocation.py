"""Whether a signature was revoked: asked of the data endpoint, which does not know Lambda's platform, and by the local Lambda."""

from datetime import datetime
from typing import Any

from shipsafe.local.call import ApiError, Call
from shipsafe.local.signer_platforms import NOTATION
from shipsafe.local.signer_state import Profile, State, World


def get_revocation_status(world: World, call: Call) -> dict[str, Any]:
    """GetRevocationStatus. No certificate of the local root is ever revoked.

    Raises:
        ApiError: ValidationException for every platform but that of container registries: recordings of the live service show it for
            Lambda's.
    """
    told = call.parameters
    if told["platformId"] != NOTATION:
        raise ApiError("ValidationException", f"Invalid platformId: {told['platformId']}")
    profile = _profile(world.state, told["profileVersionArn"])
    revoked = {
        told["profileVersionArn"]: profile is not None and _counts(profile, told["signatureTimestamp"]),
        told["jobArn"]: _job_is_revoked(world.state, told["jobArn"]),
    }
    return {"revokedEntities": [arn for arn, is_so in revoked.items() if is_so]}


def is_revoked(state: State, *, job_arn: str, profile_version_arn: str, signed_at: datetime) -> bool:
    """Whether a signature that was made then was revoked, itself or with its profile. What this Signer does not know is not revoked."""
    profile = _profile(state, profile_version_arn)
    return _job_is_revoked(state, job_arn) or (profile is not None and _counts(profile, signed_at))


def _job_is_revoked(state: State, arn: str) -> bool:
    job = state.jobs.get(arn.rpartition("/")[2])
    return job is not None and job.arn == arn and job.revocation is not None


def _profile(state: State, version_arn: str) -> Profile | None:
    profile = state.profiles.get(version_arn.rpartition("/")[0])
    return profile if profile is not None and profile.version_arn == version_arn else None


def _counts(profile: Profile, signed_at: datetime) -> bool:
    """A profile is revoked for what it signed from the effective time on."""
    return profile.revocation is not None and signed_at >= profile.revocation.effective
