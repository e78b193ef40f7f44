"""HTTP of the protocol query -> the members of a call, and answers back as XML, by botocore's service model. CloudFormation speaks it.

The wire format is described at https://smithy.io/2.0/aws/protocols/aws-query-protocol.html: a form whose names spell out the place of a
value (`Parameters.member.1.ParameterKey=Stage`), and an answer whose lists have an element `member` for each item.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4
from xml.sax.saxutils import escape

from shipsafe.local.call import ApiError
from shipsafe.local.rest_json import Answer, Request, unknown
from shipsafe.local.routes import Match, Route, service_model

_MOST_FIELDS = 20_000  # of a form
_DEEPEST = 16  # parts of a field's name
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # what no answer could have
_WHITE = {"\r": "&#13;"}  # a reader of XML makes a line feed of it otherwise


def operation_of(service: str, request: Request) -> Match:
    """Which operation a request means.

    Raises:
        ApiError: UnknownOperationException (501): none that the service's model has.
    """
    named = _form(request).get("Action", "")
    if named not in service_model(service).operation_names:
        raise unknown(service, named or f"{request.method} {request.path}")
    return Match(Route(named, request.method, re.compile("/"), (), ()), {})


def parameters(service: str, found: Match, request: Request) -> dict[str, Any]:
    """The members of a call's input, as boto3 takes them.

    Raises:
        ApiError: MalformedInput: a value has another type than the model says.
    """
    shape = service_model(service).operation_model(found.route.operation).input_shape
    if shape is None:
        return {}
    tree: dict[str, Any] = {}
    for name, value in _form(request).items():
        at, parts = tree, name.split(".")
        if len(parts) > _DEEPEST:
            raise ApiError("MalformedInput", f"{name[:100]} is nested too deeply.")
        for part in parts[:-1]:
            at = at.setdefault(part, {})
            if not isinstance(at, dict):
                raise ApiError("MalformedInput", f"{name[:100]} has a value and members.")
        at[parts[-1]] = value
    try:
        given: dict[str, Any] = _read(shape, tree)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise ApiError("MalformedInput", f"Could not parse the request: {error}") from error
    return given


def answer(service: str, operation: str, told: Mapping[str, Any]) -> Answer:
    """What a core answered, as HTTP."""
    model, request_id = service_model(service), str(uuid4())
    named = model.operation_model(operation)
    result = ""
    if named.output_shape is not None:
        inner = "".join(_members(named.output_shape, told))
        wrapper = named.output_shape.serialization.get("resultWrapper")
        result = f"<{wrapper}>{inner}</{wrapper}>" if wrapper else inner
    text = (
        f'<{operation}Response xmlns="{model.metadata["xmlNamespace"]}">{result}'
        f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>"
    )
    body = text.encode()
    return Answer(200, [("x-amzn-RequestId", request_id), ("Content-Type", "text/xml"), ("Content-Length", str(len(body)))], body)


def _form(request: Request) -> dict[str, str]:
    fields = {name: values[0] for name, values in request.query.items() if values}
    try:
        text = request.body.decode()
        fields |= dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except ValueError as error:
        raise ApiError("MalformedInput", f"Could not parse the request: {error}") from error
    if any(_NOT_XML.search(value) for value in fields.values()):
        raise ApiError("MalformedInput", "The request has control characters.")
    return fields


def _read(shape: Any, value: Any) -> Any:
    match shape.type_name:
        case "structure":
            told = {name: value.get(member.serialization.get("name", name)) for name, member in shape.members.items()}
            return {name: _read(shape.members[name], item) for name, item in told.items() if item is not None}
        case "list":
            if value == "":  # a list that is given and empty
                return []
            items = value if shape.serialization.get("flattened") else value[shape.member.serialization.get("name", "member")]
            return [_read(shape.member, items[number]) for number in sorted(items, key=int)]
        case "map":
            entries = [] if value == "" else [value["entry"][number] for number in sorted(value["entry"], key=int)]
            return {entry["key"]: _read(shape.value, entry["value"]) for entry in entries}
        case "integer" | "long":
            return int(value)
        case "boolean":
            return {"true": True, "false": False}[value.lower()]
        case _ if not isinstance(value, str):
            raise TypeError(f"{shape.name} is not a {shape.type_name}")
    return value


def _members(shape: Any, value: Mapping[str, Any]) -> Iterator[str]:
    for name, member in shape.members.items():
        if value.get(name) is not None:
            yield _element(member.serialization.get("name", name), member, value[name])


def _element(tag: str, shape: Any, value: Any) -> str:
    return f"<{tag}>{''.join(_inside(shape, value))}</{tag}>"


def _inside(shape: Any, value: Any) -> Iterator[str]:
    match shape.type_name:
        case "structure":
            yield from _members(shape, value)
        case "list":
            yield from (_element(shape.member.serialization.get("name", "member"), shape.member, item) for item in value)
        case "map":
            for key, item in value.items():
                yield f"<entry><key>{escape(key, _WHITE)}</key>{_element('value', shape.value, item)}</entry>"
        case "boolean":
            yield "true" if value else "false"
        case "timestamp":
            yield _time(value)
        case _:
            yield escape(str(value), _WHITE)


def _time(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
