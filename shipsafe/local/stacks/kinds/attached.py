"""What hangs on a function: permissions, URLs, event source mappings, and how asynchronous calls are repeated."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from shipsafe.local.stacks.kinds.kind import Acting, Kind, Properties, Todo, if_there
from shipsafe.local.stacks.kinds.properties import fitted, tags_of


def _permit(acting: Acting, properties: Properties) -> str:
    statement = acting.name(100)
    acting.ask("AddPermission", StatementId=statement, **fitted("AddPermission", properties))
    return statement


def _forbid(acting: Acting, physical: str, properties: Properties) -> None:
    # `FunctionName` may be the ARN of an alias: the statement is in its policy then
    if_there(partial(acting.ask, "RemovePermission", FunctionName=str(properties.get("FunctionName", "")), StatementId=physical))


def _configure_calls(acting: Acting, properties: Properties) -> str:
    acting.ask("PutFunctionEventInvokeConfig", **fitted("PutFunctionEventInvokeConfig", properties))
    return acting.name(100)


def _configure_calls_anew(acting: Acting, _physical: str, _old: Properties, new: Properties) -> Sequence[Todo]:
    return [partial(acting.ask, "PutFunctionEventInvokeConfig", **fitted("PutFunctionEventInvokeConfig", new))]


def _unconfigure_calls(acting: Acting, _physical: str, properties: Properties) -> None:
    named = {name: str(properties[name]) for name in ("FunctionName", "Qualifier") if properties.get(name)}
    if_there(partial(acting.ask, "DeleteFunctionEventInvokeConfig", **named))


def _open_url(acting: Acting, properties: Properties) -> str:
    given = fitted("CreateFunctionUrlConfig", _url(properties))
    return str(acting.ask("CreateFunctionUrlConfig", **given)["FunctionArn"])


def _url(properties: Properties) -> dict[str, Any]:
    members = {name: value for name, value in properties.items() if name != "TargetFunctionArn"}
    return {"FunctionName": properties.get("TargetFunctionArn"), **members}


def _change_url(acting: Acting, _physical: str, _old: Properties, new: Properties) -> Sequence[Todo]:
    return [partial(acting.ask, "UpdateFunctionUrlConfig", **fitted("UpdateFunctionUrlConfig", {"Cors": {}, **_url(new)}))]


def _close_url(acting: Acting, _physical: str, properties: Properties) -> None:
    named = {name: value for name, value in _url(properties).items() if name in ("FunctionName", "Qualifier")}
    if_there(partial(acting.ask, "DeleteFunctionUrlConfig", **named))


def _url_attributes(acting: Acting, physical: str, properties: Properties) -> Mapping[str, Any]:
    named = {name: value for name, value in _url(properties).items() if name in ("FunctionName", "Qualifier")}
    return {"FunctionArn": physical, "FunctionUrl": acting.ask("GetFunctionUrlConfig", **named)["FunctionUrl"]}


_KEY = {"KmsKeyArn": "KMSKeyArn"}  # a property that the call spells another way


def _source(properties: Properties) -> dict[str, Any]:
    return {_KEY.get(name, name): value for name, value in properties.items() if name != "Tags"}


def _map(acting: Acting, properties: Properties) -> str:
    given = fitted("CreateEventSourceMapping", _source(properties))
    return str(acting.ask("CreateEventSourceMapping", **given, Tags=tags_of(acting, properties))["UUID"])


def _map_anew(acting: Acting, physical: str, _old: Properties, new: Properties) -> Sequence[Todo]:
    fixed = frozenset(("EventSourceArn", "StartingPosition", "StartingPositionTimestamp", "SelfManagedEventSource", "Queues", "Topics"))
    return [
        partial(acting.ask, "UpdateEventSourceMapping", UUID=physical, **fitted("UpdateEventSourceMapping", _source(new), without=fixed))
    ]


def _unmap(acting: Acting, physical: str, _properties: Properties) -> None:
    if_there(partial(acting.ask, "DeleteEventSourceMapping", UUID=physical))


def _map_attributes(acting: Acting, physical: str, _properties: Properties) -> Mapping[str, Any]:
    return {"Id": physical, "EventSourceMappingArn": acting.arn("lambda", f"event-source-mapping:{physical}")}


PERMISSION = Kind(create=_permit, delete=_forbid, replaced_by=None)
INVOKE_CONFIG = Kind(
    create=_configure_calls,
    delete=_unconfigure_calls,
    replaced_by=frozenset(("FunctionName", "Qualifier")),
    update=_configure_calls_anew,
)
URL = Kind(
    create=_open_url,
    delete=_close_url,
    replaced_by=frozenset(("TargetFunctionArn", "Qualifier")),
    update=_change_url,
    attributes=_url_attributes,
)
MAPPING = Kind(
    create=_map,
    delete=_unmap,
    replaced_by=frozenset(("EventSourceArn", "StartingPosition", "StartingPositionTimestamp", "SelfManagedEventSource")),
    update=_map_anew,
    attributes=_map_attributes,
)
