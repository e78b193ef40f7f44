"""CloudWatch's alarms, which moto keeps and never looks at: each is held against its metric when somebody asks for alarms.

An alarm over one metric that has data follows it; one whose metric has none keeps the state that SetAlarmState gave it. Alarms over
expressions, and composite ones, keep theirs, too.
"""

import operator
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from shipsafe.local.call import Clock

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
_STATISTICS: dict[str, Callable[[Sequence[float]], float]] = {
    "Sum": sum,
    "Average": lambda values: sum(values) / len(values),
    "Maximum": max,
    "Minimum": min,
    "SampleCount": len,
}


class Alarms:
    """The alarms of all accounts and Regions."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def evaluate(self, account: str, region: str) -> None:
        """Hold every alarm against its metric, as of now."""
        for alarm in self._all(account, region).values():
            wanted = self._state(alarm, _data(account, region))
            if wanted and wanted != alarm.state_value:
                alarm.update_state(f"The local endpoint looked at {alarm.metric_name}.", "{}", wanted)

    def in_alarm(self, account: str, region: str, names: Sequence[str]) -> list[str]:
        """Those of the names that are in ALARM now; one that is not there is not."""
        if not names:
            return []
        self.evaluate(account, region)
        kept = self._all(account, region)
        return [name for name in names if name in kept and kept[name].state_value == "ALARM"]

    def _all(self, account: str, region: str) -> dict[str, Any]:
        kept: dict[str, Any] = dict(_backend(account, region).alarms) if _loaded() else {}
        return kept

    def _state(self, alarm: Any, data: Sequence[Any]) -> str:
        """The state that follows from the data, "" for an alarm that is left alone."""
        compare, statistic = _COMPARE.get(alarm.comparison_operator), _STATISTICS.get(alarm.statistic)
        if alarm.rule or alarm.metric_data_queries or compare is None or statistic is None or not alarm.period:
            return ""
        wanted = sorted((one.name, one.value) for one in alarm.dimensions)
        points = [
            (_aware(one.timestamp), one.value)
            for one in data
            if one.namespace == alarm.namespace
            and one.name == alarm.metric_name
            and hasattr(one, "value")
            and sorted((dimension.name, dimension.value) for dimension in one.dimensions) == wanted
        ]
        if not points:
            return ""
        now, length = self._clock.now(), timedelta(seconds=int(alarm.period))
        breaching, seen = 0, 0
        for number in range(int(alarm.evaluation_periods)):
            end = now - number * length
            values = [value for at, value in points if end - length < at <= end]
            seen += bool(values)
            bad = compare(statistic(values), float(alarm.threshold)) if values else alarm.treat_missing_data == "breaching"
            breaching += bad
        if not seen and alarm.treat_missing_data in (None, "", "missing"):
            return "INSUFFICIENT_DATA"
        if not seen and alarm.treat_missing_data == "ignore":
            return ""
        return "ALARM" if breaching >= int(alarm.datapoints_to_alarm or alarm.evaluation_periods) else "OK"


def _loaded() -> bool:
    return hasattr(sys.modules.get("moto.cloudwatch.models"), "cloudwatch_backends")


def _backend(account: str, region: str) -> Any:
    from moto.cloudwatch.models import cloudwatch_backends  # noqa: PLC0415 - only with moto

    return cloudwatch_backends[account][region]


def _data(account: str, region: str) -> list[Any]:
    return list(_backend(account, region).metric_data)


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
