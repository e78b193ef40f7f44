"""The way back: the alias leads where it led before the deployment, whoever began that, and on whichever machine.

It knows from the marks where the alias led, and looks where it leads now. One that stands at any step of this deployment is taken back; one
that somebody else has moved is theirs. The way back is not interrupted, and goes on trying until the deadline, for two minutes at least.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from shipsafe.adapters.aws.functions import Alias
from shipsafe.deploy import marks
from shipsafe.deploy.lead import TakenError, lead, look_at, shown, taken
from shipsafe.deploy.marks import Phase
from shipsafe.deploy.patience import patiently
from shipsafe.deploy.resume import arrived, on_its_way
from shipsafe.deploy.shifting import Hands, RolledOut, Shifting
from shipsafe.errors import RolledBackError, ShipsafeError
from shipsafe.model.deployment import Ending, Shift

_TIMES = 5  # that the alias may change under our hands
_TAGS = timedelta(minutes=1)  # for the marks: those that stay harm nobody
_LEAST = timedelta(minutes=2)  # for the way back, also where the deadline is over


def restore(to: Shifting, hands: Hands, why: str) -> RolledOut:
    """Take a deployment back. Raises nothing that AWS does: what went wrong is in what it gives.

    Args:
        to: the deployment; its marks say where the alias led.
        hands: time, pace, and who is told.
        why: a sentence, for the report.
    """
    if to.marks.before.version and to.marks.before.version in (to.version, to.marks.version) and not to.marks.before.weights:
        return _nowhere(to, why)
    hands.say(f"{to.name}:{to.alias}: going back. {why}")
    to = replace(to, aws=to.aws.calling_once())
    until = max(to.marks.deadline, hands.now() + _LEAST)
    try:
        moved = _back(to, hands, until)
    except TakenError as error:
        return left(to, hands, error, why)
    except ShipsafeError as error:
        return _stuck(to, why, error)
    settled = to.marks.at(Phase.RESTORED)
    notes = settle(to, hands, settled)
    hands.say(f"{to.name}:{to.alias}: leads to {shown(before(to))} again")
    shifts = (Shift(at=hands.now(), percent=0),) if moved else ()
    return RolledOut(ending=Ending.ROLLED_BACK, marks=settled, reason=why, shifts=shifts, notes=notes)


def left(to: Shifting, hands: Hands, error: TakenError, why: str) -> RolledOut:
    """Leave the alias to whoever has moved it."""
    settled = to.marks.at(Phase.LEFT)
    notes = settle(to, hands, settled)
    return RolledOut(ending=Ending.UNFINISHED, marks=settled, reason=f"{why} {error}".strip(), error=error, notes=notes)


def _back(to: Shifting, hands: Hands, until: datetime) -> bool:
    """Gives whether anything had to be moved.

    Raises:
        TakenError: somebody else has moved it, or goes on moving it.
        IncompleteError: Lambda refused, or gave no answer until then.
    """
    for _ in range(_TIMES):
        now = look_at(to, hands, until, stubborn=True)
        if to.marks.before.leads(now):
            return False
        if not (on_its_way(to.marks, now) or arrived(to.marks, now)):
            raise taken(to, before(to), now)
        try:
            lead(to, hands, now, before(to), until, stubborn=True)
        except TakenError:
            continue  # between our look and our call: look again whether it is still at a step of this deployment
        return True
    raise taken(to, before(to), look_at(to, hands, until, stubborn=True))


def before(to: Shifting) -> Alias | None:
    """Where the alias led; None where there was none."""
    it = to.marks.before
    return Alias(name=it.alias, version=it.version, weights=it.weights) if it.version else None


def settle(to: Shifting, hands: Hands, settled: marks.Marks) -> tuple[str, ...]:
    """Write that nothing is left to do, unless the tags are another deployment's by now. What cannot be written harms nobody: a note."""

    def write() -> None:
        found = marks.read(to.aws, to.function, hands.pace)
        if found is None or found.id == to.marks.id:
            marks.write(to.aws, to.function, settled, hands.pace)

    try:
        patiently(write, hands, hands.now() + _TAGS, stubborn=True)
    except ShipsafeError as error:
        return (f"The tags of function {to.name} still say that it is being deployed: {error}",)
    return ()


def _nowhere(to: Shifting, why: str) -> RolledOut:
    """It led to this very version before, as far as anybody knows: that is no way back, and nothing is said to have gone back."""
    what = f"{why} Alias {to.alias} of function {to.name} stays at version {to.marks.before.version}: nobody knows of one to go back to."
    error = RolledBackError(what, remedy=f"Name one whose chain holds: {to.command} --to VERSION")
    return RolledOut(ending=Ending.UNFINISHED, marks=to.marks, reason=str(error), error=error)


def _stuck(to: Shifting, why: str, error: ShipsafeError) -> RolledOut:
    stuck = RolledBackError(
        f"{why} Alias {to.alias} of function {to.name} could not be taken back to {shown(before(to))}: {error.what}",
        remedy=f"As soon as AWS can be reached, run: {to.command}",
    )
    return RolledOut(ending=Ending.UNFINISHED, marks=to.marks, reason=str(stuck), error=stuck)
