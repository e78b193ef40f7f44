"""A change is made once: what may have happened although nobody heard of it is looked for before it is tried again.

    made(work, change=lambda: update_code(...), found=lambda: ours_or_none())

An answer may be lost after Lambda has done what it was asked for, and a second call is then refused because of what the first has done. So
botocore makes these calls once, and after every failure Lambda is read back first; but where nothing was lost, another revision is somebody
else's, also where they wanted the same. What passes (throttling, a server's own failure, no
answer, another change under way) is tried again until the time is over; what does not (a right that is missing) is said at once.
"""

from collections.abc import Callable
from typing import TypeVar

from shipsafe.adapters.aws.deploying import Whole, find_whole
from shipsafe.adapters.aws.functions import Running, find_function
from shipsafe.adapters.aws.refusals import AwsRefusal
from shipsafe.deploy.patience import FinalError, patiently
from shipsafe.deploy.work import Work
from shipsafe.errors import IncompleteError, ShipsafeError

Value = TypeVar("Value")

_PAUSES = (0.2, 0.5, 1.0, 2.0, 3.0)  # seconds between two looks at a change that goes on; the last again and again
_STALE = "PreconditionFailedException"
_FAILED = 500  # HTTP: whether it was done is not known


class ChangedError(FinalError):
    """Somebody else changed the function since it was planned on; nothing of theirs was overwritten."""


def made(work: Work, *, change: Callable[[], Value], found: Callable[[], Value | None]) -> Value:
    """Make a change, or find that it was made.

    Args:
        work: for its pace and its time.
        change: the call; one turn of the pace is taken for it.
        found: looks whether it was made, and gives what `change` would have given, else None. Looked at after every failure, but where
            Lambda has refused the first call because of its revision.

    Raises:
        ChangedError: the function is no longer what was planned on.
        ShipsafeError: it was refused, or could not be made in time.
    """
    lost = False

    def tried() -> Value:
        nonlocal lost
        work.hands.pace.turn()
        try:
            return change()
        except ShipsafeError as error:
            stale = isinstance(error, AwsRefusal) and error.code == _STALE
            lost = lost or not isinstance(error, AwsRefusal) or error.status >= _FAILED
            if (not stale or lost) and (there := found()) is not None:
                return there
            if stale:
                raise changed() from error
            raise

    return patiently(tried, work.hands, work.until)


def changed() -> ChangedError:
    """The story of RevisionId, for people."""
    return ChangedError(
        "Somebody else changed the function after it was looked at: its RevisionId is no longer the one that this deployment rests on. "
        "Nothing of theirs was overwritten.",
        remedy="Find out who (CloudTrail names them), then run this again: it looks and plans anew.",
    )


def settled_whole(work: Work, name: str) -> Whole | None:
    """A function once no change of it is under way; None where there is none.

    Raises:
        IncompleteError: it could not be made ready, or its change is still under way when the time is over.
        RolledBackError: somebody interrupted.
    """
    return _settled(work, f"function {name}", lambda: find_whole(work.aws, name), lambda whole: whole.latest)


def settled_version(work: Work, name: str, version: str) -> Running | None:
    """A published version once it is active; None where there is none.

    Raises:
        IncompleteError, RolledBackError: as `settled_whole`.
    """
    return _settled(work, f"{name}:{version}", lambda: find_function(work.aws, name, version), lambda running: running)


def _settled(work: Work, what: str, look: Callable[[], Value | None], running: Callable[[Value], Running]) -> Value | None:
    def looked() -> Value | None:
        work.functions.turn()
        return look()

    tries = 0
    while True:
        found = patiently(looked, work.hands, work.until)
        if found is None:
            return None
        one = running(found)
        if one.state == "Failed":
            raise IncompleteError(f"Lambda could not make {what} ready: {one.reason}", remedy="Put that right, then run this again.")
        if one.state != "Pending" and one.update != "InProgress":
            return found
        if work.over:
            raise IncompleteError(f"{what} is still being changed ({one.state or 'no state'}, {one.update or 'no update'}).",
                                  remedy="Run this again when that is over.")  # fmt: skip
        work.check()
        work.hands.rest(_PAUSES[min(tries, len(_PAUSES) - 1)])
        tries += 1
