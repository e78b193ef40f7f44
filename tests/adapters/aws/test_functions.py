"""Names of functions as people write them, and what is taken of Lambda's answers."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.stub import Stubber

from shipsafe.adapters.aws.functions import FunctionName, find_alias, find_function, find_layer, list_aliases
from shipsafe.adapters.aws.session import Aws, Place, open_aws
from shipsafe.errors import ConfigError, IncompleteError

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:orders"


@pytest.mark.parametrize(
    ("text", "name", "qualifier", "account", "region"),
    [
        ("orders", "orders", None, None, None),
        ("orders:live", "orders", "live", None, None),
        ("orders:7", "orders", "7", None, None),
        ("orders:$LATEST", "orders", "$LATEST", None, None),
        ("123456789012:function:orders", "orders", None, "123456789012", None),
        (ARN, "orders", None, "123456789012", "eu-west-1"),
        (f"{ARN}:live", "orders", "live", "123456789012", "eu-west-1"),
        ("arn:aws-cn:lambda:cn-north-1:123456789012:function:orders:3", "orders", "3", "123456789012", "cn-north-1"),
    ],
)
def test_a_function_is_named_in_every_way_that_lambda_takes(
    text: str, name: str, qualifier: str | None, account: str | None, region: str | None
) -> None:
    found = FunctionName.parse(text)
    assert (found.name, found.qualifier, found.account, found.region) == (name, qualifier, account, region)


@pytest.mark.parametrize(
    "text", ["", "no/name", "orders:", "orders:live:3", "arn:aws:lambda:eu-west-1:orders", "a" * 65, "orders\n", "$LATEST"]
)
def test_what_cannot_be_a_function_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        FunctionName.parse(text)


@pytest.fixture
def aws(local_aws: object) -> Aws:
    assert local_aws
    return open_aws(Place())


@pytest.fixture
def stub(aws: Aws) -> Iterator[Stubber]:
    """Answers that AWS would not give; what stands in its place might."""
    with Stubber(aws.client("lambda")) as stubber:
        yield stubber


@pytest.mark.parametrize(
    "configuration",
    [
        {},
        {"FunctionArn": ARN, "Version": "1", "FunctionName": "other", "CodeSha256": "x"},
        {"FunctionArn": ARN, "FunctionName": "orders", "CodeSha256": "x"},
        {"FunctionArn": ARN, "FunctionName": "orders", "Version": "1"},
    ],
)
def test_an_answer_that_lacks_something_is_no_answer(aws: Aws, stub: Stubber, configuration: dict[str, Any]) -> None:
    stub.add_response("get_function", {"Configuration": configuration})
    with pytest.raises(IncompleteError, match="has not the shape"):
        find_function(aws, "orders", "1")


def test_of_a_function_its_arn_has_the_version_that_runs_and_not_the_alias(aws: Aws, stub: Stubber) -> None:
    told = {"FunctionArn": f"{ARN}:live", "FunctionName": "orders", "Version": "3", "CodeSha256": "x"}
    stub.add_response("get_function", {"Configuration": told})
    found = find_function(aws, "orders", "live")
    assert found is not None
    assert (found.arn, found.architectures, found.package, found.job) == (f"{ARN}:3", ("x86_64",), "Zip", "")


def test_a_layer_without_a_digest_is_no_answer(aws: Aws, stub: Stubber) -> None:
    stub.add_response("get_layer_version_by_arn", {"LayerVersionArn": "x", "Content": {"CodeSize": 1}})
    with pytest.raises(IncompleteError):
        find_layer(aws, "arn:aws:lambda:eu-west-1:123456789012:layer:shared:1")


def test_aliases_come_in_pages_that_must_end(aws: Aws, stub: Stubber) -> None:
    live = {"Name": "live", "FunctionVersion": "1", "RoutingConfig": {"AdditionalVersionWeights": {"2": 0.1}}}
    stub.add_response("list_aliases", {"Aliases": [live], "NextMarker": "a"})
    stub.add_response("list_aliases", {"Aliases": [{"Name": "next", "FunctionVersion": "2"}]})
    assert [(one.name, one.version, dict(one.weights)) for one in list_aliases(aws, "orders")] == [
        ("live", "1", {"2": 0.1}),
        ("next", "2", {}),
    ]
    stub.add_response("list_aliases", {"Aliases": [], "NextMarker": "a"})
    stub.add_response("list_aliases", {"Aliases": [], "NextMarker": "a"})
    with pytest.raises(IncompleteError, match="do not end"):
        list_aliases(aws, "orders")


def test_an_alias_without_a_version_is_no_answer(aws: Aws, stub: Stubber) -> None:
    stub.add_response("get_alias", {"Name": "live"})
    with pytest.raises(IncompleteError):
        find_alias(aws, "orders", "live")
