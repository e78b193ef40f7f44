"""HTTP of the protocols rest-json and json -> `Call`, and answers and refusals back, by botocore's service model.

The wire format is described at https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html: labels, query, headers and body are
named by the model; a blob in a body is base64, a time is seconds since 1970 unless the model says otherwise; a refusal has its name in
`x-amzn-ErrorType`. In the protocol json (CodeDeploy) every member is in the body, and `X-Amz-Target` names the operation.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any
from uuid import uuid4

from shipsafe.local.call import ApiError
from shipsafe.local.routes import Match, Route, match, service_model

JSON = "application/json"
_JSON_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "boolean": (bool,),
    "float": (int, float),
    "double": (int, float),
    "list": (list,),
}


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request: the path undecoded, the query decoded, header names in lower case."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


def operation_of(service: str, request: Request) -> Match:
    """Which operation a request means.

    Raises:
        ApiError: UnknownOperationException (501): none that the service's model has.
    """
    if (target := request.headers.get("x-amz-target")) is not None:
        named = target.rpartition(".")[2]
        if named not in service_model(service).operation_names:
            raise unknown(service, named)
        return Match(Route(named, request.method, re.compile("/"), (), ()), {})
    found = match(service, request.method, request.path, request.query, request.headers.keys())
    if found is None:
        raise unknown(service, f"{request.method} {request.path}")
    return found


def unknown(service: str, what: str) -> ApiError:
    """The refusal of what is not reproduced: loud, so that nobody takes an empty answer for AWS's."""
    return ApiError("UnknownOperationException", f"The local endpoint does not reproduce {service} {what}.", 501)


def parameters(service: str, found: Match, request: Request) -> dict[str, Any]:
    """The members of a call's input, as boto3 takes them.

    Raises:
        ApiError: SerializationException: the body is no JSON object, or a value has another type than the model says.
    """
    shape = service_model(service).operation_model(found.route.operation).input_shape
    if shape is None:
        return {}
    try:
        return _parameters(shape, found, request)
    except (ValueError, TypeError, AttributeError, binascii.Error, RecursionError, OverflowError) as error:
        raise ApiError("SerializationException", f"Could not parse the request: {error}") from error


def _parameters(shape: Any, found: Match, request: Request) -> dict[str, Any]:
    payload = shape.serialization.get("payload")
    body: Mapping[str, Any] = {}
    if payload is None or shape.members[payload].type_name not in ("blob", "string"):
        body = json.loads(request.body) if request.body.strip() else {}
        if not isinstance(body, dict):
            raise TypeError("the body is not a JSON object")
    result = {name: _member(name, member, payload, body, found, request) for name, member in shape.members.items()}
    return {name: value for name, value in result.items() if value is not None}


def _member(name: str, shape: Any, payload: str | None, body: Mapping[str, Any], found: Match, request: Request) -> Any:
    """One member of the input, from where the model says it is; None where it is not given."""
    wire = shape.serialization.get("name", name)
    match shape.serialization.get("location"):
        case "uri":
            return _from_text(shape, found.labels.get(wire))
        case "querystring":
            return _from_query(shape, wire, request.query)
        case "header":
            return _from_text(shape, request.headers.get(wire.lower()))
        case _ if name == payload:
            return request.body if shape.type_name == "blob" else _from_json(shape, body) if body else None
        case _:
            return _from_json(shape, body.get(wire)) if payload is None else None


def _from_query(shape: Any, wire: str, query: dict[str, list[str]]) -> Any:
    values = query.get(wire)
    if shape.type_name == "list":
        return [_from_text(shape.member, value) for value in values] if values is not None else None
    return _from_text(shape, values[0]) if values else None


def _from_text(shape: Any, text: str | None) -> Any:
    if text is None:
        return None
    kind = shape.type_name
    if kind in ("integer", "long"):
        return int(text)
    if kind in ("float", "double"):
        return float(text)
    if kind == "boolean":
        return text.lower() == "true"
    if kind == "timestamp":
        return _time(text)
    if kind == "blob":
        return base64.b64decode(text, validate=True)
    return text


