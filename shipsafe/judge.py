"""(Policy, outcomes, today) -> Verdict: the only place that decides.

It is pure, and it holds three laws: adding a finding never improves a verdict, losing an outcome never improves a verdict, and
nothing answered is never a pass.
"""

from collections.abc import Iterable
from datetime import date, timedelta

from shipsafe.model.finding import Effect, Finding
from shipsafe.model.outcome import Outcome, State
from shipsafe.model.policy import GatePolicy, Mode, Policy, Waiver
from shipsafe.model.severity import Severity
from shipsafe.model.verdict import Decision, Unanswered, Verdict, Waived, WaiverNews, WaiverNote

_SOON = timedelta(days=14)


def judge(policy: Policy, outcomes: Iterable[Outcome], today: date) -> Verdict:
    """Decide.

    A finding blocks when its gate enforces today, nothing waives or suppresses it, and it reaches the gate's `fail-on`. A
    finding that says that something could not be looked at, an unanswered outcome, and a required gate without an outcome make
    the verdict INCOMPLETE, which comes before FAIL: both are in the verdict.
    """
    outcomes = tuple(outcomes)
    blocking: list[Finding] = []
    allowed: list[Finding] = []
    waived: list[Waived] = []
    unanswered: list[Unanswered] = []
    used: set[Waiver] = set()
    fixed: set[Waiver] = set()
    for outcome in outcomes:
        gate = policy.gate(outcome.gate)
        enforced = gate.mode_on(today) is Mode.ENFORCE
        if outcome.state is State.UNANSWERED and enforced:
            unanswered.append(Unanswered(gate=outcome.gate, subject=outcome.subject, reason=outcome.reason))
        for finding in outcome.findings:
            matching = [waiver for waiver in policy.waivers if _matches(waiver, finding)]
            live = [waiver for waiver in matching if not _has_ended(waiver, today)]
            standing = [waiver for waiver in live if not (waiver.until_fixed and finding.fixed_versions)]
            used.update(matching)
            fixed.update(waiver for waiver in live if waiver not in standing)
            if standing:
                waived.append(Waived(finding=finding, waiver=standing[0]))
            elif finding.suppressed or not enforced:
                allowed.append(finding)
            elif finding.effect is Effect.INCOMPLETE:
                unanswered.append(Unanswered(gate=outcome.gate, subject=finding.subject, reason=finding.message))
            elif _blocks(finding, gate):
                blocking.append(finding)
            else:
                allowed.append(finding)
    unanswered.extend(_never_asked(policy, outcomes, today))
    return Verdict(
        decision=_decide(outcomes, blocking, unanswered),
        blocking=tuple(sorted(blocking, key=_worst_first)),
        allowed=tuple(sorted(allowed, key=_worst_first)),
        waived=tuple(sorted(waived, key=lambda one: _worst_first(one.finding))),
        unanswered=tuple(sorted(unanswered, key=lambda one: (one.subject, one.gate, one.reason))),
        not_asked=tuple(outcome for outcome in outcomes if outcome.state is State.NOT_ASKED),
        waiver_notes=tuple(_notes(policy, used, fixed, today)),
        policy_digest=policy.digest,
    )


def _decide(outcomes: tuple[Outcome, ...], blocking: list[Finding], unanswered: list[Unanswered]) -> Decision:
    if unanswered:
        return Decision.INCOMPLETE
    if not any(outcome.state is State.ANSWERED for outcome in outcomes):
        return Decision.NOTHING
    return Decision.FAIL if blocking else Decision.PASS


def _blocks(finding: Finding, gate: GatePolicy) -> bool:
    if finding.severity is Severity.UNSCORED:
        return gate.unscored_blocks
    threshold = gate.fail_on.threshold
    if threshold is None or not finding.severity.at_least(threshold):
        return False
    return finding.fixable or not gate.fail_on.fixable_only


def _never_asked(policy: Policy, outcomes: tuple[Outcome, ...], today: date) -> Iterable[Unanswered]:
    """Required gates that gave no outcome for a function or layer that some other gate was asked about."""
    asked = {(outcome.gate, outcome.subject) for outcome in outcomes}
    subjects = sorted({outcome.subject for outcome in outcomes if outcome.subject != "project"})
    for gate in policy.required:
        if policy.gate(gate).mode_on(today) is not Mode.ENFORCE:
            continue
        for subject in subjects:
            if (gate, subject) not in asked:
                yield Unanswered(gate=gate, subject=subject, reason=f"The policy requires {gate}, and it was never asked.")


def _matches(waiver: Waiver, finding: Finding) -> bool:
    target = waiver.target.casefold()
    return waiver.covers(finding.subject) and any(target == known.casefold() for known in finding.ids)


def _has_ended(waiver: Waiver, today: date) -> bool:
    """The day it names is the last on which it holds."""
    return waiver.expires is not None and today > waiver.expires


def _notes(policy: Policy, used: set[Waiver], fixed: set[Waiver], today: date) -> Iterable[WaiverNote]:
    for waiver in policy.waivers:
        what = f"The waiver for {waiver.target} at {waiver.subject} ({waiver.owner})"
        if _has_ended(waiver, today):
            back = "; what it allowed is back" if waiver in used else ""
            yield WaiverNote(news=WaiverNews.EXPIRED, waiver=waiver, message=f"{what} expired on {waiver.expires}{back}.")
        elif waiver in fixed:
            yield WaiverNote(news=WaiverNews.FIXED, waiver=waiver, message=f"{what} held until a fix was known, and one is.")
        elif waiver not in used:
            yield WaiverNote(news=WaiverNews.UNUSED, waiver=waiver, message=f"{what} allows nothing that was found. Remove it.")
        elif waiver.expires is not None and waiver.expires - today <= _SOON:
            yield WaiverNote(news=WaiverNews.EXPIRING, waiver=waiver, message=f"{what} expires on {waiver.expires}.")


def _worst_first(finding: Finding) -> tuple[int, str, str, str, str]:
    return (finding.severity.rank, finding.subject, finding.rule, finding.advisory or "", finding.key)
