"""What CloudWatch counted of functions: the deployments that Lambda let through under Warn although their signature did not hold.

Source: Amazon CloudWatch API Reference, GetMetricData (500 queries a call; data points of an hour are kept for 455 days); AWS Lambda
Developer Guide, "Using code signing to verify code integrity": metric SignatureValidationErrors, by function.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from shipsafe.adapters.aws.pages import pages
from shipsafe.adapters.aws.refusals import aws_errors
from shipsafe.adapters.aws.session import Aws

KEPT = timedelta(days=455)
_METRIC = "SignatureValidationErrors"
_QUERIES = 500
_HOUR = 3600


def signature_errors(aws: Aws, functions: Iterable[str], *, since: datetime, until: datetime) -> dict[str, int]:
    """How many there were of each function, by its name, between two times. One that CloudWatch does not answer for is left out.

    Raises:
        IncompleteError: CloudWatch refused or gave no answer.
    """
    found: dict[str, int] = {}
    names = list(dict.fromkeys(functions))
    for start in range(0, len(names), _QUERIES):
        found |= _asked(aws, names[start : start + _QUERIES], since, until)
    return found


def _asked(aws: Aws, names: Sequence[str], since: datetime, until: datetime) -> dict[str, int]:
    doing, by_id = "count the SignatureValidationErrors of functions", {f"f{number}": name for number, name in enumerate(names)}
    queries = [{"Id": key, "ReturnData": True, "MetricStat": _stat(name)} for key, name in by_id.items()]
    words: dict[str, Any] = {"MetricDataQueries": queries, "StartTime": since, "EndTime": until}
    sums: dict[str, float] = dict.fromkeys(by_id, 0.0)
    settled: dict[str, bool] = {}
    with aws_errors(doing):
        for page in pages(doing, aws.client("cloudwatch").get_metric_data, "NextToken", "NextToken", **words):
            for result in page["MetricDataResults"]:
                key = str(result["Id"])
                sums[key] += sum(float(value) for value in result.get("Values", ()))
                settled[key] = result["StatusCode"] == "Complete"  # PartialData on all pages but the last
    return {by_id[key]: round(sums[key]) for key, complete in settled.items() if complete}


def _stat(name: str) -> dict[str, Any]:
    metric = {"Namespace": "AWS/Lambda", "MetricName": _METRIC, "Dimensions": [{"Name": "FunctionName", "Value": name}]}
    return {"Metric": metric, "Period": _HOUR, "Stat": "Sum"}
