"""The plan of `enforce`, carried out: stage by stage, each thing looked at once more right before it is changed.

Lambda has no lock on a code-signing configuration (no RevisionId), so what somebody changed since the plan is found by reading it again:
such a change is refused, and not overwritten. A run that was interrupted is continued by the next, which plans anew and finds less to do.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from shipsafe.adapters.aws.brake import tag, untag
from shipsafe.adapters.aws.code_signing import (
    Configuration,
    attach_configuration,
    change_configuration,
    find_configuration,
    make_configuration,
)
from shipsafe.adapters.aws.functions import attached_configuration
from shipsafe.adapters.aws.looks import Looks
from shipsafe.adapters.aws.refusals import AwsRefusal
from shipsafe.enforce.changes import Alter, Attach, Change, Make, Mark
from shipsafe.enforce.plan import PlacePlan
from shipsafe.enforce.readiness import WARNED
from shipsafe.errors import IncompleteError, ShipsafeError
from shipsafe.model.enforcement import Enforcing

_BUSY = "ResourceConflictException"  # the function is being updated, or the configuration is
_TRIES = 6  # with pauses of 1, 2, 4 ... seconds between
_AGAIN = "Run `shipsafe enforce` again: it plans on what is there now."


@dataclass(slots=True, kw_only=True)
class Applied:
    """What was done, what could not be, and what was not begun because of that."""

    done: list[Change] = field(default_factory=list)
    failed: list[tuple[Change, ShipsafeError]] = field(default_factory=list)
    left: list[Change] = field(default_factory=list)


def apply(plan: PlacePlan, *, sleep: Callable[[float], None], say: Callable[[Change], None]) -> Applied:
    """Make the changes of one place. What fails of one function does not keep the others of its stage from being done.

    Args:
        plan: as it was shown.
        sleep: seconds, between tries of what is refused because a function is being updated.
        say: told each change that was done.
    """
    applied, made = Applied(), dict[Enforcing, Configuration]()
    for stage in plan.stages:
        if applied.failed:
            applied.left += stage
            continue
        lost: set[str] = set()
        for change in stage:
            if _about(change) in lost:
                applied.left.append(change)
                continue
            try:
                _patiently(partial(_make, plan.looks, change, made), sleep)
            except ShipsafeError as error:
                applied.failed.append((change, error))
                lost.add(_about(change))
            else:
                applied.done.append(change)
                say(change)
    return applied


def _about(change: Change) -> str:
    """The name of the function that is changed, "" for a configuration."""
    return change.function.rpartition(":")[2] if isinstance(change, Attach | Mark) else ""


def _patiently(act: Callable[[], None], sleep: Callable[[float], None]) -> None:
    for remaining in range(_TRIES - 1, -1, -1):
        try:
            act()
        except AwsRefusal as refusal:
            if refusal.code != _BUSY or not remaining:
                raise
            sleep(2.0 ** (_TRIES - 1 - remaining))
        else:
            return


def _make(looks: Looks, change: Change, made: dict[Enforcing, Configuration]) -> None:
    looks.pace.turn()
    match change:
        case Make():
            first, *others = change.publishers
            made[change.mode] = make_configuration(looks.aws, change.description, first, *others, policy=change.mode.aws)
        case Alter():
            alter(looks, change)
        case Attach():
            _attach(looks, change, change.to or made[change.mode].arn)
        case Mark():
            if change.tags:
                tag(looks.aws, change.function, change.tags)
            else:
                untag(looks.aws, change.function, (WARNED,))


def alter(looks: Looks, change: Alter) -> None:
    """Change a configuration that is as the plan saw it.

    Raises:
        IncompleteError: somebody else changed it since, or Lambda refused, gave no answer, or shows another.
    """
    now = find_configuration(looks.aws, change.seen.arn)
    if now is not None and _says(now, change):
        return  # the answer to the change was lost, or somebody else made the same one
    if now != change.seen:
        what = f"{change.seen.arn} was changed by somebody else since the plan was made: it was left as it is."
        raise IncompleteError(what, remedy=_AGAIN)
    looks.pace.turn()
    told = change_configuration(looks.aws, change.seen.arn, change.publishers, change.mode.aws, change.description)
    if not _says(told, change):
        raise IncompleteError(f"Lambda took the change of {change.seen.arn}, and shows another.", remedy=_AGAIN)


def _says(one: Configuration, change: Alter) -> bool:
    return {*one.publishers} == {*change.publishers} and one.policy == change.mode.aws


def _attach(looks: Looks, change: Attach, to: str) -> None:
    now = attached_configuration(looks.aws, change.function)
    if now == to:
        return
    if now != change.before:
        what = f"Function {change.function} has another configuration than when the plan was made: {now or 'none'}. It was left as it is."
        raise IncompleteError(what, remedy=_AGAIN)
    looks.pace.turn()
    told = attach_configuration(looks.aws, change.function, to)
    if told != to:
        raise IncompleteError(f"Lambda was to attach {to} to function {change.function}, and says {told}.", remedy=_AGAIN)
