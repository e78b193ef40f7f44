"""Moving the calls of an alias to a new version, step by step, watched all the while; what goes wrong takes them back by itself.

    live -> 7                    before
    live -> 7, and 10 % to 8     canary: watched for as long as the strategy says
    live -> 8                    all

On an alarm, an interrupt or the deadline the alias leads where it led before. A roll-out that was left by a process which is gone is found
by where the alias stands, and goes on there.
"""

from dataclasses import replace
from datetime import timedelta

from shipsafe.adapters.aws.alarms import Calls
from shipsafe.adapters.aws.functions import Alias
from shipsafe.deploy import marks
from shipsafe.deploy.lead import TakenError, lead, look_at, same, taken
from shipsafe.deploy.marks import Phase
from shipsafe.deploy.patience import patiently
from shipsafe.deploy.restore import before, left, restore
from shipsafe.deploy.resume import arrived, on_its_way
from shipsafe.deploy.shifting import Hands, RolledOut, Shifting
from shipsafe.deploy.watch import StopError, check, watch
from shipsafe.errors import ConfigError, ShipsafeError
from shipsafe.model.deployment import WHOLE, Ending, Shift, Strategy, span_text

_NOTHING = timedelta()


def planned_time(strategy: Strategy) -> timedelta:
    """How long it is watched, in all.

    >>> from shipsafe.model.deployment import Rollout
    >>> planned_time(Strategy(rollout=Rollout.LINEAR, percent=25, every=timedelta(minutes=1)))
    datetime.timedelta(seconds=180)
    """
    return strategy.every * (len(strategy.shares) - 1)


def check_time(strategy: Strategy, deadline: timedelta) -> None:
    """Whether a roll-out can end before the deadline of one function.

    Raises:
        ConfigError: it cannot.
    """
    if (needed := planned_time(strategy)) >= deadline:
        steps = f"{strategy.percent} % every {span_text(strategy.every)}"
        what = f"A {strategy.rollout} roll-out, {steps}, is watched for {span_text(needed)}, and its deadline is {span_text(deadline)}."
        raise ConfigError(what, remedy="Give [deploy] a longer `deadline`, or a shorter `every`.")


def stage_of(to: Shifting, percent: int) -> Alias:
    """The alias when so many percent of its calls go to the new version."""
    if percent == WHOLE or not to.marks.before.version:
        return Alias(name=to.alias, version=to.version, weights={})
    return Alias(name=to.alias, version=to.marks.before.version, weights={to.version: percent / WHOLE})


def roll_out(to: Shifting, hands: Hands) -> RolledOut:
    """Move all calls of the alias to the version. Raises nothing that AWS does: what went wrong is in what it gives.

    A fault of ours is raised when the alias was taken back.

    The marks must have been written before. Afterwards they say `shifting` (whoever verifies writes `done`), or `restored` or `left`.
    """
    shifts: list[Shift] = []
    to = replace(to, aws=to.aws.calling_once(), marks=to.marks.at(Phase.SHIFTING, to.version))
    calls: Calls | None = None
    try:
        patiently(lambda: marks.write(to.aws, to.function, to.marks, hands.pace), hands, to.marks.deadline)
        calls = _shifted(to, hands, shifts)
    except StopError as why:
        back = restore(to, hands, str(why))
    except TakenError as error:
        back = left(to, hands, error, "")
    except ShipsafeError as error:
        back = restore(to, hands, str(error))
    except Exception:  # a fault of ours: no canary stays behind while it is told
        restore(to, hands, "shipsafe itself failed.")
        raise
    else:
        return RolledOut(ending=Ending.DEPLOYED, marks=to.marks, shifts=tuple(shifts), notes=_notes(to, calls))
    return replace(back, shifts=(*shifts, *back.shifts))


def _shifted(to: Shifting, hands: Hands, shifts: list[Shift]) -> Calls | None:
    """From where the alias stands to the end; gives what the calls of the new version came to, None where it was not watched for a while.

    Raises:
        StopError: it is to be taken back.
        TakenError: somebody else has moved it.
        IncompleteError: Lambda refused, or gave no answer.
    """
    deadline = to.marks.deadline
    check(to, hands)
    now = look_at(to, hands, deadline)
    shared = to.marks.before.version not in ("", to.version)  # a new alias has nothing to share with, nor one that is there already
    stands = _stands(to, now)
    calls = None
    for percent in to.strategy.shares if shared else (WHOLE,):
        if percent < stands:
            continue
        if not same(now, stage_of(to, percent)):
            check(to, hands)
            now = lead(to, hands, now, stage_of(to, percent), deadline)
        shifts.append(_shift(to, hands, percent))
        calls = watch(to, hands, to.strategy.every if percent < WHOLE else _NOTHING)
    return calls if shared else None


def _stands(to: Shifting, now: Alias | None) -> int:
    """How many percent of the calls go to the version, perhaps of another strategy; 0 where the alias leads where it led before.

    Raises:
        TakenError: somebody else has moved it.
    """
    if to.fresh and not to.marks.before.leads(now):
        raise taken(to, before(to), now)
    if arrived(to.marks, now):
        return WHOLE
    if now is not None and on_its_way(to.marks, now):
        return round(now.weights[to.version] * WHOLE)
    if not to.marks.before.leads(now):
        raise taken(to, before(to), now)
    return 0


def _shift(to: Shifting, hands: Hands, percent: int) -> Shift:
    hands.say(f"{to.name}:{to.alias}: {percent} % of the calls go to version {to.version}")
    return Shift(at=hands.now(), percent=percent)


def _notes(to: Shifting, calls: Calls | None) -> tuple[str, ...]:
    if planned_time(to.strategy) and calls is not None and not calls.invocations:
        return (f"CloudWatch has counted no call of version {to.version} while it was watched: that no alarm went off proves little.",)
    return ()
