"""Traffic that a control call sends to a function: so many calls a second, some of which fail, by version.

No code runs and nothing runs between two calls: what came since the last look is counted in CloudWatch when Lambda or CloudWatch is next
asked, shared out by the weights of the alias at that moment. So a canary whose new version fails is seen as on AWS.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from shipsafe.errors import ConfigError
from shipsafe.local.call import Call
from shipsafe.local.functions.names import LATEST
from shipsafe.local.functions.state import Function
from shipsafe.local.functions.world import World

_ANY = "*"  # every version that is not named
_MOST = 100_000.0  # calls a second


@dataclass(slots=True, kw_only=True)
class Traffic:
    """Calls that come to a function, or to an alias of it.

    Attributes:
        errors, throttled: share of the calls, from 0 to 1, by version.
        since: until when they are counted; `owed` what is left of whole calls, by version and metric.
    """

    account: str
    region: str
    function: str
    qualifier: str
    per_second: float
    errors: Mapping[str, float]
    throttled: Mapping[str, float]
    since: float
    owed: dict[tuple[str, str], float] = field(default_factory=dict)


def traffic_of(value: Mapping[str, Any], now: float) -> Traffic:
    """Traffic from parsed JSON: account, region, function, qualifier (an alias, or ""), per_second, errors and throttled by version.

    Raises:
        ConfigError: a name or a number cannot be.
    """
    names = {"account", "region", "function", "qualifier", "per_second", "errors", "throttled"}
    if unknown := set(value) - names:
        raise ConfigError(f"Traffic has no {', '.join(sorted(unknown))}.", remedy=f"It has {', '.join(sorted(names))}.")
    texts = {name: value.get(name, "" if name == "qualifier" else None) for name in ("account", "region", "function", "qualifier")}
    if not all(isinstance(text, str) for text in texts.values()):
        raise ConfigError("Traffic needs `account`, `region` and `function`, and may have a `qualifier`: texts.")
    rate = value.get("per_second", -1)
    if not _number(rate, _MOST):
        raise ConfigError(f"`per_second` is a number from 0 to {_MOST:.0f}.")
    shares = {name: value.get(name) or {} for name in ("errors", "throttled")}
    for name, by_version in shares.items():
        if not isinstance(by_version, Mapping) or not all(_number(share, 1.0) for share in by_version.values()):
            raise ConfigError(f"`{name}` has a number from 0 to 1 for each version, or for `*`.")
    return Traffic(**texts, per_second=float(rate), errors=shares["errors"], throttled=shares["throttled"], since=now)


def settle(world: World) -> None:
    """Count what came until now."""
    now = world.now()
    for traffic in world.traffic.values():
        seconds, traffic.since = now - traffic.since, now
        it = world.elsewhere(traffic.account, traffic.region)["functions"].get(traffic.function)
        if it is None or seconds <= 0:
            continue
        shares = _weights(it, traffic.qualifier).items()
        points = [point for version, weight in shares for point in _count(traffic, version, seconds * traffic.per_second * weight)]
        if points:
            call = Call(service="lambda", operation="Invoke", parameters={}, account=traffic.account, region=traffic.region)
            world.metric(call, points)


def _weights(it: Function, qualifier: str) -> dict[str, float]:
    """What part of the calls each version gets; nothing where the alias is not there yet."""
    if qualifier in ("", LATEST):
        return {LATEST: 1.0}
    alias = it["aliases"].get(qualifier)
    if alias is None:
        return {qualifier: 1.0} if qualifier in it["versions"] else {}
    return {alias["version"]: 1.0 - sum(alias["weights"].values()), **alias["weights"]}


def _count(traffic: Traffic, version: str, calls: float) -> Iterator[tuple[str, float, Mapping[str, str]]]:
    """The data points of so many calls."""
    throttled = calls * traffic.throttled.get(version, traffic.throttled.get(_ANY, 0.0))
    invoked = calls - throttled
    told = {"Invocations": invoked, "Errors": invoked * traffic.errors.get(version, traffic.errors.get(_ANY, 0.0)), "Throttles": throttled}
    dimensions = [{"FunctionName": traffic.function}]
    if traffic.qualifier:
        dimensions.append({"FunctionName": traffic.function, "Resource": f"{traffic.function}:{traffic.qualifier}"})
        dimensions.append({**dimensions[-1], "ExecutedVersion": version})
    for name, amount in told.items():
        owed = traffic.owed.get((version, name), 0.0) + amount
        whole = int(owed + 1e-9)
        traffic.owed[version, name] = owed - whole
        yield from ((name, float(whole), one) for one in dimensions if whole)


def _number(value: Any, most: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= most
