"""Data points that our cores add to CloudWatch, which is moto's: in the account and Region of the call that made them."""

from collections.abc import Mapping, Sequence
from datetime import UTC

from shipsafe.local.call import Call, Clock
from shipsafe.local.moto_calls import MotoCalls

_NAMESPACE = "AWS/Lambda"


class Metrics:
    """The `metric` of the local Lambda. `ask` is the way to moto, `clock` says when a point is."""

    def __init__(self, ask: MotoCalls, clock: Clock) -> None:
        self._ask, self._clock = ask, clock

    def __call__(self, call: Call, points: Sequence[tuple[str, float, Mapping[str, str]]]) -> None:
        """Add data points where the call was made: name, value and dimensions of each. A call of moto takes some milliseconds."""
        form = {"Action": "PutMetricData", "Version": "2010-08-01", "Namespace": _NAMESPACE}
        at = self._clock.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        for number, (name, value, dimensions) in enumerate(points, 1):
            point = f"MetricData.member.{number}"
            form |= {f"{point}.MetricName": name, f"{point}.Value": str(value), f"{point}.Unit": "Count", f"{point}.Timestamp": at}
            for index, (dimension, of) in enumerate(dimensions.items(), 1):
                form |= {f"{point}.Dimensions.member.{index}.Name": dimension, f"{point}.Dimensions.member.{index}.Value": of}
        self._ask("monitoring", call.account, call.region, form)
