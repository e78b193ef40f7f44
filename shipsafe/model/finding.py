"""Rules and what was found against them."""

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum

from shipsafe.model.location import Location
from shipsafe.model.severity import Severity


class Persona(StrEnum):
    """For whom a rule is on by default: everybody, or those who want to hear of matters of taste."""

    REGULAR = "regular"
    PEDANTIC = "pedantic"


class Effect(StrEnum):
    """What an unwaived finding that the policy does not allow does to a verdict.

    `fail`: exit 1. `incomplete`: the finding says that something could not be looked at (an unaudited distribution, an
    unresolved layer), so whatever its severity the verdict is INCOMPLETE, exit 4, and never PASS.
    """

    FAIL = "fail"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that can be wrong. `id` is `GATE/what-is-wrong` and is never used again for anything else.

    `why`, `bad` and `good` are the rule's page: the same text in `shipsafe explain`, the docs and SARIF help.
    `bad` and `good` are short code or template excerpts.
    """

    id: str
    severity: Severity
    summary: str
    remedy: str
    why: str
    bad: str = ""
    good: str = ""
    references: tuple[str, ...] = ()
    persona: Persona = Persona.REGULAR
    effect: Effect = Effect.FAIL

    @property
    def gate(self) -> str:
        """The id of the gate that asks it."""
        return self.id.partition("/")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A rule that does not hold at one subject.

    Attributes:
        rule: the rule's id, such as `layers/unpinned` or `lint/B602`.
        subject: `function:ID`, `layer:ID` or `project`.
        message: what is wrong here, one sentence, without the location.
        remedy: what to do here, one sentence.
        severity: of this finding; may differ from the rule's (an advisory's CVSS).
        location: where to look.
        key: what makes it this finding and no other, stable when lines move (a distribution, a layer's ARN, a file's
            path and the offending code). Two findings with the same rule, subject and key are one finding.
        advisory: the advisory's id, for findings of the dependencies gate.
        aliases: other ids of the same advisory (CVE, GHSA, PYSEC).
        package: the distribution, normalised, that the finding is about; `version` the one found.
        fixed_versions: versions that fix it, ascending; empty when none is known.
        score: the CVSS base score, 0.0 to 10.0, where one is known.
        confidence: bandit's confidence (`high`, `medium`, `low`), where there is one.
        path: distribution names from a direct dependency to this one, where it is known.
        suppressed: why the finding is shown but not counted (`# nosec B602 at line 3`), or "".
        effect: what it does to the verdict.
    """

    rule: str
    subject: str
    message: str
    remedy: str
    severity: Severity
    location: Location | None = None
    key: str = ""
    advisory: str | None = None
    aliases: tuple[str, ...] = ()
    package: str | None = None
    version: str | None = None
    fixed_versions: tuple[str, ...] = ()
    score: float | None = None
    confidence: str | None = None
    path: tuple[str, ...] = ()
    suppressed: str = ""
    effect: Effect = Effect.FAIL
    references: tuple[str, ...] = field(default=())

    @property
    def fixable(self) -> bool:
        """Whether a fix is known: for advisories a fixed version, for everything else always."""
        return bool(self.fixed_versions) if self.advisory else True

    @property
    def identity(self) -> str:
        """Hex SHA-256 over rule, advisory, subject and key; does not change when lines move."""
        parts = (self.rule, self.advisory or "", self.subject, self.key)
        return hashlib.sha256("\0".join(parts).encode(errors="replace")).hexdigest()

    @property
    def ids(self) -> frozenset[str]:
        """Every id a waiver may name: the rule, the advisory and its aliases."""
        return frozenset((self.rule, *((self.advisory,) if self.advisory else ()), *self.aliases))
