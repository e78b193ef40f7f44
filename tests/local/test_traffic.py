"""Traffic that a control call sends, counted by version where CloudWatch tells it, and alarms that follow it."""

import io
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from shipsafe.errors import ConfigError
from shipsafe.local.endpoint import Endpoint
from tests.local_endpoint import ACCOUNT, REGION, client

ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"
PLACE = {"account": ACCOUNT, "region": REGION, "function": "orders"}


@pytest.fixture
def canary(local_aws: Endpoint) -> Endpoint:
    """A function whose alias sends a quarter of its calls to version 2."""
    local_aws.functions.configure({"creating": 0, "updating": 0})
    functions = client("lambda")
    for number in (1, 2):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            archive.writestr("app.py", str(number))
        if number == 1:
            functions.create_function(
                FunctionName="orders", Runtime="python3.13", Handler="app.main", Role=ROLE, Code={"ZipFile": stream.getvalue()}
            )
        else:
            functions.update_function_code(FunctionName="orders", ZipFile=stream.getvalue())
        functions.publish_version(FunctionName="orders")
    functions.create_alias(FunctionName="orders", Name="live", FunctionVersion="1", RoutingConfig={"AdditionalVersionWeights": {"2": 0.25}})
    return local_aws


def told(endpoint: Endpoint, name: str, version: str = "") -> float:
    dimensions = {"FunctionName": "orders"} | ({"Resource": "orders:live", "ExecutedVersion": version} if version else {})
    now = endpoint.clock.now()
    metric = {"Namespace": "AWS/Lambda", "MetricName": name, "Dimensions": [{"Name": key, "Value": of} for key, of in dimensions.items()]}
    answer = client("cloudwatch").get_metric_data(
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=10),
        MetricDataQueries=[{"Id": "it", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}],
    )
    return float(sum(answer["MetricDataResults"][0]["Values"]))


def test_calls_are_shared_out_by_the_weights_of_the_alias(canary: Endpoint) -> None:
    canary.functions.send_traffic({**PLACE, "qualifier": "live", "per_second": 10, "errors": {"2": 0.5}, "throttled": {"2": 0.2}})
    canary.advance(timedelta(seconds=20_000))
    # The endpoint's clock goes on while it is asked: a fiftieth is 400 seconds.
    assert told(canary, "Invocations", "1") == pytest.approx(150_000, rel=0.02)
    assert told(canary, "Invocations", "2") == pytest.approx(40_000, rel=0.02)
    assert told(canary, "Throttles", "2") == pytest.approx(10_000, rel=0.02)
    assert told(canary, "Errors", "2") == pytest.approx(20_000, rel=0.02)
    assert told(canary, "Errors", "1") == 0
    assert told(canary, "Invocations") == pytest.approx(190_000, rel=0.02)
    client("lambda").update_alias(FunctionName="orders", Name="live", RoutingConfig={"AdditionalVersionWeights": {}})
    before = told(canary, "Invocations", "2")
    canary.advance(timedelta(seconds=10))
    assert told(canary, "Invocations", "2") == before
    canary.functions.send_traffic({**PLACE, "qualifier": "live", "per_second": 0})
    before = told(canary, "Invocations")
    canary.advance(timedelta(seconds=10))
    assert told(canary, "Invocations") == before


def test_an_alarm_follows_what_is_counted(canary: Endpoint) -> None:
    cloudwatch = client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="errors-of-orders",
        Namespace="AWS/Lambda",
        MetricName="Errors",
        Dimensions=[{"Name": "FunctionName", "Value": "orders"}],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=2,
        DatapointsToAlarm=1,
        Threshold=5,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
    )

    def state() -> str:
        value: str = cloudwatch.describe_alarms(AlarmNames=["errors-of-orders"])["MetricAlarms"][0]["StateValue"]
        return value

    assert state() == "OK"
    canary.functions.send_traffic({**PLACE, "qualifier": "live", "per_second": 0.04, "errors": {"2": 1}})
    canary.advance(timedelta(seconds=20))
    assert state() == "OK"
    canary.advance(timedelta(seconds=1000))
    assert state() == "ALARM"
    canary.functions.send_traffic({**PLACE, "qualifier": "live", "per_second": 0})
    canary.advance(timedelta(minutes=5))
    assert state() == "INSUFFICIENT_DATA"


@pytest.mark.parametrize(
    "value",
    [
        {},
        {**PLACE},
        {**PLACE, "per_second": -1},
        {**PLACE, "per_second": True},
        {**PLACE, "per_second": 1, "errors": {"1": 2}},
        {**PLACE, "per_second": 1, "errors": [1]},
        {**PLACE, "per_second": 1, "more": 1},
        {**PLACE, "function": "nobody", "per_second": 1},
    ],
)
def test_traffic_that_cannot_be(canary: Endpoint, value: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        canary.functions.send_traffic(value)


def test_a_function_of_a_stack_has_its_tags_and_nobody_else_gives_them(canary: Endpoint) -> None:
    functions = client("lambda")
    arn = functions.get_function(FunctionName="orders")["Configuration"]["FunctionArn"]
    canary.functions.manage(ACCOUNT, REGION, "orders", stack="shop")
    tags = functions.list_tags(Resource=arn)["Tags"]
    assert tags["aws:cloudformation:stack-name"] == "shop"
    assert tags["aws:cloudformation:stack-id"].startswith(f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/shop/")
    assert tags["aws:cloudformation:logical-id"] == "Orders"
    with pytest.raises(ClientError, match="aws: prefixed tag key names are not allowed"):
        functions.tag_resource(Resource=arn, Tags={"aws:cloudformation:stack-name": "mine"})
    with pytest.raises(ClientError, match="aws: prefixed tag key names are not allowed"):
        functions.untag_resource(Resource=arn, TagKeys=["aws:cloudformation:stack-name"])
