"""Watching a new version for a while: what stops it is a sentence, and what could not be looked at keeps the calls where they are."""

from datetime import datetime, timedelta

from shipsafe.adapters.aws.alarms import Calls
from shipsafe.deploy.alarms import look
from shipsafe.deploy.patience import may_pass
from shipsafe.deploy.shifting import Hands, Shifting
from shipsafe.errors import ShipsafeError

_BETWEEN = timedelta(seconds=10)  # two looks; a data point holds a minute


class StopError(Exception):
    """The roll-out is to be stopped; its text is a sentence that says why."""


def watch(to: Shifting, hands: Hands, period: timedelta) -> Calls | None:
    """Look until the period is over, and once more at its end; gives what the calls of the version came to, None if they are not watched.

    Raises:
        StopError: an alarm, an interrupt, the deadline, or nobody may look.
    """
    until = hands.now() + period
    blind: tuple[datetime, ShipsafeError] | None = None
    while True:
        check(to, hands, blind)
        at = hands.now()  # what came while it was looked, or while this machine stood still, is for the next look
        try:
            seen = look(to, at)
        except ShipsafeError as error:
            if not may_pass(error):
                raise StopError(f"Nobody could watch version {to.version} any more: {error}") from error
            if blind is None:
                hands.say(f"{to.name}:{to.alias}: waiting, as nobody can watch it: {error}")
            blind = (blind[0] if blind else hands.now(), error)
        else:
            if seen.alarm:
                raise StopError(seen.alarm)
            blind = None
            if at >= until:
                return seen.calls
        left = until - hands.now()
        hands.rest((min(_BETWEEN, left) if left > timedelta() else _BETWEEN).total_seconds())


def check(to: Shifting, hands: Hands, blind: tuple[datetime, ShipsafeError] | None = None) -> None:
    """Whether the roll-out may go on at all.

    Raises:
        StopError: somebody has interrupted it, or its time is over.
    """
    if what := hands.interrupted():
        raise StopError(f"It was interrupted ({what}).")
    if hands.now() >= to.marks.deadline:
        why = f": nobody could watch it since {blind[0]:%H:%M:%S} UTC. {blind[1]}" if blind else "."
        raise StopError(f"It did not end before its deadline, {to.marks.deadline:%H:%M:%S} UTC{why}")
