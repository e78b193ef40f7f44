"""Break-glass: somebody answers, by name and for a day, for what the policy does not allow. Integrity is never overridden.

The record of it is a statement (`urn:shipsafe:override:v1`) whose subjects are the unsigned zips it was given for; everything that later
looks at them says OVERRIDDEN until a clean release takes their place.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """Who lets what through.

    Attributes:
        reason: in their words.
        by: who gave it; second: who agreed, "" where nobody was asked.
        at, until: UTC; it lets nothing through before or after.
        subjects: hex SHA-256 of the unsigned zips.
        over: the findings and unanswered questions that it lets through, as sentences.
    """

    reason: str
    by: str
    second: str = ""
    at: datetime
    until: datetime
    subjects: tuple[str, ...] = ()
    over: tuple[str, ...] = ()


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
