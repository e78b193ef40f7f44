"""What stops a roll-out: alarms by name, and, of the new version alone, too many errors or any throttle.

    default: at least 5 errors and 1 % of the invocations, or a throttle

A data point of CloudWatch holds a minute and comes a minute or two late, so that a roll-out sees what happened shortly before. What could
not be looked at is never taken for silence: the calls stay where they are until somebody can look again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shipsafe.adapters.aws.alarms import ALARM, AlarmState, Calls, alarm_states, calls_of_version
from shipsafe.adapters.aws.session import Aws
from shipsafe.deploy.patience import FinalError
from shipsafe.deploy.shifting import Shifting
from shipsafe.errors import ConfigError, IncompleteError
from shipsafe.model.deployment import WHOLE, DefaultAlarm, FunctionDeploy

_FURTHEST = timedelta(days=1)  # that is looked back; data points of a minute are kept for fifteen


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One look. `alarm`: a sentence that says what stops the roll-out, "" for nothing. `calls`: of the new version, None if not watched."""

    alarm: str
    calls: Calls | None


def look(to: Shifting, now: datetime) -> Seen:
    """Look at everything that may stop it.

    Raises:
        IncompleteError: CloudWatch refused or gave no answer, or one of the alarms is not there any more.
    """
    calls = None
    if to.default_alarm is not None:
        since = max(to.marks.began, now - _FURTHEST)
        calls = calls_of_version(to.aws, to.name, to.alias, to.version, since, now)
        if said := too_much(calls, to.default_alarm):
            return Seen(alarm=f"Version {to.version} of function {to.name} had {said}.", calls=calls)
    for one in _standing(to.aws, to.alarms):
        if one.state == ALARM:
            return Seen(
                alarm=f"CloudWatch alarm {one.name} is in ALARM: {one.reason or 'it does not say why'}".rstrip(".") + ".", calls=calls
            )
    return Seen(alarm="", calls=calls)


def too_much(calls: Calls, limit: DefaultAlarm) -> str:
    """What is too much of these calls, "" where nothing is.

    >>> too_much(Calls(invocations=100, errors=5, throttles=0), DefaultAlarm(errors=5, percent=1))
    '5 errors in 100 invocations'
    >>> too_much(Calls(invocations=1000, errors=5, throttles=0), DefaultAlarm(errors=5, percent=1))
    ''
    """
    if calls.throttles > 0:
        return f"{calls.throttles} throttle{'' if calls.throttles == 1 else 's'}"
    if calls.errors >= limit.errors and calls.errors * WHOLE >= limit.percent * calls.invocations:
        return f"{calls.errors} error{'' if calls.errors == 1 else 's'} in {calls.invocations} invocations"
    return ""


def preflight(aws: Aws, how: FunctionDeploy, *, name: str, alias: str, now: datetime) -> None:
    """Whether a roll-out of function `name` can be watched: its alarms are there and quiet, and metrics may be read.

    To be asked before anything changes: whoever finds out in the middle of a canary has to go back.

    Raises:
        ConfigError: there is no such alarm.
        IncompleteError: CloudWatch could not be asked, or an alarm is in ALARM already, so that it could not tell anything.
    """
    if how.default_alarm is not None:
        calls_of_version(aws, name, alias, "1", now, now)
    try:
        standing = _standing(aws, how.alarms)
    except _GoneError as gone:
        raise ConfigError(gone.what, remedy="Correct its name under [deploy] or [[deploy.function]], or create it.") from gone
    for one in standing:
        if one.state == ALARM:
            what = (
                f"CloudWatch alarm {one.name} is in ALARM before anything has changed, so that it could not tell whether a release is bad."
            )
            raise IncompleteError(what, remedy=f"Wait until it is quiet, or find out why: {one.reason}")


class _GoneError(FinalError):
    """An alarm is not there."""


def _standing(aws: Aws, names: Sequence[str]) -> Sequence[AlarmState]:
    if not names:
        return ()
    found = alarm_states(aws, names)
    if lost := [name for name in names if name not in {one.name for one in found}]:
        what = f"There is no CloudWatch alarm {lost[0]!r} in account {aws.account}, {aws.region}."
        raise _GoneError(what, remedy="Create it again.")
    return found
