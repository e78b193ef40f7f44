"""Break-glass: somebody answers, by name and for a day, for what the policy does not allow. Integrity is never overridden.

The record of it is a statement (`urn:shipsafe:override:v1`) whose subjects are the unsigned zips it was given for; everything that later
looks at them says OVERRIDDEN until a clean release takes their place. It names every finding and every unanswered question that it lets
through, and lets no other through: what comes up later has to be answered for again.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shipsafe.model.moments import as_text

_SHOWN = 20  # findings and questions in a plan


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakGlass:
    """What somebody said who breaks the glass, or goes on with what was broken before: `--break-glass REASON` and `--second NAME`.

    `by` is who they say they are; who signed the record, its signatures say.
    """

    reason: str
    by: str
    second: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """Who lets what through.

    Attributes:
        reason: in their words.
        by: who gave it; second: who agreed, "" where nobody was asked.
        at, until: UTC; it lets nothing through before or after.
        subjects: hex SHA-256 of the unsigned zips.
        over: the findings and unanswered questions that it lets through, as sentences.
        findings: identities of those findings; `questions` gate and subject of what nobody could look at.
        policy: digest of the policy that did not let it pass.
        statement: hex SHA-256 of the statement's payload, "" of one that is not stated yet.
        vouched_by: names of the trusted keys that signed it; none where the policy trusts nobody at all.
    """

    reason: str
    by: str
    second: str = ""
    at: datetime
    until: datetime
    subjects: tuple[str, ...] = ()
    over: tuple[str, ...] = ()
    findings: frozenset[str] = field(default=frozenset())
    questions: frozenset[tuple[str, str]] = field(default=frozenset())
    policy: str = ""
    statement: str = ""
    vouched_by: tuple[str, ...] = ()

    @property
    def people(self) -> str:
        """Who answers for it, for people."""
        said = f"{self.by} and {self.second}" if self.second else self.by
        return f"{said} (signed by {', '.join(self.vouched_by)})" if self.vouched_by else f"{said} (nobody vouches for that)"

    @property
    def sentence(self) -> str:
        """All that a person has to know of it, in one sentence."""
        when = f"{self.at:%Y-%m-%d %H:%M} until {self.until:%Y-%m-%d %H:%M} UTC"
        return f'Overridden by {self.people}, from {when}: "{self.reason}".'

    @property
    def lines(self) -> tuple[str, ...]:
        """What it lets through, for a plan: the first of it, and how much more there is."""
        more = (f"  and {len(self.over) - _SHOWN} more",) if len(self.over) > _SHOWN else ()
        return (*(f"  lets through: {one}" for one in self.over[:_SHOWN]), *more)

    @property
    def told(self) -> dict[str, str]:
        """It in short: in the release manifest, in deployment records and in reports."""
        times = {"at": as_text(self.at), "until": as_text(self.until)}
        return {"statement": self.statement, "reason": self.reason, "by": self.by, "second": self.second, **times}


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakGlassPolicy:
    """`[break-glass]` of the policy.

    Attributes:
        allowed: whether there is any.
        role: ARN of the role to assume for it, None for the usual one.
        profile: name of the signing profile that signs what it lets through, None for the usual one.
        second_person: whether somebody else has to agree by name.
        longest: how long one may be valid; never more than 24 hours.
    """

    allowed: bool = True
    role: str | None = None
    profile: str | None = None
    second_person: bool = False
    longest: timedelta = timedelta(hours=24)
