"""The decision, and everything it rests on."""

from dataclasses import dataclass
from enum import StrEnum

from shipsafe.errors import ExitCode
from shipsafe.model.baseline import BaselineEntry
from shipsafe.model.finding import Finding
from shipsafe.model.outcome import Outcome
from shipsafe.model.override import Override
from shipsafe.model.policy import Waiver
from shipsafe.model.vex import Statement, VexNote


class Decision(StrEnum):
    """What a verdict can be. The words are read by other programs."""

    PASS = "PASS"  # noqa: S105 - a decision, not a password
    FAIL = "FAIL"
    NOTHING = "NOTHING"
    INCOMPLETE = "INCOMPLETE"
    BROKEN = "BROKEN"
    OVERRIDDEN = "OVERRIDDEN"

    @property
    def exit_code(self) -> ExitCode:
        """The code a command that ends in this decision leaves with (OVERRIDDEN depends on the command; here: `deploy`)."""
        return _EXIT_CODES[self]


_EXIT_CODES = {
    Decision.PASS: ExitCode.PASS,
    Decision.FAIL: ExitCode.FINDINGS,
    Decision.NOTHING: ExitCode.NOTHING,
    Decision.INCOMPLETE: ExitCode.INCOMPLETE,
    Decision.BROKEN: ExitCode.INTEGRITY,
    Decision.OVERRIDDEN: ExitCode.PASS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Waived:
    """A finding that a waiver allows, and that waiver.

    `statement` is set where a VEX statement allows it; the waiver then says the same for whoever knows only waivers.
    """

    finding: Finding
    waiver: Waiver
    statement: Statement | None = None


class WaiverNews(StrEnum):
    """What is worth saying about a waiver."""

    EXPIRED = "expired"  # the finding it allowed is back
    FIXED = "fixed"  # until-fixed, and a fixed version is known: the finding is back
    EXPIRING = "expiring"  # within 14 days
    UNUSED = "unused"  # allows nothing that was found


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverNote:
    """One remark about one waiver, as a sentence."""

    news: WaiverNews
    waiver: Waiver
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Baselined:
    """A finding that would block, and the entry of the baseline that knows it."""

    finding: Finding
    entry: BaselineEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Lapsed:
    """An entry of the baseline that does not hold although its finding is still there, and why, as a sentence."""

    entry: BaselineEntry
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """Something that keeps the verdict from being complete."""

    gate: str
    subject: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What `judge` decided.

    Attributes:
        blocking: findings that the policy does not allow.
        allowed: findings that were seen and do not block (below the threshold, observed, suppressed).
        waived: findings that a waiver or a VEX statement allows.
        unanswered: why the verdict is INCOMPLETE, if it is.
        not_asked: questions that do not apply, with their reasons.
        waiver_notes: expired, expiring and unused waivers.
        vex_notes: VEX statements that change nothing, contradict each other, or speak of nothing that was found.
        baselined: findings that would block, and that the baseline knows.
        vanished: entries of the baseline whose findings are gone: the gate answered, or the subject is no more.
        lapsed: entries of the baseline that have ended or that the policy does not admit; their findings block.
        override: who answers for what is blocking or unanswered; set where the decision is OVERRIDDEN, and nowhere else.
    """

    decision: Decision
    blocking: tuple[Finding, ...] = ()
    allowed: tuple[Finding, ...] = ()
    waived: tuple[Waived, ...] = ()
    unanswered: tuple[Unanswered, ...] = ()
    not_asked: tuple[Outcome, ...] = ()
    waiver_notes: tuple[WaiverNote, ...] = ()
    vex_notes: tuple[VexNote, ...] = ()
    policy_digest: str = ""
    baselined: tuple[Baselined, ...] = ()
    vanished: tuple[BaselineEntry, ...] = ()
    lapsed: tuple[Lapsed, ...] = ()
    override: Override | None = None

    @property
    def passes(self) -> bool:
        """Whether what was judged may go on: it passed, or somebody answers for it."""
        return self.decision in (Decision.PASS, Decision.OVERRIDDEN)

    @property
    def exit_code(self) -> ExitCode:
        """The process's exit code."""
        return self.decision.exit_code
