"""Cross-account permissions of a signing profile: a policy of statements with a revision that every change renews."""

import json
import re
from typing import Any
from uuid import UUID

from shipsafe.local.call import ApiError, Call
from shipsafe.local.signer_access import own_profile
from shipsafe.local.signer_pages import page
from shipsafe.local.signer_platforms import LAMBDA, NOTATION
from shipsafe.local.signer_state import Permission, Profile, World

_EVERYWHERE = ("signer:GetSigningProfile", "signer:RevokeSignature")
_ACTIONS = {LAMBDA: ("signer:StartSigningJob", *_EVERYWHERE), NOTATION: ("signer:SignPayload", *_EVERYWHERE)}
_PRINCIPAL = re.compile(r"\d{12}|arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+", re.ASCII)


def add_profile_permission(world: World, call: Call) -> dict[str, Any]:
    """AddProfilePermission. A `revisionId`, where it is given, must be the current one."""
    told, profile = call.parameters, own_profile(world, call)
    actions = _ACTIONS.get(profile.platform, ())
    if told["action"] not in actions:
        # in AWS's words: hashicorp/terraform-provider-aws#33941
        words = f"Action {told['action']} not supported for platform {profile.platform}. Action must be one of [{', '.join(actions)}]"
        raise ApiError("ValidationException", words)
    if not _PRINCIPAL.fullmatch(told["principal"]):
        raise ApiError("ValidationException", "Principal is not a valid AWS account id or IAM Role Arn")  # AWS's words: aws/aws-sdk#519
    version = told.get("profileVersion")
    if version not in (None, profile.version):
        raise ApiError("ResourceNotFoundException", f"profile version {version} of {profile.name} does not exist", status=404)  # ours
    _check_revision(profile, told.get("revisionId"))
    if any(statement.statement == told["statementId"] for statement in profile.permissions):
        raise ApiError("ConflictException", f"Statement {told['statementId']} already exists", status=409)  # ours
    permission = Permission(statement=told["statementId"], action=told["action"], principal=told["principal"], profile_version=version)
    profile.permissions.append(permission)
    return _renewed(world, profile)


def remove_profile_permission(world: World, call: Call) -> dict[str, Any]:
    """RemoveProfilePermission."""
    told, profile = call.parameters, own_profile(world, call)
    _check_revision(profile, told["revisionId"])
    left = [statement for statement in profile.permissions if statement.statement != told["statementId"]]
    if len(left) == len(profile.permissions):
        raise ApiError("ResourceNotFoundException", f"Statement {told['statementId']} does not exist", status=404)  # ours
    profile.permissions = left
    return _renewed(world, profile)


def list_profile_permissions(world: World, call: Call) -> dict[str, Any]:
    """ListProfilePermissions. A profile to which none was ever added has no policy: not found, as Terraform's provider expects it."""
    profile = own_profile(world, call)
    if not profile.permissions:
        raise ApiError("ResourceNotFoundException", f"profile with name {profile.name} has no permissions", status=404)  # ours
    shown = [(statement.statement, _shown(statement)) for statement in profile.permissions]
    size = len(json.dumps([statement for _, statement in shown]).encode())
    return page("permissions", shown, call.parameters) | {"revisionId": profile.policy_revision, "policySizeBytes": size}


def _check_revision(profile: Profile, revision: str | None) -> None:
    if revision is not None and revision != profile.policy_revision:
        raise ApiError("ConflictException", "revisionId is not the current revision of the profile's permissions", status=409)  # ours


def _renewed(world: World, profile: Profile) -> dict[str, Any]:
    profile.policy_revision = str(UUID(int=world.random.getrandbits(128), version=4))
    return {"revisionId": profile.policy_revision}


def _shown(statement: Permission) -> dict[str, Any]:
    shown = {"action": statement.action, "principal": statement.principal, "statementId": statement.statement}
    return shown | ({"profileVersion": statement.profile_version} if statement.profile_version else {})
