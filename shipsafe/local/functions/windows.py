"""The time that AWS takes: a new function is `Pending`, an update `InProgress`, and nothing else may change meanwhile.

Nothing runs between two calls. A version knows what it is becoming and until when; whoever looks at it first settles it. As recorded on
AWS, a function's RevisionId changes when its creation or update is done, and that of a published version does not.
"""

from typing import Literal

from shipsafe.local.call import ApiError, Call
from shipsafe.local.functions.names import LATEST, function_arn
from shipsafe.local.functions.refusals import refusal
from shipsafe.local.functions.state import Function, Version
from shipsafe.local.functions.world import World


def begin(world: World, version: Version, becoming: Literal["created", "updated"]) -> None:
    """Start a creation or an update of a version. One of no length is over when it is next looked at."""
    version["becoming"], version["failed"] = becoming, {}
    version["until"] = world.now() + (world.settings.creating if becoming == "created" else world.settings.updating)


def settle(world: World) -> None:
    """End every creation and update whose time has come."""
    now = world.now()
    for place in world.state["places"].values():
        for it in place["functions"].values():
            for version in (it["latest"], *it["versions"].values()):
                if version["becoming"] and now >= version["until"]:
                    _end(world, version)


def _end(world: World, version: Version) -> None:
    if version["doom"]:
        prefix = "State" if version["becoming"] == "created" else "LastUpdateStatus"
        version["failed"] = {
            prefix: "Failed",
            f"{prefix}Reason": version["doom"]["reason"],
            f"{prefix}ReasonCode": version["doom"]["code"],
        }
    version["becoming"], version["doom"] = "", {}
    if version["number"] == LATEST:
        version["revision"] = world.revision()


def check_quiet(call: Call, it: Function) -> None:
    """Refuse a change while another one is going on, or of a function whose creation failed.

    Raises:
        ApiError: ResourceConflictException; botocore does not try that again by itself.
    """
    if it["latest"]["becoming"] == "updated":
        arn = function_arn(call, it["name"])
        raise _conflict(f"An update is in progress for resource: {arn}")
    check_usable(it["latest"])


def check_usable(version: Version) -> None:
    """Refuse to use a version that is being created, or whose creation failed.

    Raises:
        ApiError: ResourceConflictException.
    """
    if (state := status(version)["State"]) != "Active":
        raise _conflict(f"The function is currently in the following state: {state}")


def _conflict(why: str) -> ApiError:
    return refusal("ResourceConflictException", f"The operation cannot be performed at this time. {why}")


def status(version: Version) -> dict[str, str]:
    """The members of FunctionConfiguration about State and LastUpdateStatus."""
    match version["becoming"]:
        case "created":
            return {"State": "Pending", "StateReason": "The function is being created.", "StateReasonCode": "Creating"}
        case "updated":
            return {
                "State": "Active",
                "LastUpdateStatus": "InProgress",
                "LastUpdateStatusReason": "The function is being created.",  # AWS's own words for an update, too
                "LastUpdateStatusReasonCode": "Creating",
            }
    return {"State": "Active", "LastUpdateStatus": "Successful", **version["failed"]}
