"""What a gate answered about one subject: findings and evidence, never a decision."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from shipsafe.model.finding import Finding

UNCHANGED = "unchanged-since"  # in the evidence of an outcome: the revision that was asked the same


class State(StrEnum):
    """Whether the gate answered. `unanswered`: it could not look. `not-asked`: the question does not apply."""

    ANSWERED = "answered"
    UNANSWERED = "unanswered"
    NOT_ASKED = "not-asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A gate's answer about one subject.

    An unanswered outcome may still carry the findings that were made before it had to stop. `evidence` holds small facts
    that other programs read (counts, digests, the advisory snapshot); its values are JSON values. `notes` are remarks for
    people that change nothing (a local version looked up without its suffix).
    """

    gate: str
    subject: str
    state: State
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    notes: tuple[str, ...] = ()
    evidence: Mapping[str, object] = field(default_factory=dict)

    @property
    def unchanged_since(self) -> str:
        """The revision since which nothing changed that decides this, so that it was not asked; "" for every other outcome."""
        return str(self.evidence.get(UNCHANGED, "")) if self.state is State.NOT_ASKED else ""

    @property
    def looked(self) -> bool:
        """Whether what was not found is not there: the gate answered, or the question does not apply."""
        return self.state is State.ANSWERED or (self.state is State.NOT_ASKED and not self.unchanged_since)

    def __post_init__(self) -> None:
        if self.state is not State.ANSWERED and not self.reason:
            message = f"Outcome {self.gate} of {self.subject} is {self.state} without a reason."
            raise ValueError(message)

    @classmethod
    def answered(
        cls,
        gate: str,
        subject: str,
        findings: Iterable[Finding] = (),
        *,
        notes: Iterable[str] = (),
        evidence: Mapping[str, object] | None = None,
    ) -> "Outcome":
        """The gate looked at everything it was asked about."""
        return cls(
            gate=gate,
            subject=subject,
            state=State.ANSWERED,
            findings=tuple(findings),
            notes=tuple(notes),
            evidence=evidence or {},
        )

    @classmethod
    def unanswered(cls, gate: str, subject: str, reason: str, findings: Iterable[Finding] = (), *, notes: Iterable[str] = ()) -> "Outcome":
        """The gate could not look at all of it; `reason` says why and what to do."""
        return cls(gate=gate, subject=subject, state=State.UNANSWERED, reason=reason, findings=tuple(findings), notes=tuple(notes))

    @classmethod
    def not_asked(cls, gate: str, subject: str, reason: str) -> "Outcome":
        """The question does not apply here; `reason` says why and, where there is one, the way out."""
        return cls(gate=gate, subject=subject, state=State.NOT_ASKED, reason=reason)
