"""Laws of the protocol rest-json, held against botocore: what its clients send arrives, and what is answered they read."""

import io
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from botocore.awsrequest import HeadersDict
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shipsafe.local import rest_json
from shipsafe.local.call import ApiError
from shipsafe.local.rest_json import Request
from shipsafe.local.routes import service_model

_TEXT = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="/"), min_size=1, max_size=12)
_ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(lambda time: time.replace(microsecond=0))  # noqa: DTZ001 - hypothesis adds the zone
_SIMPLE: dict[str, st.SearchStrategy[Any]] = {
    "integer": st.integers(0, 2**31 - 1),
    "long": st.integers(0, 2**53),
    "boolean": st.booleans(),
    "float": st.floats(0, 1),
    "double": st.floats(0, 1),
    "blob": st.binary(max_size=12),
    "timestamp": _TIMES,
}
OPERATIONS = [
    (service, name)
    for service in ("signer", "signer-data", "lambda")
    for name in service_model(service).operation_names
    # A stream of events is not rest-json, and no core answers it; an older name is nobody's.
    if not service_model(service).operation_model(name).has_event_stream_output
    and not service_model(service).operation_model(name).deprecated
]


def _values(shape: Any, *, plain: bool, depth: int = 0) -> st.SearchStrategy[Any]:
    """Values of a shape; `plain` texts can stand in paths and headers."""
    match shape.type_name:
        case "structure":
            return _structures(shape, depth)
        case "list":
            return st.lists(_values(shape.member, plain=plain, depth=depth + 1), min_size=1, max_size=2)
        case "map":
            return st.dictionaries(_TEXT, _values(shape.value, plain=plain, depth=depth + 1), max_size=2)
        case "string":
            return st.sampled_from(shape.enum) if getattr(shape, "enum", None) else _TEXT if plain else _ANY_TEXT
    return _SIMPLE[shape.type_name]


def _structures(shape: Any, depth: int) -> st.SearchStrategy[Any]:
    members = (
        {name: _values(member, plain=_is_located(member), depth=depth + 1) for name, member in shape.members.items()} if depth < 4 else {}
    )
    if getattr(shape, "is_tagged_union", False) and members:
        return st.one_of([st.fixed_dictionaries({name: value}) for name, value in members.items()])
    required = {name: value for name, value in members.items() if name in shape.required_members}
    return st.fixed_dictionaries(required, optional={name: value for name, value in members.items() if name not in required})


def _is_located(shape: Any) -> bool:
    return shape.serialization.get("location") is not None


@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_what_botocore_sends_arrives_as_it_was_given(service: str, operation: str, data: st.DataObject) -> None:
    model = service_model(service).operation_model(operation)
    given_ = data.draw(_values(model.input_shape, plain=False)) if model.input_shape is not None else {}
    sent = create_serializer(model.service_model.metadata["protocol"], include_validation=False).serialize_to_request(given_, model)
    path, _, literal = sent["url_path"].partition("?")
    query = parse_qs(urlencode(sent["query_string"] or {}, doseq=True), keep_blank_values=True) | parse_qs(literal, keep_blank_values=True)
    headers = {name.lower(): value if isinstance(value, str) else str(value) for name, value in sent["headers"].items()}
    body = sent["body"] if isinstance(sent["body"], bytes) else sent["body"].encode()
    request = Request(sent["method"], path, query, headers, body)
    found = rest_json.operation_of(service, request)
    assert found.route.operation == operation
    assert _normal(rest_json.parameters(service, found, request)) == _normal(given_)


@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_what_is_answered_is_read_by_botocore_as_it_was_meant(service: str, operation: str, data: st.DataObject) -> None:
    model = service_model(service).operation_model(operation)
    told = data.draw(_values(model.output_shape, plain=False)) if model.output_shape is not None else {}
    told = {name: value for name, value in told.items() if model.output_shape.members[name].serialization.get("location") != "statusCode"}
    answer = rest_json.answer(service, operation, told)
    parser = create_parser(model.service_model.metadata["protocol"])
    headers = HeadersDict(answer.headers)
    stream = operation == "Invoke"  # whose payload botocore hands on as it comes
    body = io.BytesIO(answer.body) if stream else answer.body
    seen = parser.parse({"status_code": answer.status, "headers": headers, "body": body}, model.output_shape)
    seen |= {"Payload": answer.body} if stream else {}
    assert _normal({name: value for name, value in seen.items() if name not in {"ResponseMetadata", "StatusCode"}}) == _normal(told)


def _normal(value: Any) -> Any:
    """Without what the wire cannot tell apart: a map or structure that is empty from none at all."""
    match value:
        case dict():
            told = {name: _normal(item) for name, item in value.items()}
            return {name: item for name, item in told.items() if item not in ({}, None, b"")}
        case list():
            return [_normal(item) for item in value]
        case datetime():
            return value.astimezone(UTC)
        case float():
            return pytest.approx(value)
    return bytes(value) if isinstance(value, bytes) else value


@settings(max_examples=300, deadline=None)
@given(
    method=st.sampled_from(["GET", "PUT", "POST", "DELETE", "PATCH", "BREW"]),
    path=st.one_of(
        _ANY_TEXT.map("/{}".format), st.sampled_from(["/signing-jobs", "/2015-03-31/functions", "/2015-03-31/functions/f/code"])
    ),
    body=st.one_of(
        st.binary(max_size=40), st.sampled_from([b"[]", b"null", b'{"ZipFile": "%%"}', b'{"source": 1}', b'{"Runtime": []}', b"{" * 9])
    ),
    service=st.sampled_from(["signer", "lambda"]),
)
def test_a_request_that_is_none_is_refused_and_nothing_else(method: str, path: str, body: bytes, service: str) -> None:
    request = Request(method, path, {"maxResults": ["many"]}, {}, body)
    refused = _refusal(service, request)
    assert refused is None or rest_json.refusal(service, refused).status in (400, 501)


def _refusal(service: str, request: Request) -> ApiError | None:
    try:
        rest_json.parameters(service, rest_json.operation_of(service, request), request)
    except ApiError as error:
        return error
    return None
