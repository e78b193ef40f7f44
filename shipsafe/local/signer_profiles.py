"""Signing profiles: made once, cancelled or revoked, never changed and never deleted.

PutSigningProfile is no upsert: a name that was ever used in an account and Region stays taken, also after it was cancelled. Words marked
"ours" below are not AWS's: nobody has published what it says there.
"""

import string
from calendar import monthrange
from datetime import datetime, timedelta
from typing import Any

from shipsafe.local.call import ApiError, Call
from shipsafe.local.signer_access import caller, own_profile, profile_arn, usable_profile
from shipsafe.local.signer_pages import page
from shipsafe.local.signer_platforms import LAMBDA, NOTATION, PLATFORMS
from shipsafe.local.signer_state import Profile, Revocation, World, to_milliseconds

LONGEST_VALIDITY = 135  # months; also the default (botocore's model: PutSigningProfile, signatureValidityPeriod)
_MONTHS = {"MONTHS": 1, "YEARS": 12}
_MANY = 5_000  # units of a validity that is certainly too long, before calendars overflow
_VERSION_LENGTH = 10


def put_signing_profile(world: World, call: Call) -> dict[str, Any]:
    """PutSigningProfile."""
    told = call.parameters
    name, platform = told["profileName"], told["platformId"]
    arn = profile_arn(call, name)
    if arn in world.state.profiles:
        raise ApiError("ValidationException", f"Profile with name {name} already exists")
    if platform not in PLATFORMS:
        raise ApiError("ValidationException", f"Invalid platformId: {platform}")
    _check_material(platform, told)
    profile = Profile(
        arn=arn,
        account=call.account,
        region=call.region,
        name=name,
        version="".join(world.random.choices(string.ascii_letters + string.digits, k=_VERSION_LENGTH)),
        platform=platform,
        validity=_validity(told.get("signatureValidityPeriod"), world.now()),
        material=dict(told.get("signingMaterial") or {}),
        overrides=dict(told.get("overrides") or {}),
        signing_parameters=dict(told.get("signingParameters") or {}),
        tags=dict(told.get("tags") or {}),
    )
    world.state.profiles[arn] = profile
    return {"arn": arn, "profileVersion": profile.version, "profileVersionArn": profile.version_arn}


def get_signing_profile(world: World, call: Call) -> dict[str, Any]:
    """GetSigningProfile, also of another account's that has allowed it."""
    profile = usable_profile(world, call, "signer:GetSigningProfile")
    answer = _shown(profile) | ({"overrides": profile.overrides} if profile.overrides else {})
    if profile.revocation is not None:
        answer["statusReason"] = profile.revocation.reason
        answer["revocationRecord"] = {
            "revocationEffectiveFrom": profile.revocation.effective,
            "revokedAt": profile.revocation.at,
            "revokedBy": profile.revocation.by,
        }
    return answer


def list_signing_profiles(world: World, call: Call) -> dict[str, Any]:
    """ListSigningProfiles: the active ones, with `includeCanceled` the cancelled ones too, or those of `statuses`."""
    told = call.parameters
    statuses = told.get("statuses") or (("Active", "Canceled") if told.get("includeCanceled") else ("Active",))
    platform = told.get("platformId")
    ours = (profile for profile in world.state.profiles.values() if (profile.account, profile.region) == (call.account, call.region))
    partition = f"arn:{call.partition}:"
    items = (
        (profile.arn, _shown(profile) if profile.status in statuses and platform in (None, profile.platform) else None)
        for profile in ours
        if profile.arn.startswith(partition)
    )
    return page("profiles", items, told)


def cancel_signing_profile(world: World, call: Call) -> dict[str, Any]:
    """CancelSigningProfile: no new jobs; what was signed stays good."""
    profile = own_profile(world, call)
    if profile.status == "Revoked":
        words = f"Signing profile {profile.name} cannot be canceled because it has been revoked."
        raise ApiError("ValidationException", words)
    profile.status = "Canceled"
    return {}


def revoke_signing_profile(world: World, call: Call) -> dict[str, Any]:
    """RevokeSigningProfile: what it has signed from `effectiveTime` on is no longer good, in all Regions; that time only moves back."""
    told, profile, now = call.parameters, own_profile(world, call), world.now()
    effective = to_milliseconds(told["effectiveTime"])
    if told["profileVersion"] != profile.version:
        words = f"profile version {told['profileVersion']} of {profile.name} does not exist"  # ours
        raise ApiError("ResourceNotFoundException", words, status=404)
    if effective > now:
        raise ApiError("ValidationException", "effectiveTime must be in the past")  # ours
    before = profile.revocation
    if before is not None and effective >= before.effective:
        words = f"Signing profile {profile.name} is already revoked; effectiveTime can only be moved earlier"  # ours
        raise ApiError("ValidationException", words)
    profile.revocation = Revocation(at=before.at if before else now, by=caller(call), reason=told["reason"], effective=effective)
    profile.status = "Revoked"
    return {}


def expires(profile: Profile, signed_at: datetime) -> datetime:
    """Until when a signature of the profile is good."""
    return _after(signed_at, *profile.validity)


def _shown(profile: Profile) -> dict[str, Any]:
    """What GetSigningProfile and ListSigningProfiles have in common."""
    count, unit = profile.validity
    optional = {"signingMaterial": profile.material, "signingParameters": profile.signing_parameters}
    return {
        "profileName": profile.name,
        "profileVersion": profile.version,
        "profileVersionArn": profile.version_arn,
        "platformId": profile.platform,
        "platformDisplayName": PLATFORMS[profile.platform]["displayName"],
        "signatureValidityPeriod": {"value": count, "type": unit},
        "status": profile.status,
        "arn": profile.arn,
        "tags": profile.tags,  # an empty one, too
    } | {name: value for name, value in optional.items() if value}


def _check_material(platform: str, told: Any) -> None:
    """Signer holds the keys for Lambda and containers; a platform of IoT needs a certificate of the account."""
    if platform in (LAMBDA, NOTATION):
        given = [name for name in ("signingMaterial", "overrides", "signingParameters") if told.get(name)]
        if given:
            raise ApiError("ValidationException", f"{given[0]} is not supported for platform {platform}")  # ours
    elif not told.get("signingMaterial"):
        raise ApiError("ValidationException", "signing material cannot be null.")  # AWS's: cloudformation-coverage-roadmap#1641


def _validity(period: Any, now: datetime) -> tuple[int, str]:
    if not period:
        return LONGEST_VALIDITY, "MONTHS"
    count, unit = period.get("value"), period.get("type")
    if count is None or unit is None or not 1 <= count <= _MANY or _after(now, count, unit) > _after(now, LONGEST_VALIDITY, "MONTHS"):
        words = f"signatureValidityPeriod must be between 1 day and {LONGEST_VALIDITY} months"  # ours
        raise ApiError("ValidationException", words)
    return count, unit


def _after(moment: datetime, count: int, unit: str) -> datetime:
    """Some days, months or years later by the calendar; where a month has no such day, its last."""
    if unit == "DAYS":
        return moment + timedelta(days=count)
    months = moment.month - 1 + count * _MONTHS[unit]
    year, month = moment.year + months // 12, months % 12 + 1
    return moment.replace(year=year, month=month, day=min(moment.day, monthrange(year, month)[1]))
