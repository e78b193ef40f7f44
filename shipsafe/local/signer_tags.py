"""Tags of signing profiles. A cancelled profile has none that could be asked for (botocore's model: BadRequestException)."""

from typing import Any

from shipsafe.local.call import ApiError, Call
from shipsafe.local.signer_state import Profile, World


def tag_resource(world: World, call: Call) -> dict[str, Any]:
    """TagResource."""
    _tagged(world, call).tags.update(call.parameters["tags"])
    return {}


def untag_resource(world: World, call: Call) -> dict[str, Any]:
    """UntagResource. A key that is not there is no error."""
    profile = _tagged(world, call)
    for key in call.parameters["tagKeys"]:
        profile.tags.pop(key, None)
    return {}


def list_tags_for_resource(world: World, call: Call) -> dict[str, Any]:
    """ListTagsForResource."""
    return {"tags": dict(_tagged(world, call).tags)}


def _tagged(world: World, call: Call) -> Profile:
    """The caller's profile in this Region that the ARN names. The words are ours."""
    arn = call.parameters["resourceArn"]
    if not arn.startswith("arn:") or ":/signing-profiles/" not in arn:
        raise ApiError("BadRequestException", f"Invalid resource ARN: {arn}")
    profile = world.state.profiles.get(arn)
    if profile is None or (profile.account, profile.region) != (call.account, call.region):
        raise ApiError("NotFoundException", f"Signing profile {arn} does not exist", status=404)
    if profile.status == "Canceled":
        raise ApiError("BadRequestException", f"Signing profile {profile.name} is canceled")
    return profile
