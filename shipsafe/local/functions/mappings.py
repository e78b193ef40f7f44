"""Event source mappings: kept and shown, and nothing is polled."""

from datetime import UTC, datetime
from typing import Any

from shipsafe.local.call import Call
from shipsafe.local.functions.names import function_arn, named, qualified
from shipsafe.local.functions.pages import page
from shipsafe.local.functions.refusals import invalid, refusal
from shipsafe.local.functions.world import Operation, World

_OWN = ("FunctionName", "Enabled", "Tags", "UUID")  # members of a call that a mapping does not have by that name
_TIMES = ("LastModified", "StartingPositionTimestamp")  # kept as seconds since 1970
_BATCH = {"sqs": 10, "kinesis": 100, "dynamodb": 100, "kafka": 100, "mq": 100}  # BatchSize's documented defaults


def create_event_source_mapping(world: World, call: Call) -> dict[str, Any]:
    """CreateEventSourceMapping."""
    given = call.parameters
    if not (given.get("EventSourceArn") or given.get("SelfManagedEventSource")):
        raise invalid("Unrecognized event source.")
    found = qualified(world, call, given["FunctionName"])
    arn = function_arn(call, found.function["name"], found.qualifier)
    mappings = world.place(call)["mappings"]
    if given.get("EventSourceArn"):
        for other in mappings.values():
            if other["EventSourceArn"] == given["EventSourceArn"] and other["FunctionArn"] == arn:
                raise refusal(
                    "ResourceConflictException",
                    f'The event source arn (" {given["EventSourceArn"]} ") and function (" {found.function["name"]} ") provided '
                    f"mapping already exists. Please update or delete the existing mapping with UUID {other['UUID']}",
                )
    identifier = str(world.ids())
    mappings[identifier] = {
        "EventSourceArn": "",
        "BatchSize": _BATCH.get((given.get("EventSourceArn") or "::").split(":")[2], 100),
        **{name: _kept(value) for name, value in given.items() if name not in _OWN and value is not None},
        "tags": dict(given.get("Tags") or {}),
        "UUID": identifier,
        "EventSourceMappingArn": f"arn:{call.partition}:lambda:{call.region}:{call.account}:event-source-mapping:{identifier}",
        "FunctionArn": arn,
        "State": "Disabled" if given.get("Enabled") is False else "Enabled",
        "StateTransitionReason": "USER_INITIATED",
        "LastModified": world.now(),
    }
    return _describe(mappings[identifier])


def get_event_source_mapping(world: World, call: Call) -> dict[str, Any]:
    """GetEventSourceMapping."""
    return _describe(_find(world, call))


def list_event_source_mappings(world: World, call: Call) -> dict[str, Any]:
    """ListEventSourceMappings: all, of a source, of a function."""
    given = call.parameters
    mappings = world.place(call)["mappings"].values()
    wanted = None
    if given.get("FunctionName"):
        name, qualifier = named(call, given["FunctionName"])
        wanted = function_arn(call, name, qualifier)
    chosen = [
        mapping
        for mapping in mappings
        if (not given.get("EventSourceArn") or mapping["EventSourceArn"] == given["EventSourceArn"])
        and (wanted is None or mapping["FunctionArn"] == wanted)
    ]
    return page(((mapping["UUID"], _describe(mapping)) for mapping in chosen), given, "EventSourceMappings")


def update_event_source_mapping(world: World, call: Call) -> dict[str, Any]:
    """UpdateEventSourceMapping."""
    given, mapping = call.parameters, _find(world, call)
    if given.get("FunctionName"):
        found = qualified(world, call, given["FunctionName"])
        mapping["FunctionArn"] = function_arn(call, found.function["name"], found.qualifier)
    mapping |= {name: _kept(value) for name, value in given.items() if name not in _OWN and value is not None}
    if given.get("Enabled") is not None:
        mapping["State"] = "Enabled" if given["Enabled"] else "Disabled"
    mapping["LastModified"] = world.now()
    return _describe(mapping)


def delete_event_source_mapping(world: World, call: Call) -> dict[str, Any]:
    """DeleteEventSourceMapping."""
    mapping = _find(world, call)
    del world.place(call)["mappings"][mapping["UUID"]]
    return {**_describe(mapping), "State": "Deleting"}


def _find(world: World, call: Call) -> dict[str, Any]:
    mapping = world.place(call)["mappings"].get(call.parameters["UUID"])
    if mapping is None:
        raise refusal("ResourceNotFoundException", "The resource you requested does not exist.")
    return mapping


def _kept(value: Any) -> Any:
    return value.timestamp() if isinstance(value, datetime) else value


def _describe(mapping: dict[str, Any]) -> dict[str, Any]:
    shown = {name: value for name, value in mapping.items() if value != "" and name != "tags"}
    return shown | {name: datetime.fromtimestamp(shown[name], UTC) for name in _TIMES if name in shown}


OPERATIONS = {
    "CreateEventSourceMapping": Operation(create_event_source_mapping, "nothing is polled; the source is not looked up; few defaults"),
    "GetEventSourceMapping": Operation(get_event_source_mapping, "always Enabled or Disabled, without the states between"),
    "ListEventSourceMappings": Operation(list_event_source_mappings),
    "UpdateEventSourceMapping": Operation(update_event_source_mapping, "as CreateEventSourceMapping"),
    "DeleteEventSourceMapping": Operation(delete_event_source_mapping, "gone at once"),
}
