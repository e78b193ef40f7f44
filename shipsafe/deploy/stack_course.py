"""A change set on its way: until CloudFormation has worked it out, and until the stack has come to rest.

    change_set = worked_out(work, "shop", arn)
    course = carried_out(work, change_set)          # tells each event

CloudFormation goes on when nobody watches. So an interrupt ends the watching alone, and whoever runs it again watches on: the events of
one update carry the token that it was begun with.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from shipsafe.adapters.aws.change_sets import ChangeSet, find_change_set
from shipsafe.adapters.aws.stack_looks import StackEvent, new_events
from shipsafe.deploy.work import Work
from shipsafe.errors import IncompleteError, ShipsafeError

_FIRST, _LONGEST = 0.5, 5.0  # seconds between two looks, at first and later
_CLOCKS = timedelta(seconds=1)  # times of CloudFormation are rounded
_CANCELLED = "cancelled"  # "Resource update cancelled": because something else had failed before


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How an update went.

    Attributes:
        last: the event with which the stack came to rest; None where nobody waited for that.
        failure: of the first resource that failed, as a sentence, "" where none did.
        why: nobody waited for the end because of this, as a sentence; "" where somebody did.
        error: why the events could not be looked at, or None.
    """

    last: StackEvent | None
    failure: str = ""
    why: str = ""
    error: ShipsafeError | None = None

    @property
    def well(self) -> bool:
        """Whether the stack is what the change set wanted."""
        return self.last is not None and not self.last.back and not self.last.failed


def worked_out(work: Work, stack: str, name: str) -> ChangeSet:
    """Wait for a change set until it is made, or cannot be.

    Args:
        work: time, and where.
        stack: its name.
        name: of the change set, or its ARN.

    Raises:
        IncompleteError: it is gone, CloudFormation gave no answer in time, or somebody interrupted.
    """

    def look() -> ChangeSet | None:
        return find_change_set(work.aws, stack, name)

    pause = _FIRST
    while True:
        found = work.again(look)
        if found is None:
            raise IncompleteError(
                f"The change set of stack {stack} is gone: somebody deleted it, or changed the stack.", remedy="Run this again."
            )
        if not found.in_the_making:
            return found
        if work.over or work.hands.interrupted():
            raise IncompleteError(f"CloudFormation has not created change set {found.name} in time.", remedy="Run this again.")
        work.hands.rest(pause)
        pause = min(pause * 1.5, _LONGEST)


def carried_out(work: Work, change_set: ChangeSet) -> Course:
    """Watch an update that was begun with the change set's name as its token, until the stack has come to rest. Raises nothing of AWS's."""
    seen: set[str] = set()
    failure, pause = "", _FIRST
    events: Callable[[], tuple[StackEvent, ...]] = lambda: new_events(  # noqa: E731 - `again` takes a call without arguments
        work.aws, change_set.stack, change_set.name, since=change_set.made - _CLOCKS, seen=seen
    )
    while True:
        try:
            found = work.again(events)
        except ShipsafeError as error:
            return Course(last=None, failure=failure, why="Nobody could look at its events.", error=error)
        for one in found:
            seen.add(one.id)
            reason = f": {one.reason}" if one.reason else ""
            work.hands.say(f"{one.logical_id} {one.kind} {one.status}{reason}")
            if one.failed and not failure and _CANCELLED not in one.reason.lower():
                failure = f"{one.logical_id} ({one.kind}): {one.status}. {one.reason}".rstrip(". ") + "."
            if one.last:
                return Course(last=one, failure=failure)
        if said := work.hands.interrupted():
            return Course(last=None, failure=failure, why=f"It was interrupted ({said}).")
        if work.over:
            return Course(last=None, failure=failure, why="Its time is over (`deadline` of [deploy]).")
        work.hands.rest(pause)
        pause = min(pause * 1.5, _LONGEST)
