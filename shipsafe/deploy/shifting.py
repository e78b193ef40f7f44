"""What a roll-out is given, and what it gives back: the same whether we shift the alias or CodeDeploy does.

roll_out(Shifting, Hands) -> RolledOut
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from shipsafe.adapters.aws.pace import Pace
from shipsafe.adapters.aws.session import Aws
from shipsafe.deploy.marks import Marks
from shipsafe.errors import ShipsafeError
from shipsafe.model.deployment import DefaultAlarm, Ending, Shift, Strategy


@dataclass(frozen=True, slots=True, kw_only=True)
class Shifting:
    """An alias on its way to a version.

    Attributes:
        aws: the account and Region.
        function: ARN without a version.
        marks: as they were written last; they hold the alias, where it led before, and the deadline.
        version: the published one that is to take the calls.
        strategy: how.
        alarms: names of CloudWatch alarms that stop it. default_alarm: None where it is switched off.
        fresh: whether nobody had begun it before: an alias that is on its way already is then another deployment's.
    """

    aws: Aws
    function: str
    marks: Marks
    version: str
    strategy: Strategy = field(default_factory=Strategy)
    alarms: tuple[str, ...] = ()
    default_alarm: DefaultAlarm | None = field(default_factory=DefaultAlarm)
    fresh: bool = False

    @property
    def name(self) -> str:
        """Of the function."""
        return self.function.rpartition(":")[2]

    @property
    def alias(self) -> str:
        """The alias's name."""
        return self.marks.before.alias

    @property
    def command(self) -> str:
        """What takes it back, on any machine."""
        return f"shipsafe deploy --rollback {self.function}:{self.alias}"


def unbroken(say: Callable[[str], None]) -> Callable[[str], None]:
    """The same, and silence once nobody reads any more: a closed terminal must not end what takes an alias back."""

    def told(line: str) -> None:
        with suppress(OSError, ValueError):  # ValueError: of a stream that was closed
            say(line)

    return told


def nobody() -> str:
    """Nothing interrupts."""
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """Time, the pace of calls, and who is told.

    Attributes:
        now: UTC. sleep: takes seconds.
        pace: of the control-plane calls of the account and Region.
        say: told each step, a line; it must not raise (`unbroken`).
        interrupted: what has interrupted us (`SIGINT`), "" while nothing has.
    """

    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    pace: Pace
    say: Callable[[str], None]
    interrupted: Callable[[], str] = nobody

    def rest(self, seconds: float) -> None:
        """Sleep, and wake up soon after an interrupt."""
        while seconds > 0 and not self.interrupted():
            self.sleep(min(seconds, 1.0))
            seconds -= 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RolledOut:
    """What came of it.

    Attributes:
        ending: DEPLOYED: all calls reach the version. ROLLED_BACK: the alias leads where it led. UNFINISHED: it stands between, or nobody
            knows; `error` says why, and what to run.
        marks: as they were written last.
        reason: a sentence, for every ending but DEPLOYED.
        shifts: how the calls moved, the way back too. notes: what else a report should say.
    """

    ending: Ending
    marks: Marks
    reason: str = ""
    shifts: tuple[Shift, ...] = ()
    notes: tuple[str, ...] = ()
    error: ShipsafeError | None = None
