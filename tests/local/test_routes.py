"""Which operation a request means, held against what botocore sends for each of them."""

from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from botocore.serialize import create_serializer

from shipsafe.local.routes import match, service_model
from shipsafe.local.s3_checks import KNOWN_TO_MOTO

_S3 = service_model("s3")
_CURRENT = [name for name in _S3.operation_names if not _S3.operation_model(name).deprecated]
# Requests that are another's, letter for letter: an endpoint of its own tells them apart.
_SAME = {"ListDirectoryBuckets": "ListBuckets"}


def _least(shape: Any) -> Any:
    """A value with no more than what must be there."""
    match shape.type_name:
        case "structure":
            return {name: _least(shape.members[name]) for name in shape.required_members}
        case "list":
            return [_least(shape.member)]
        case "map":
            return {}
        case "string":
            return shape.enum[0] if shape.enum else "x"
        case "integer" | "long":
            return 1
        case "boolean":
            return True
        case "timestamp":
            return 0
    return b""


@pytest.mark.parametrize("operation", _CURRENT)
def test_every_operation_of_s3_is_told_from_the_others(operation: str) -> None:
    """One that is taken for another would be answered as it: a look for a write, or a setting for the object."""
    model = _S3.operation_model(operation)
    value = _least(model.input_shape) if model.input_shape is not None else {}
    sent = create_serializer("rest-xml", include_validation=False).serialize_to_request(value, model)
    path, _, literal = sent["url_path"].partition("?")
    query = parse_qs(literal, keep_blank_values=True) | parse_qs(urlencode(sent["query_string"] or {}, doseq=True), keep_blank_values=True)
    found = match("s3", sent["method"], path, query, {name.lower() for name in sent["headers"]})
    assert found is not None
    assert found.route.operation == _SAME.get(operation, operation)


def test_what_moto_is_said_to_know_are_operations_of_s3() -> None:
    """A name with a mistake in it would refuse the operation that is meant."""
    assert set(_CURRENT) > KNOWN_TO_MOTO


@pytest.mark.parametrize(
    ("service", "method", "path", "query", "operation"),
    [
        ("lambda", "GET", "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A1%3Afunction%3Af/versions", {}, "ListVersionsByFunction"),
        ("lambda", "GET", "/2018-10-31/layers", {"find": ["LayerVersion"], "Arn": ["x"]}, "GetLayerVersionByArn"),
        ("lambda", "GET", "/2018-10-31/layers", {}, "ListLayers"),
        ("lambda", "GET", "/2018-10-31/layers/", {}, "ListLayers"),
        ("signer", "GET", "/tags/arn%3Aaws%3Asigner%3Aeu-west-1%3A1%3A%2Fsigning-profiles%2Fprod", {}, "ListTagsForResource"),
        ("signer", "DELETE", "/tags/arn", {}, "UntagResource"),  # without its keys: the service's to refuse
    ],
)
def test_labels_are_decoded_and_literals_decide(service: str, method: str, path: str, query: dict[str, list[str]], operation: str) -> None:
    found = match(service, method, path, query, set())
    assert found is not None
    assert found.route.operation == operation
    assert all("%" not in value for value in found.labels.values())


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/"), ("POST", "/2015-03-31/functions/a/b/c"), ("GET", "/2099-01-01/functions"), ("GET", "")]
)
def test_what_is_no_operation_is_none(method: str, path: str) -> None:
    assert match("lambda", method, path, {}, set()) is None