def _time(value: Any) -> datetime:
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    if value.endswith("GMT"):
        return parsedate_to_datetime(value)
    try:
        return datetime.fromtimestamp(float(value), UTC)
    except ValueError:
        told = datetime.fromisoformat(value)
        return told if told.tzinfo is not None else told.replace(tzinfo=UTC)


def _from_json(shape: Any, value: Any) -> Any:
    """A value of a body, by its shape; members that the model does not have are left out, as AWS does."""
    if value is None:
        return None
    match shape.type_name:
        case "structure":
            told = {name: _from_json(member, value.get(member.serialization.get("name", name))) for name, member in shape.members.items()}
            return {name: item for name, item in told.items() if item is not None}
        case "list" if isinstance(value, list):
            return [_from_json(shape.member, item) for item in value]
        case "map":
            return {str(key): _from_json(shape.value, item) for key, item in value.items()}
        case "blob":
            return base64.b64decode(value, validate=True)
        case "timestamp":
            return _time(value)
        case kind if kind in _JSON_TYPES and type(value) not in _JSON_TYPES[kind]:
            raise TypeError(f"{shape.name} is not a {kind}")
    return value


def answer(service: str, operation: str, told: Mapping[str, Any]) -> Answer:
    """What a core answered, as HTTP."""
    model = service_model(service).operation_model(operation)
    status, headers = int(model.http.get("responseCode", 200)), _headers()
    shape = model.output_shape
    if shape is None:
        return Answer(status, headers, b"")
    payload, fields = shape.serialization.get("payload"), {}
    body: bytes | None = None
    for name, member in shape.members.items():
        value = told.get(name)
        if value is None:
            continue
        wire = member.serialization.get("name", name)
        location = member.serialization.get("location")
        if location == "statusCode":
            status = int(value)
        elif location == "header":
            headers.append((wire, _to_text(member, value)))
        elif name == payload:
            body = bytes(value) if member.type_name == "blob" else _dump(_to_json(member, value))
        else:
            fields[wire] = _to_json(member, value)
    if body is None:
        # An operation without members to tell answers {}; one that answers "nothing" (204) has no body at all.
        body = b"" if status == 204 or (payload is not None and not fields) else _dump(fields)  # noqa: PLR2004 - HTTP's number
    if body:
        headers.append(("Content-Type", JSON))
    headers.append(("Content-Length", str(len(body))))
    return Answer(status, headers, body)


def refusal(service: str, error: ApiError) -> Answer:
    """A refusal, as HTTP: its name in a header and, as older clients look for it, in the body."""
    shapes = {shape.name: shape for shape in service_model(service).error_shapes} if service else {}
    members = shapes[error.code].members if error.code in shapes else {}
    spelled = next((name for name in members if name.lower() == "message"), "message")
    body = _dump({"__type": error.code, spelled: error.message, **error.members})
    headers = [*_headers(), ("x-amzn-ErrorType", error.code), ("Content-Type", JSON), ("Content-Length", str(len(body)))]
    return Answer(error.status, headers, body)


def _headers() -> list[tuple[str, str]]:
    return [("x-amzn-RequestId", str(uuid4()))]


def _dump(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _to_text(shape: Any, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return format_datetime(value.astimezone(UTC), usegmt=True)
    return base64.b64encode(value).decode() if shape.type_name == "blob" else str(value)


def _to_json(shape: Any, value: Any) -> Any:
    if value is None:
        return None
    kind = shape.type_name
    if kind == "structure":
        told = {name: (member, value.get(name)) for name, member in shape.members.items()}
        return {m.serialization.get("name", name): _to_json(m, item) for name, (m, item) in told.items() if item is not None}
    if kind == "list":
        return [_to_json(shape.member, item) for item in value]
    if kind == "map":
        return {str(key): _to_json(shape.value, item) for key, item in value.items()}
    if kind == "blob":
        return base64.b64encode(value).decode()
    if kind == "timestamp":
        return _time_to_json(shape, value)
    return value


def _time_to_json(shape: Any, value: Any) -> Any:
    if not isinstance(value, datetime):
        return value
    form = shape.serialization.get("timestampFormat", "unixTimestamp")
    if form == "iso8601":
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if form == "rfc822":
        return format_datetime(value.astimezone(UTC), usegmt=True)
    seconds = value.timestamp()
    return int(seconds) if seconds.is_integer() else round(seconds, 3)
