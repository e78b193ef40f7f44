"""Which profile a call means, and whether its account may use one that belongs to another account.

Within an account everybody may do everything: the local endpoint does not evaluate IAM policies. Across accounts a statement of
AddProfilePermission is needed, as on AWS.
"""

import re

from shipsafe.local.call import ApiError, Call
from shipsafe.local.signer_state import Permission, Profile, World

_ROLE = re.compile(r"arn:([^:]+):iam::(\d{12}):role/(?:.*/)?([^/]+)")
_SESSION = re.compile(r"arn:([^:]+):sts::(\d{12}):assumed-role/([^/]+)/[^/]+")


def profile_arn(call: Call, name: str, owner: str | None = None) -> str:
    """The ARN of a profile in the call's Region."""
    return f"arn:{call.partition}:signer:{call.region}:{owner or call.account}:/signing-profiles/{name}"


def own_profile(world: World, call: Call) -> Profile:
    """The profile of the caller's account that the call names.

    Raises:
        ApiError: ResourceNotFoundException.
    """
    profile = world.state.profiles.get(profile_arn(call, call.parameters["profileName"]))
    if profile is None:
        raise unknown_profile(call)
    return profile


def usable_profile(world: World, call: Call, action: str) -> Profile:
    """The profile that the call names, in the account of its `profileOwner`.

    Raises:
        ApiError: ResourceNotFoundException; AccessDeniedException where it is another account's that has not allowed `action`, also
            where there is none, which nobody outside is told.
    """
    owner = call.parameters.get("profileOwner") or call.account
    if owner == call.account:
        return own_profile(world, call)
    arn = profile_arn(call, call.parameters["profileName"], owner)
    profile = world.state.profiles.get(arn)
    if profile is None or not is_allowed(profile, call, action):
        raise denied(call, action, arn)
    return profile


def is_allowed(profile: Profile, call: Call, action: str) -> bool:
    """Whether the profile's policy lets the caller do it."""
    return any(
        statement.action == action
        and statement.profile_version in (None, profile.version)
        and _is_principal(statement, call.account, caller(call))
        for statement in profile.permissions
    )


def caller(call: Call) -> str:
    """The ARN of who calls."""
    return call.caller or f"arn:{call.partition}:iam::{call.account}:root"


def unknown_profile(call: Call) -> ApiError:
    """No such profile, in AWS's words."""
    return ApiError("ResourceNotFoundException", f"profile with name {call.parameters['profileName']} does not exist", status=404)


def denied(call: Call, action: str, arn: str) -> ApiError:
    """AccessDeniedException in the words that IAM uses everywhere."""
    words = f"User: {caller(call)} is not authorized to perform: {action} on resource: {arn}"
    return ApiError("AccessDeniedException", words, status=403)


def _is_principal(statement: Permission, account: str, arn: str) -> bool:
    """A statement names an account or a role; a caller who is a role comes with the ARN of its session, which has no path."""
    if statement.principal in (account, arn):
        return True
    named, calling = _ROLE.fullmatch(statement.principal), _SESSION.fullmatch(arn)
    return bool(named and calling and named.groups() == calling.groups())
