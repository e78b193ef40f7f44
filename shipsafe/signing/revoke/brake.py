"""The emergency brake: no call of a function is taken any more, and a tag remembers how it was.

The tag is written before the function is stopped, so that an interruption between the two loses nothing. What is remembered is what was
reserved when the function still ran: a function that stands still keeps the memory that it has.

    shipsafe:stopped      25, or none where nothing was reserved
    shipsafe:stopped-for  the ARN of the job or profile version that was revoked
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from shipsafe.adapters.aws import brake
from shipsafe.adapters.aws.pace import Pace
from shipsafe.adapters.aws.refusals import AwsRefusal
from shipsafe.adapters.aws.session import Aws
from shipsafe.errors import IntegrityError

MEMORY, REASON = "shipsafe:stopped", "shipsafe:stopped-for"
_NONE = "none"
_NUMBER = re.compile(r"0|[1-9][0-9]{0,6}", re.ASCII)


class Stop(StrEnum):
    """What stopping a function came to."""

    STOPPED = "stopped"
    ALREADY = "was stopped already"
    GONE = "was deleted meanwhile"


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What a stopped function had reserved (None: nothing), and for the sake of which job or profile version it was stopped."""

    reserved: int | None
    reason: str

    def __str__(self) -> str:
        return "no reserved concurrency" if self.reserved is None else f"reserved concurrency {self.reserved}"


def stop(aws: Aws, function: str, reason: str, pace: Pace) -> Stop:
    """Stop a function (its ARN).

    Raises:
        IncompleteError: Lambda refused or gave no answer. What could not be remembered was not stopped.
    """
    try:
        return _stop(aws, function, reason, pace)
    except AwsRefusal as refusal:
        if refusal.absent:
            return Stop.GONE
        raise


def _stop(aws: Aws, function: str, reason: str, pace: Pace) -> Stop:
    # In this order: whoever reads 0 here reads the tag that was written before it.
    pace.turn()
    before = brake.reserved(aws, function)
    pace.turn()
    known = brake.tags(aws, function)
    if before != 0 or MEMORY not in known:
        pace.turn()
        brake.tag(aws, function, {MEMORY: _NONE if before is None else str(before), REASON: reason})
    if before == 0:
        return Stop.ALREADY
    pace.turn()
    brake.reserve(aws, function, 0)
    return Stop.STOPPED


def memory(aws: Aws, function: str, pace: Pace) -> Memory | None:
    """What a function's tags remember; None where it was not stopped by us.

    Raises:
        IncompleteError: Lambda refused or gave no answer.
        IntegrityError: the tag holds what shipsafe never writes.
    """
    pace.turn()
    known = brake.tags(aws, function)
    said = known.get(MEMORY)
    if said is None:
        return None
    if said != _NONE and not _NUMBER.fullmatch(said):
        remedy = "Find out who changed it, and set the reserved concurrency by hand."
        raise IntegrityError(f"The tag {MEMORY} of {function} holds {said[:40]!r}, which shipsafe did not write.", remedy=remedy)
    return Memory(reserved=None if said == _NONE else int(said), reason=known.get(REASON, ""))


def release(aws: Aws, function: str, remembered: Memory, pace: Pace) -> str:
    """Let a function run again as it did, and forget; says what it did. One that somebody let run meanwhile is left as it is.

    Raises:
        IncompleteError: Lambda refused or gave no answer; the tags stay.
    """
    pace.turn()
    now = brake.reserved(aws, function)
    if now == 0 and remembered.reserved != 0:
        pace.turn()
        brake.reserve(aws, function, remembered.reserved)
    pace.turn()
    brake.untag(aws, function, (MEMORY, REASON))
    if now in (0, remembered.reserved):
        return f"runs again, with {remembered}" if remembered.reserved != 0 else "stays at 0, as it was"
    return f"was let run by somebody else, with {Memory(reserved=now, reason='')}: left as it is"
