"""Calls that are made again while AWS may answer in a moment: throttled, failing, busy or not there, until the deadline.

What AWS refuses for good (a missing right, a revision that is another) is raised at once, but on the way back.
"""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from shipsafe.adapters.aws.refusals import AwsRefusal
from shipsafe.deploy.shifting import Hands
from shipsafe.errors import IncompleteError, ShipsafeError

Value = TypeVar("Value")
_FIRST, _LONGEST = 1.0, 15.0  # seconds
_LEAST = 3  # times


class FinalError(IncompleteError):
    """Asking again would change nothing."""


def may_pass(error: ShipsafeError) -> bool:
    """Whether the same call may go well in a moment."""
    return error.passing if isinstance(error, AwsRefusal) else isinstance(error, IncompleteError) and not isinstance(error, FinalError)


def patiently(call: Callable[[], Value], hands: Hands, until: datetime, *, stubborn: bool = False) -> Value:
    """Make a call until it goes well, or the time is over and it was made three times.

    With `stubborn`, as the way back is, no interrupt ends it, and what AWS refuses for good is asked for three times, too: a right that is
    missing may only not have arrived yet.

    Raises:
        ShipsafeError: the last one.
    """
    pause, tried = _FIRST, 0
    while True:
        tried += 1
        try:
            return call()
        except ShipsafeError as error:
            lasting = not may_pass(error)
            over = tried >= _LEAST and (lasting or hands.now() >= until)
            if over or isinstance(error, FinalError) or (not stubborn and (lasting or hands.interrupted())):
                raise
        if stubborn:
            hands.sleep(pause)
        else:
            hands.rest(pause)
        pause = min(pause * 2, _LONGEST)
