"""Moving an alias once, and only from where it was seen: under its RevisionId, and read back where the answer was lost.

A call whose answer was lost may have been made: it is never made again before the alias was looked at. An alias that is neither where it
was nor where we wanted it was moved by somebody else, and is theirs; so is one that is where we wanted it, where Lambda has refused our own
call because of its revision and no answer was lost. Of two deployments of one release, too, only one has moved it.
"""

from datetime import datetime

from shipsafe.adapters.aws.aliases import CHANGED, EXISTS, create_alias, delete_alias, update_alias
from shipsafe.adapters.aws.functions import Alias, find_alias
from shipsafe.adapters.aws.refusals import AwsRefusal
from shipsafe.deploy.marks import alike
from shipsafe.deploy.patience import FinalError, may_pass, patiently
from shipsafe.deploy.shifting import Hands, Shifting
from shipsafe.errors import ShipsafeError


class TakenError(FinalError):
    """Somebody else has moved the alias: nothing of theirs was overwritten."""


def look_at(to: Shifting, hands: Hands, until: datetime, *, stubborn: bool = False) -> Alias | None:
    """Where the alias leads now.

    Raises:
        IncompleteError: Lambda refused, or gave no answer until then.
    """

    def look() -> Alias | None:
        hands.pace.turn()
        return find_alias(to.aws, to.name, to.alias)

    return patiently(look, hands, until, stubborn=stubborn)


def lead(to: Shifting, hands: Hands, seen: Alias | None, wanted: Alias | None, until: datetime, *, stubborn: bool = False) -> Alias | None:
    """Let the alias lead where `wanted` says (None: nowhere, it is deleted), from where it was `seen`; gives it as it is now.

    Raises:
        TakenError: somebody else has moved it since it was seen, also if to where it is wanted.
        IncompleteError: Lambda refused, or gave no answer until then.
    """
    lost = False  # whether a call may have been made although nobody heard of it

    def move() -> Alias | None:
        hands.pace.turn()
        if wanted is None:
            delete_alias(to.aws, to.name, to.alias)
            return None
        if seen is None:
            return create_alias(to.aws, to.name, wanted.name, wanted.version)
        return update_alias(to.aws, to.name, wanted, seen.revision)

    def once() -> Alias | None:
        nonlocal lost
        try:
            return move()
        except ShipsafeError as error:
            told = isinstance(error, AwsRefusal) and error.code in (CHANGED, EXISTS)
            if not told and not may_pass(error):
                raise
            lost = lost or not told
            now = look_at(to, hands, until, stubborn=stubborn)
            if same(now, wanted) and lost:
                return now
            if not same(now, seen) or _revision(now) != _revision(seen):
                raise taken(to, seen, now) from error
            raise

    return patiently(once, hands, until, stubborn=stubborn)


def same(one: Alias | None, other: Alias | None) -> bool:
    """Whether two looks at an alias saw it lead to the same versions."""
    if one is None or other is None:
        return one is other
    return one.version == other.version and alike(one.weights, other.weights)


def _revision(one: Alias | None) -> str:
    return one.revision if one else ""


def taken(to: Shifting, seen: Alias | None, now: Alias | None) -> TakenError:
    """The story of an alias that somebody else has moved."""
    was = f"RevisionId {seen.revision}" if seen else "not there"
    found = f"RevisionId {now.revision}" if now else "not there"
    return TakenError(
        f"Somebody else has moved alias {to.alias} of function {to.name} meanwhile: it leads to {shown(now)} ({found}), where this "
        f"deployment saw {shown(seen)} ({was}). Nothing of theirs was overwritten.",
        remedy=f"Find out who it was (CloudTrail: UpdateAlias), then deploy again, or go back with: {to.command}",
    )


def shown(one: Alias | None) -> str:
    """Where an alias leads, for people.

    >>> shown(Alias(name="live", version="7", weights={"8": 0.1}))
    'version 7, and 10 % to version 8'
    """
    if one is None:
        return "nowhere: it is not there"
    return f"version {one.version}" + "".join(f", and {weight * 100:g} % to version {version}" for version, weight in one.weights.items())
