"""The override, as a statement: one for a whole release, made at `build`, carried in every bundle of it, and asked for again at each step.

    statement = override_statement(override, zips=[...], findings=verdict.blocking, unanswered=verdict.unanswered)
    held = vouched_override(envelope, policy, shown="dist/Orders.intoto.jsonl")     # raises where it is none that this policy takes
    check_time(held, now)

What makes it hard to abuse: its subjects are the unsigned zips, all of the release and no others, so that it speaks of no other bytes; it
names what it lets through, so that nothing else slips past with it; it ends within a day; and a policy that trusts anybody in any role
takes it only from a key or identity that it trusts as an *overrider*: whoever builds cannot let through what the build did not pass.
"""

import hashlib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from shipsafe.errors import IntegrityError
from shipsafe.evidence.envelope import payload, statement_of
from shipsafe.evidence.outcomes import plain
from shipsafe.evidence.predicates import check
from shipsafe.evidence.trust import vouched
from shipsafe.model.attestation import Envelope, Predicate, Resource, Role, Statement
from shipsafe.model.deployment import span_text
from shipsafe.model.finding import Finding
from shipsafe.model.moments import as_text, from_text
from shipsafe.model.override import Override
from shipsafe.model.policy import Policy
from shipsafe.model.verdict import Unanswered

LONGEST = timedelta(hours=24)  # whatever a policy says
CLOCKS = timedelta(minutes=5)  # how far the clocks of two machines may be apart
_BUILD = "If it must go out all the same, build again with --break-glass."


def override_statement(
    override: Override, *, zips: Sequence[Resource], findings: Iterable[Finding], unanswered: Iterable[Unanswered]
) -> Statement:  # fmt: skip
    """State who lets what through.

    Args:
        override: who, why, and in which time; its subjects are those of `zips`.
        zips: the unsigned zips, all of the release.
        findings: that block.
        unanswered: what nobody could look at.
    """
    predicate = {
        "reason": override.reason,
        "by": override.by,
        "second": override.second,
        "at": as_text(override.at),
        "until": as_text(override.until),
        "policy": override.policy,
        "findings": [
            {"identity": one.identity, "rule": one.rule, "advisory": one.advisory, "subject": one.subject, "severity": one.severity,
             "message": one.message}
            for one in findings
        ],
        "unanswered": [{"gate": one.gate, "subject": one.subject, "reason": one.reason} for one in unanswered],
    }  # fmt: skip
    return Statement(subjects=tuple(zips), kind=Predicate.OVERRIDE, predicate=plain(predicate))


def read_override(statement: Statement, *, shown: str) -> Override:
    """What an override says. Believe it only after `vouched_override`.

    Raises:
        IntegrityError: it is not of the published shape, or names a time that is none.
    """
    said = statement.predicate
    if statement.kind != Predicate.OVERRIDE:
        raise IntegrityError(f"It is no override but a {statement.kind[:80]!r}.", path=shown)
    check(statement.kind, said, shown=shown)
    if not all(said[name].isprintable() for name in ("reason", "by", "second")):
        raise IntegrityError("The override holds characters that cannot be shown.", remedy=_BUILD, path=shown)
    try:
        at, until = from_text(said["at"]), from_text(said["until"])
    except (OverflowError, ValueError) as error:
        raise IntegrityError("The override names a time that is none.", remedy=_BUILD, path=shown) from error
    return Override(
        reason=said["reason"],
        by=said["by"],
        second=said["second"],
        at=at,
        until=until,
        subjects=tuple(one.digests["sha256"] for one in statement.subjects),
        over=(
            *(f"{_ruled(one)} at {one['subject']}: {one['message']}" for one in said["findings"]),
            *(f"{one['gate']} at {one['subject']} was not answered: {one['reason']}" for one in said["unanswered"]),
        ),
        findings=frozenset(one["identity"] for one in said["findings"]),
        questions=frozenset((one["gate"], one["subject"]) for one in said["unanswered"]),
        policy=said["policy"],
        statement=hashlib.sha256(payload(statement)).hexdigest(),
    )


def vouched_override(envelope: Envelope, policy: Policy, *, shown: str) -> Override:
    """What an override says, where this policy takes it: signed by whom it trusts, and given in the terms that it sets.

    Whether it still holds says `check_time`; of a release that went out under it, that is another question.

    Raises:
        IntegrityError: it is none, or the policy does not take it.
        IncompleteError: a keyless signature could not be looked at.
    """
    statement = statement_of(envelope, shown=shown)
    found, terms, trusted = read_override(statement, shown=shown), policy.break_glass, policy.attest

    def refused(what: str) -> IntegrityError:
        return IntegrityError(f"The override lets nothing through: {what}.", remedy=_BUILD, path=shown)

    if not terms.allowed:
        raise refused("the policy allows none ([break-glass] allowed = false)")
    if trusted.speakers and not trusted.trusts_anybody(Role.OVERRIDER):
        raise refused("the policy says whose word counts, and trusts nobody to override it")
    if found.until <= found.at or found.until - found.at > min(terms.longest, LONGEST):
        lasts, may = span_text(found.until - found.at), span_text(min(terms.longest, LONGEST))
        raise refused(f"it is for {lasts}, and the policy allows {may}")
    if terms.second_person and not agreed(found.by, found.second):
        raise refused("the policy wants a second person, and it names none")
    return replace(found, vouched_by=vouched(envelope, trusted, at=found.at.date(), shown=shown, statement=statement).by)


def check_time(override: Override, now: datetime) -> None:
    """Whether it lets anything through now.

    Raises:
        IntegrityError: it has ended, or has not begun.
    """
    if now >= override.until:
        what = f"The override ended at {override.until:%Y-%m-%d %H:%M} UTC, and lets nothing through any more."
        raise IntegrityError(what, remedy=_BUILD)
    if now < override.at - CLOCKS:
        what = f"The override begins at {override.at:%Y-%m-%d %H:%M} UTC, and this machine's clock says {now:%Y-%m-%d %H:%M}."
        raise IntegrityError(what, remedy="Set the clock, or find out who wrote it.")


def agreed(by: str, second: str) -> bool:
    """Whether a second person is named who is not the first, however either is written.

    >>> agreed("jo@acme.example", "Jo@acme.example "), agreed("jo k", "jo  k"), agreed("jo", "sam")
    (False, False, True)
    """
    return bool(second.strip()) and _person(second) != _person(by)


def _person(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _ruled(finding: Mapping[str, Any]) -> str:
    return " ".join(filter(None, (finding["rule"], finding.get("advisory"))))
