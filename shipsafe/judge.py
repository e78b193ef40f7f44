"""(Policy, outcomes, today) -> Verdict: the only place that decides.

It is pure, and it holds three laws: adding a finding never improves a verdict, losing an outcome never improves a verdict, and
nothing answered is never a pass. What somebody answers for (`overridden`) is never a pass either: it is a decision of its own.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta

from shipsafe.model.baseline import NEVER, Baseline, BaselineEntry, can_be_recorded
from shipsafe.model.finding import Effect, Finding
from shipsafe.model.outcome import Outcome, State
from shipsafe.model.override import Override
from shipsafe.model.policy import GatePolicy, Mode, Policy, Waiver
from shipsafe.model.project import PROJECT
from shipsafe.model.severity import Severity
from shipsafe.model.verdict import Baselined, Decision, Lapsed, Unanswered, Verdict, Waived, WaiverNews, WaiverNote
from shipsafe.model.vex import Statement
from shipsafe.policy.keys import ABOUT_PROJECT
from shipsafe.policy.vex.weighing import Weighing

_SOON = timedelta(days=14)
_ADVISED = "dependencies"  # the gate whose findings name advisories


def judge(
    policy: Policy,
    outcomes: Iterable[Outcome],
    today: date,
    *,
    baseline: Baseline | None = None,
    statements: Sequence[Statement] = (),
    left_out: Iterable[str] = (),
) -> Verdict:
    """Decide.

    A finding blocks when its gate enforces today, nothing waives or suppresses it, and it reaches the gate's `fail-on`. A
    finding that says that something could not be looked at, an unanswered outcome, and a required gate without an outcome make
    the verdict INCOMPLETE, which comes before FAIL: both are in the verdict.

    `left_out` are functions and layers of the project that this run was not to look at: what concerns them is not called unused.

    `statements` are those of VEX documents; one that clears a finding takes it out as a waiver would, if the policy would let a waiver
    do it (`Weighing`).
    """
    outcomes, left_out = tuple(outcomes), tuple(left_out)
    blocking: list[Finding] = []
    allowed: list[Finding] = []
    waived: list[Waived] = []
    baselined: list[Baselined] = []
    lapsed: dict[BaselineEntry, str] = {}
    unanswered: list[Unanswered] = []
    used: set[Waiver] = set()
    fixed: set[Waiver] = set()
    vex = Weighing(statements, policy, today)
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
            elif (by_vex := vex.waived(finding)) is not None:
                waived.append(by_vex)
            elif finding.suppressed or not enforced:
                allowed.append(finding)
            elif finding.effect is Effect.INCOMPLETE:
                unanswered.append(Unanswered(gate=outcome.gate, subject=finding.subject, reason=finding.message))
            elif _blocks(finding, gate):
                reasons = {entry: _why_lapsed(entry, finding, policy, today) for entry in baseline.about(finding)} if baseline else {}
                holding = [entry for entry, reason in reasons.items() if not reason]
                if holding:
                    baselined.append(Baselined(finding=finding, entry=holding[0]))
                else:
                    blocking.append(finding)
                    lapsed.update(reasons)
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
        waiver_notes=tuple(_notes(policy, used, fixed, [*_dark(outcomes), *(("", name) for name in left_out)], today)),
        vex_notes=vex.notes(
            (finding for outcome in outcomes for finding in outcome.findings),
            whole=not left_out and all(outcome.looked for outcome in outcomes if outcome.gate == _ADVISED),
        ),
        policy_digest=policy.digest,
        baselined=tuple(sorted(baselined, key=lambda one: _worst_first(one.finding))),
        vanished=tuple(_vanished(baseline, outcomes)) if baseline else (),
        lapsed=tuple(Lapsed(entry=entry, reason=reason) for entry, reason in sorted(lapsed.items(), key=lambda one: one[0].order)),
    )


def overridden(verdict: Verdict, override: Override, policy: Policy) -> Verdict:
    """The verdict where somebody answers for it; everything in it stays, and it is never PASS again.

    It is as it was where anything else than what the override names keeps it from passing, and where nothing was examined or something
    is broken. Whether the override itself holds (its keys, its time, its zips) was asked before.
    """
    if verdict.decision not in (Decision.PASS, Decision.FAIL, Decision.INCOMPLETE) or unanswered_for(verdict, override, policy):
        return verdict
    return replace(verdict, decision=Decision.OVERRIDDEN, override=override)


def unanswered_for(verdict: Verdict, override: Override, policy: Policy) -> tuple[Finding | Unanswered, ...]:
    """What keeps a verdict from passing and the override does not name, or nobody can answer for (`beyond_override`)."""
    findings = (one for one in verdict.blocking if one.identity not in override.findings or beyond_override(one, policy))
    return (*findings, *(one for one in verdict.unanswered if (one.gate, one.subject) not in override.questions))


def beyond_override(finding: Finding, policy: Policy) -> bool:
    """Whether no emergency lets it through: an attack that is known as one, and what the policy lets nobody waive."""
    forbidden = {name.casefold() for name in policy.unwaivable} | NEVER
    ids = {name.casefold() for name in finding.ids}
    return bool(ids & forbidden) or any(name.startswith("mal-") for name in ids)


def _decide(outcomes: tuple[Outcome, ...], blocking: list[Finding], unanswered: list[Unanswered]) -> Decision:
    if unanswered:
        return Decision.INCOMPLETE
    # What is answered about the project as a whole says nothing of what ships.
    if not any(outcome.state is State.ANSWERED and outcome.subject != PROJECT for outcome in outcomes):
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
    """Required gates that gave no outcome for a function or layer that some other gate was asked about, or for the project."""
    asked = {(outcome.gate, outcome.subject) for outcome in outcomes}
    subjects = sorted({outcome.subject for outcome in outcomes if outcome.subject != PROJECT})
    for gate in policy.required:
        if policy.gate(gate).mode_on(today) is not Mode.ENFORCE:
            continue
        for subject in (PROJECT,) if gate in ABOUT_PROJECT and subjects else subjects:
            if (gate, subject) not in asked:
                yield Unanswered(gate=gate, subject=subject, reason=f"The policy requires {gate}, and it was never asked.")


def _matches(waiver: Waiver, finding: Finding) -> bool:
    target = waiver.target.casefold()
    return waiver.covers(finding.subject) and any(target == known.casefold() for known in finding.ids)


def _has_ended(waiver: Waiver, today: date) -> bool:
    """The day it names is the last on which it holds."""
    return waiver.expires is not None and today > waiver.expires


def _why_lapsed(entry: BaselineEntry, finding: Finding, policy: Policy, today: date) -> str:
    """Why an entry does not hold for a finding that it names, or ""."""
    if not can_be_recorded(finding, policy.unwaivable):
        return f"No baseline can hold {finding.rule} under this policy."
    last = entry.last_day(policy.longest_baseline)
    if last is None or today <= last:
        return ""
    if last == entry.expires:
        return f"It ended on {last}."
    age = policy.longest_baseline.days if policy.longest_baseline else 0
    return f"It is of {entry.recorded}, and the policy lets an entry grow {age} days old."


def _vanished(baseline: Baseline, outcomes: tuple[Outcome, ...]) -> Iterable[BaselineEntry]:
    """Entries whose findings are gone: somebody looked (or the question no longer applies), or the whole subject is no more.

    Where the project itself could not be read to its end, a subject that is not there may still exist.
    """
    found = {entry for outcome in outcomes for finding in outcome.findings for entry in baseline.about(finding)}
    states = {(outcome.gate, outcome.subject): outcome.state for outcome in outcomes}
    subjects = {outcome.subject for outcome in outcomes}
    whole = bool(subjects) and not any(
        outcome.subject == PROJECT and outcome.gate not in ABOUT_PROJECT and outcome.state is State.UNANSWERED for outcome in outcomes
    )
    for entry in baseline.entries:
        if entry in found or (entry.gate in ABOUT_PROJECT and states.get((entry.gate, entry.subject)) is not State.ANSWERED):
            continue
        answer = states.get((entry.gate, entry.subject), State.UNANSWERED)
        if answer is not State.UNANSWERED if entry.subject in subjects else whole:
            yield entry


def _notes(
    policy: Policy, used: set[Waiver], fixed: set[Waiver], dark: Collection[tuple[str, str]], today: date
) -> Iterable[WaiverNote]:  # fmt: skip
    """What is worth saying. Nothing is unused where nobody looked: that an unchanged answer still needs it, nobody asked today."""
    for waiver in policy.waivers:
        what = f"The waiver for {waiver.target} at {waiver.subject} ({waiver.owner})"
        if _has_ended(waiver, today):
            back = "; what it allowed is back" if waiver in used else ""
            yield WaiverNote(news=WaiverNews.EXPIRED, waiver=waiver, message=f"{what} expired on {waiver.expires}{back}.")
        elif waiver in fixed:
            yield WaiverNote(news=WaiverNews.FIXED, waiver=waiver, message=f"{what} held until a fix was known, and one is.")
        elif waiver not in used and not any(waiver.covers(subject) for gate, subject in dark if gate in ("", _gate_of(waiver))):
            yield WaiverNote(news=WaiverNews.UNUSED, waiver=waiver, message=f"{what} allows nothing that was found. Remove it.")
        elif waiver.expires is not None and waiver.expires - today <= _SOON:
            yield WaiverNote(news=WaiverNews.EXPIRING, waiver=waiver, message=f"{what} expires on {waiver.expires}.")


def _dark(outcomes: Iterable[Outcome]) -> Iterable[tuple[str, str]]:
    """Where nobody looked: gate and subject. Of the project nobody did unless somebody answered: its workflows may lie elsewhere."""
    answered = {outcome.gate for outcome in outcomes if outcome.state is State.ANSWERED}
    return {(outcome.gate, outcome.subject) for outcome in outcomes if not outcome.looked} | {
        (gate, PROJECT) for gate in ABOUT_PROJECT if gate not in answered
    }


def _gate_of(waiver: Waiver) -> str:
    gate, slash, _ = waiver.target.partition("/")
    return gate if slash else _ADVISED


def _worst_first(finding: Finding) -> tuple[int, str, str, str, str]:
    return (finding.severity.rank, finding.subject, finding.rule, finding.advisory or "", finding.key)
