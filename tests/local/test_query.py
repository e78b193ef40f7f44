"""The protocol query: what botocore writes is read, what is answered botocore reads, and what is neither is refused."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore import parsers, serialize

from shipsafe.local import query
from shipsafe.local.call import ApiError
from shipsafe.local.rest_json import Request
from shipsafe.local.routes import service_model

GIVEN: dict[str, Any] = {
    "StackName": "shop",
    "ChangeSetName": "one",
    "TemplateBody": "Resources: {}\r\n# ünïcode & = <x>\n",
    "Parameters": [{"ParameterKey": "A", "ParameterValue": ""}, {"ParameterKey": "B", "UsePreviousValue": True}],
    "Capabilities": [],
    "Tags": [{"Key": f"k{number}", "Value": "v"} for number in range(12)],  # the tenth comes after the ninth
    "RollbackConfiguration": {"MonitoringTimeInMinutes": 3},
    "IncludeNestedStacks": False,
}


def form(body: str | bytes) -> Request:
    return Request("POST", "/", {}, {}, body.encode() if isinstance(body, str) else body)


def read(body: str | bytes) -> dict[str, Any]:
    request = form(body)
    return query.parameters("cloudformation", query.operation_of("cloudformation", request), request)


def test_what_botocore_writes_is_read_as_it_was_given() -> None:
    model = service_model("cloudformation").operation_model("CreateChangeSet")
    written = serialize.create_serializer("query").serialize_to_request(GIVEN, model)
    assert read(urlencode(written["body"])) == GIVEN


def test_what_is_answered_botocore_reads() -> None:
    told = {
        "Stacks": [
            {
                "StackName": "shop",
                "Description": "a & b <c>\r\n",
                "CreationTime": datetime(2026, 11, 22, 1, 2, 3, 456000, tzinfo=UTC),
                "DisableRollback": False,
                "Outputs": [],
                "Tags": [{"Key": "a", "Value": ""}],
            }
        ],
        "NextToken": "100",
    }
    answer = query.answer("cloudformation", "DescribeStacks", told)
    shape = service_model("cloudformation").operation_model("DescribeStacks").output_shape
    back = parsers.create_parser("query").parse({"body": answer.body, "headers": dict(answer.headers), "status_code": answer.status}, shape)
    assert {name: value for name, value in back.items() if name != "ResponseMetadata"} == told


def test_an_operation_without_an_answer_has_an_empty_one() -> None:
    answer = query.answer("cloudformation", "DeleteStack", {})
    assert answer.body.startswith(b"<DeleteStackResponse xmlns=")
    assert b"<RequestId>" in answer.body


@pytest.mark.parametrize(
    "body",
    [
        b"\xff",
        "Action=CreateChangeSet&StackName=a&StackName.b=c",
        "Action=CreateChangeSet&StackName.b=c",
        "Action=CreateChangeSet&Parameters.member.x.ParameterKey=a",
        "Action=CreateChangeSet&Parameters=a",
        "Action=CreateChangeSet&IncludeNestedStacks=perhaps",
        "Action=CreateChangeSet&RollbackConfiguration.MonitoringTimeInMinutes=soon",
        "Action=CreateChangeSet&StackName=%00",
        "Action=CreateChangeSet&" + "a." * 40 + "=1",
        "Action=CreateChangeSet" + "&a=1" * 30_000,
    ],
    ids=range(10),
)
def test_a_form_that_says_nothing_that_can_be_meant_is_refused(body: str | bytes) -> None:
    with pytest.raises(ApiError) as refused:
        read(body)
    assert (refused.value.code, refused.value.status) == ("MalformedInput", 400)


@pytest.mark.parametrize("body", ["", "Action=", "Action=Nothing"])
def test_an_operation_that_there_is_not_is_501(body: str) -> None:
    with pytest.raises(ApiError) as refused:
        read(body)
    assert refused.value.status == 501
