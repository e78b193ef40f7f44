"""What CloudWatch says: the state of alarms, and what calls of one version of a function came to.

Source: CloudWatch API Reference (2010-08-01): DescribeAlarms (without AlarmTypes composite alarms are left out; at most 100 names a call),
GetMetricData (a metric without a data point has no values; `StatusCode` says whether all were found). "Types of metrics for Lambda
functions": `Resource` is the alias, `ExecutedVersion` the version that an alias chose. Data points are a minute apart, and a minute or two
late.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from shipsafe.adapters.aws.pages import pages
from shipsafe.adapters.aws.refusals import AwsRefusal, aws_errors
from shipsafe.adapters.aws.session import Aws
from shipsafe.errors import IncompleteError

ALARM = "ALARM"
_NAMES = 100  # of a call
_MINUTE = 60
_LONGEST = 300  # characters of CloudWatch's own words
_METRICS = ("Invocations", "Errors", "Throttles")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmState:
    """An alarm: `state` is OK, ALARM or INSUFFICIENT_DATA, `reason` in CloudWatch's own words."""

    name: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """What the calls of a version came to, since some time."""

    invocations: int
    errors: int
    throttles: int


def alarm_states(aws: Aws, names: Sequence[str]) -> tuple[AlarmState, ...]:
    """How these alarms stand, metric alarms and composite ones; one that is not there is left out.

    Raises:
        IncompleteError: CloudWatch refused or gave no answer.
    """
    several = list(dict.fromkeys(names))
    return tuple(one for at in range(0, len(several), _NAMES) for one in _states(aws, several[at : at + _NAMES]))


def _states(aws: Aws, names: Sequence[str]) -> Iterator[AlarmState]:
    doing = f"look at CloudWatch alarms in {aws.region}"
    with aws_errors(doing):
        call = aws.client("cloudwatch").describe_alarms
        kinds = ["MetricAlarm", "CompositeAlarm"]
        for page in pages(doing, call, "NextToken", "NextToken", AlarmNames=list(names), AlarmTypes=kinds, MaxRecords=_NAMES):
            for one in (*page.get("MetricAlarms", ()), *page.get("CompositeAlarms", ())):
                reason = " ".join(str(one.get("StateReason") or "").split())[:_LONGEST]
                yield AlarmState(name=str(one["AlarmName"]), state=str(one["StateValue"]), reason=reason)


def calls_of_version(aws: Aws, name: str, alias: str, version: str, since: datetime, now: datetime) -> Calls:
    """Calls of an alias that a version answered, from the minute of `since` on: a data point holds a whole minute.

    Raises:
        IncompleteError: CloudWatch refused, gave no answer or only a part of one.
    """
    doing = f"look at the metrics of version {version} of function {name}"
    dimensions = {"FunctionName": name, "Resource": f"{name}:{alias}", "ExecutedVersion": version}
    queries = [_query(metric, dimensions) for metric in _METRICS]
    begin, end = _floor(since), _floor(now) + timedelta(seconds=_MINUTE)
    found = dict.fromkeys((metric.lower() for metric in _METRICS), 0.0)
    with aws_errors(doing):
        call = aws.client("cloudwatch").get_metric_data
        for page in pages(doing, call, "NextToken", "NextToken", MetricDataQueries=queries, StartTime=begin, EndTime=end):
            for one in page["MetricDataResults"]:
                _check(doing, str(one.get("StatusCode", "Complete"))[:40])
                found[str(one["Id"])] += sum(map(float, one["Values"]))
        if not all(0 <= value < math.inf for value in found.values()):
            raise ValueError(found)
        return Calls(**{name: round(value) for name, value in found.items()})


def _check(doing: str, status: str) -> None:
    if status == "Forbidden":
        what = f"Could not {doing}: GetMetricData answered {status}."
        raise AwsRefusal(what, remedy="Give these credentials the right.", code=status, status=403, operation="GetMetricData", said="")
    if status not in ("Complete", "PartialData"):  # a part has its rest on the next page
        raise IncompleteError(f"Could not {doing}: GetMetricData answered {status}.", remedy="Run this again.")


def _query(metric: str, dimensions: dict[str, str]) -> dict[str, Any]:
    said = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    one = {"Namespace": "AWS/Lambda", "MetricName": metric, "Dimensions": said}
    return {"Id": metric.lower(), "MetricStat": {"Metric": one, "Period": _MINUTE, "Stat": "Sum"}, "ReturnData": True}


def _floor(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(second=0, microsecond=0)
