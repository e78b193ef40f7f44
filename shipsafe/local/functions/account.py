"""What an account has: its limits and use, and the tags of what it has."""

from collections.abc import Iterable
from typing import Any

from shipsafe.local.call import Call
from shipsafe.local.functions.concurrency import reserved
from shipsafe.local.functions.names import unqualified
from shipsafe.local.functions.packages import LARGEST_UNZIPPED, LARGEST_UPLOAD
from shipsafe.local.functions.refusals import invalid, not_reproduced, refusal
from shipsafe.local.functions.world import Operation, World

STORAGE = 300 * 1024**3  # bytes of packages in a region ("Lambda quotas"; 75 GB until 2025)
MOST_TAGS = 50
SYSTEM = "aws:"  # how tags begin that AWS alone gives


def get_account_settings(world: World, call: Call) -> dict[str, Any]:
    """GetAccountSettings."""
    place = world.place(call)
    sizes = [version["code"]["size"] for it in place["functions"].values() for version in (it["latest"], *it["versions"].values())]
    sizes += [version["code"]["size"] for layer in place["layers"].values() for version in layer["versions"].values()]
    return {
        "AccountLimit": {
            "TotalCodeSize": STORAGE,
            "CodeSizeUnzipped": LARGEST_UNZIPPED,
            "CodeSizeZipped": LARGEST_UPLOAD,
            "ConcurrentExecutions": world.settings.concurrency,
            "UnreservedConcurrentExecutions": world.settings.concurrency - reserved(world, call),
        },
        "AccountUsage": {"TotalCodeSize": sum(sizes), "FunctionCount": len(place["functions"])},
    }


def list_tags(world: World, call: Call) -> dict[str, Any]:
    """ListTags."""
    return {"Tags": _tags(world, call)}


def tag_resource(world: World, call: Call) -> dict[str, Any]:
    """TagResource."""
    tags = _tags(world, call)
    refuse_system(call.parameters["Tags"])
    new = {**tags, **call.parameters["Tags"]}
    if not call.parameters["Tags"]:
        raise invalid("An error occurred and the request cannot be processed.")
    if len(new) > MOST_TAGS:
        raise invalid(f"Number of tags exceeds resource tag limit of {MOST_TAGS}.")
    tags |= new
    return {}


def untag_resource(world: World, call: Call) -> dict[str, Any]:
    """UntagResource; a key that is not there is no error."""
    tags = _tags(world, call)
    refuse_system(call.parameters["TagKeys"])
    for key in call.parameters["TagKeys"]:
        tags.pop(key, None)
    return {}


def refuse_system(keys: Iterable[str]) -> None:
    """Refuse tags that begin with `aws:`. That AWS does is documented, its words are assumed.

    Raises:
        ApiError: InvalidParameterValueException.
    """
    if any(key.lower().startswith(SYSTEM) for key in keys):
        raise invalid("aws: prefixed tag key names are not allowed for external use.")


def _tags(world: World, call: Call) -> dict[str, str]:
    arn = call.parameters["Resource"]
    kind = arn.split(":")[5] if arn.count(":") > 5 else ""  # noqa: PLR2004 - the part of an ARN that says what it is of
    match kind:
        case "function":
            return unqualified(world, call, arn)["tags"]
        case "code-signing-config":
            config = world.place(call)["code_signing"].get(arn)
            if config is None:
                raise refusal("ResourceNotFoundException", f"The Lambda code signing configuration {arn} can not be found.")
            return config["tags"]
        case "event-source-mapping":
            mapping = world.place(call)["mappings"].get(arn.rpartition(":")[2])
            if mapping is None:
                raise refusal("ResourceNotFoundException", "The resource you requested does not exist.")
            tags: dict[str, str] = mapping["tags"]
            return tags
    raise not_reproduced(f"tags of {kind or arn}")


OPERATIONS = {
    "GetAccountSettings": Operation(get_account_settings, "the documented limits; code storage is not enforced"),
    "ListTags": Operation(list_tags, "of functions, code-signing configurations and event source mappings; others 501"),
    "TagResource": Operation(tag_resource, "as ListTags; the words for a key with `aws:` are assumed"),
    "UntagResource": Operation(untag_resource, "as TagResource"),
}
