"""What code is signed with and held against: signing profiles, who may use them, and code-signing configurations."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from shipsafe.local.call import ApiError
from shipsafe.local.stacks.kinds.kind import Acting, Kind, Properties, Todo, if_there
from shipsafe.local.stacks.kinds.properties import fitted, small, tags_of

_LONGEST = 64


def _create_config(acting: Acting, properties: Properties) -> str:
    given = fitted("CreateCodeSigningConfig", properties, without=frozenset(("Tags",)))
    return str(
        acting.ask("CreateCodeSigningConfig", **given, Tags=tags_of(acting, properties))["CodeSigningConfig"]["CodeSigningConfigArn"]
    )


def _update_config(acting: Acting, physical: str, _old: Properties, new: Properties) -> Sequence[Todo]:
    given = fitted("UpdateCodeSigningConfig", {"Description": "", **new}, without=frozenset(("Tags",)))
    return [partial(acting.ask, "UpdateCodeSigningConfig", CodeSigningConfigArn=physical, **given)]


def _delete_config(acting: Acting, physical: str, _properties: Properties) -> None:
    if_there(partial(acting.ask, "DeleteCodeSigningConfig", CodeSigningConfigArn=physical))


def _config_attributes(_acting: Acting, physical: str, _properties: Properties) -> Mapping[str, Any]:
    return {"CodeSigningConfigArn": physical, "CodeSigningConfigId": physical.rpartition(":")[2]}


def _create_profile(acting: Acting, properties: Properties) -> str:
    name = str(properties.get("ProfileName") or acting.name(_LONGEST).replace("-", "_"))
    given = small({key: value for key, value in properties.items() if key not in ("ProfileName", "Tags")})
    members = fitted("PutSigningProfile", given, service="signer")
    if tags := tags_of(acting, properties):
        members["tags"] = tags
    acting.ask_of("signer", "PutSigningProfile", profileName=name, **members)
    return name


def _cancel_profile(acting: Acting, physical: str, _properties: Properties) -> None:
    if_there(partial(acting.ask_of, "signer", "CancelSigningProfile", profileName=physical))


def _profile_attributes(acting: Acting, physical: str, _properties: Properties) -> Mapping[str, Any]:
    told = acting.ask_of("signer", "GetSigningProfile", profileName=physical)
    return {
        "Arn": told["arn"],
        "ProfileName": physical,
        "ProfileVersion": told["profileVersion"],
        "ProfileVersionArn": told["profileVersionArn"],
    }


def _permit(acting: Acting, properties: Properties) -> str:
    given = fitted("AddProfilePermission", small(properties), service="signer")
    statement = str(given.get("statementId") or acting.name(_LONGEST))
    name = str(properties.get("ProfileName", ""))
    revision = _revision(acting, name)
    acting.ask_of("signer", "AddProfilePermission", **{**given, "statementId": statement, **revision})
    return statement


def _forbid(acting: Acting, physical: str, properties: Properties) -> None:
    name = str(properties.get("ProfileName", ""))
    revision = _revision(acting, name)
    if_there(partial(acting.ask_of, "signer", "RemoveProfilePermission", profileName=name, statementId=physical, **revision))


def _revision(acting: Acting, profile: str) -> dict[str, str]:
    """The revision of a profile's permissions, where it has any: a change has to name it."""
    try:
        return {"revisionId": acting.ask_of("signer", "ListProfilePermissions", profileName=profile)["revisionId"]}
    except ApiError as error:
        if error.code == "ResourceNotFoundException":
            return {}
        raise


CODE_SIGNING = Kind(create=_create_config, delete=_delete_config, update=_update_config, attributes=_config_attributes)
PROFILE = Kind(create=_create_profile, delete=_cancel_profile, replaced_by=None, attributes=_profile_attributes)
PROFILE_PERMISSION = Kind(create=_permit, delete=_forbid, replaced_by=None)
