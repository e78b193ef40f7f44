"""What a baseline is made of: the findings that block today, beside what it held before."""

from collections.abc import Sequence
from datetime import date

from shipsafe.model.baseline import Baseline, BaselineEntry, can_be_recorded
from shipsafe.model.finding import Finding
from shipsafe.model.policy import Policy
from shipsafe.model.verdict import Verdict


def baseline_of(
    verdict: Verdict,
    policy: Policy,
    *,
    today: date,
    owner: str,
    path: str,
    before: Baseline | None = None,
    expires: date | None = None,
) -> Baseline:
    """The findings of a verdict that would block, as a baseline.

    An entry that was there before keeps its date, owner and end, also when it has lapsed: only a person can give it a later end.
    It goes when its finding is gone. What nobody could look at now stays as it was.

    Args:
        verdict: judged with `before`, where there is one.
        policy: says what cannot be recorded.
        today: the date of the entries that are new.
        owner: who answers for those.
        expires: the last day on which those hold.
        path: where it stands, for people.
        before: what was recorded earlier.
    """
    gone = set(verdict.vanished)
    kept = [entry for entry in before.entries if entry not in gone] if before else []
    new = [
        BaselineEntry.of(finding, today=today, owner=owner, expires=expires)
        for finding in would_block(verdict)
        if can_be_recorded(finding, policy.unwaivable) and not (before and before.about(finding))
    ]
    return Baseline(path=path, entries=tuple(sorted(dict.fromkeys((*kept, *new)), key=lambda entry: entry.order)))


def would_block(verdict: Verdict) -> tuple[Finding, ...]:
    """What blocks, and what only the baseline keeps from it."""
    return (*verdict.blocking, *(item.finding for item in verdict.baselined))


def not_recordable(verdict: Verdict, policy: Policy) -> Sequence[Finding]:
    """What blocks and what no baseline can hold: attacks, and what the policy lets nobody waive."""
    return [finding for finding in verdict.blocking if not can_be_recorded(finding, policy.unwaivable)]
