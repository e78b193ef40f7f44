"""Answers of AWS that the local endpoint never gives: a part of the metrics, none that can be, tags that may not be read."""

import math
from datetime import UTC, datetime
from typing import Any

import pytest
from boto3.session import Session
from botocore.stub import Stubber

from shipsafe.adapters.aws.alarms import Calls, alarm_states, calls_of_version
from shipsafe.adapters.aws.deploying import find_whole
from shipsafe.adapters.aws.refusals import AwsRefusal
from shipsafe.adapters.aws.session import Aws
from shipsafe.errors import IncompleteError

NOW = datetime(2026, 11, 21, 12, 0, 30, tzinfo=UTC)
_SESSION = Session()


def _stubbed(service: str) -> tuple[Aws, Stubber]:
    client = _SESSION.client(service, region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    aws = Aws(session=_SESSION, account="111122223333", region="eu-west-1", partition="aws", caller="me", local=False,
              _clients={service: client})  # fmt: skip
    return aws, Stubber(client)


def _metrics(*pages: dict[str, Any]) -> Calls:
    aws, stubber = _stubbed("cloudwatch")
    for page in pages:
        stubber.add_response("get_metric_data", page)
    with stubber:
        found = calls_of_version(aws, "orders", "live", "8", NOW, NOW)
        stubber.assert_no_pending_responses()
    return found


def _result(name: str, *values: float, status: str = "Complete") -> dict[str, Any]:
    return {"Id": name, "Values": list(values), "Timestamps": [NOW] * len(values), "StatusCode": status}


def test_metrics_come_in_parts() -> None:
    first = {"MetricDataResults": [_result("invocations", 3, 4, status="PartialData"), _result("errors", 1)], "NextToken": "more"}
    second = {"MetricDataResults": [_result("invocations", 5), _result("throttles")]}
    assert _metrics(first, second) == Calls(invocations=12, errors=1, throttles=0)


@pytest.mark.parametrize("value", [math.inf, math.nan, -1.0])
def test_a_number_that_cannot_be_is_no_answer(value: float) -> None:
    with pytest.raises(IncompleteError, match="has not the shape of one of AWS's"):
        _metrics({"MetricDataResults": [_result("errors", value)]})


def test_metrics_that_may_not_be_read_are_not_asked_for_again() -> None:
    with pytest.raises(AwsRefusal) as caught:
        _metrics({"MetricDataResults": [_result("errors", status="Forbidden")]})
    assert (caught.value.denied, caught.value.passing) == (True, False)


def test_metrics_that_could_not_be_had_are_not_none() -> None:
    with pytest.raises(IncompleteError, match="GetMetricData answered InternalError"):
        _metrics({"MetricDataResults": [_result("errors", status="InternalError")]})


def test_composite_alarms_are_asked_for_and_names_go_in_hundreds() -> None:
    aws, stubber = _stubbed("cloudwatch")
    names = [f"alarm-{number}" for number in range(101)]
    for some in (names[:100], names[100:]):
        asked = {"AlarmNames": some, "AlarmTypes": ["MetricAlarm", "CompositeAlarm"], "MaxRecords": 100}
        answer = {"MetricAlarms": [{"AlarmName": some[0], "StateValue": "OK"}]}
        answer["CompositeAlarms"] = [{"AlarmName": "all", "StateValue": "ALARM", "StateReason": "two\nlines"}]
        stubber.add_response("describe_alarms", answer, asked)
    with stubber:
        found = alarm_states(aws, names)
    assert [(one.name, one.state, one.reason) for one in found][:2] == [("alarm-0", "OK", ""), ("all", "ALARM", "two lines")]


def test_tags_that_may_not_be_read_are_not_none() -> None:
    """GetFunction tells of a function all the same, without its tags."""
    aws, stubber = _stubbed("lambda")
    configuration = {"FunctionName": "orders", "FunctionArn": "arn:aws:lambda:eu-west-1:111122223333:function:orders",
                     "Version": "$LATEST", "CodeSha256": "x"}  # fmt: skip
    said = "You are not authorized to perform: lambda:ListTags on the resource. Tags are left out of the answer, therefore."
    answer = {"Configuration": configuration, "TagsError": {"ErrorCode": "AccessDeniedException", "Message": said}}
    stubber.add_response("get_function", answer)
    with stubber, pytest.raises(IncompleteError, match="Could not read the tags of function orders") as caught:
        find_whole(aws, "orders")
    assert "lambda:ListTags" in caught.value.remedy
