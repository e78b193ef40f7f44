"""The decision, and everything it rests on."""

from dataclasses import dataclass
from enum import StrEnum

from shipsafe.errors import ExitCode
from shipsafe.model.finding import Finding
from shipsafe.model.outcome import Outcome
from shipsafe.model.policy import Waiver


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
    """A finding that a waiver allows, and that waiver."""

    finding: Finding
    waiver: Waiver


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
        waived: findings that a waiver allows.
        unanswered: why the verdict is INCOMPLETE, if it is.
        not_asked: questions that do not apply, with their reasons.
        waiver_notes: expired, expiring and unused waivers.
    """

    decision: Decision
    blocking: tuple[Finding, ...] = ()
    allowed: tuple[Finding, ...] = ()
    waived: tuple[Waived, ...] = ()
    unanswered: tuple[Unanswered, ...] = ()
    not_asked: tuple[Outcome, ...] = ()
    waiver_notes: tuple[WaiverNote, ...] = ()
    policy_digest: str = ""

    @property
    def exit_code(self) -> ExitCode:
        """The process's exit code."""
        return self.decision.exit_code
