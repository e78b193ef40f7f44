"""Data points that our cores add to CloudWatch, which is moto's: in the account and Region of the call that made them."""

from collections.abc import Callable, Mapping
from datetime import UTC
from urllib.parse import urlencode

from shipsafe.local.asked import Answered, Asked, ask
from shipsafe.local.call import Call, Clock
from shipsafe.local.objects import request_environ

_NAMESPACE = "AWS/Lambda"
_FORM = "application/x-www-form-urlencoded; charset=utf-8"


class Metrics:
    """The `metric` of the local Lambda. `send` is the front's way to moto, `clock` says when a point is."""

    def __init__(self, send: Callable[[Asked], Answered], clock: Clock) -> None:
        self._send, self._clock = send, clock

    def __call__(self, call: Call, name: str, value: float, dimensions: Mapping[str, str]) -> None:
        """Add a data point where the call was made."""
        form = {"Action": "PutMetricData", "Version": "2010-08-01", "Namespace": _NAMESPACE, "MetricData.member.1.MetricName": name}
        form |= {"MetricData.member.1.Value": str(value), "MetricData.member.1.Unit": "Count"}
        form["MetricData.member.1.Timestamp"] = self._clock.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        for index, (dimension, of) in enumerate(dimensions.items(), 1):
            form[f"MetricData.member.1.Dimensions.member.{index}.Name"] = dimension
            form[f"MetricData.member.1.Dimensions.member.{index}.Value"] = of
        environ = request_environ(
            "POST", "/", "", urlencode(form).encode(), service="monitoring", account=call.account, region=call.region, kind=_FORM
        )
        asked = ask(environ)
        try:
            _, _, parts = self._send(asked)
            if hasattr(parts, "close"):
                parts.close()
        finally:
            asked.body.close()
