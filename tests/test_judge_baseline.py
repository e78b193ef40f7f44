"""What the judge makes of a baseline: known findings do not block, and nothing else gets through with them."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from shipsafe.judge import judge
from shipsafe.model.baseline import Baseline, BaselineEntry
from shipsafe.model.finding import Effect, Finding
from shipsafe.model.location import Location
from shipsafe.model.outcome import Outcome
from shipsafe.model.policy import FailOn, GatePolicy, Policy, Waiver
from shipsafe.model.severity import Severity
from shipsafe.model.verdict import Decision, Verdict
from shipsafe.policy.recording import baseline_of, not_recordable

TODAY = date(2026, 11, 21)
AT = "function:Billing"
HIGH = Finding(
    rule="lint/B602", subject=AT, message="m", remedy="r", severity=Severity.HIGH, key="app.py:1", location=Location(path="a", line=3)
)
ADVISORY = Finding(rule="dependencies/vulnerable", subject=AT, message="m", remedy="r", severity=Severity.HIGH, key="jinja2",
                   advisory="PYSEC-1", aliases=("CVE-1", "GHSA-1"))  # fmt: skip
POLICY = Policy(path=None, digest="d", gates={gate: GatePolicy() for gate in ("lint", "dependencies")})


def known(*findings: Finding, recorded: date = TODAY, expires: date | None = None) -> Baseline:
    entries = (BaselineEntry.of(finding, today=recorded, owner="o", expires=expires) for finding in findings)
    return Baseline(path="b.toml", entries=tuple(sorted(entries, key=lambda one: one.order)))


def lint(*findings: Finding) -> Outcome:
    return Outcome.answered("lint", AT, findings)


def audit(*findings: Finding) -> Outcome:
    return Outcome.answered("dependencies", AT, findings)


def decided(baseline: Baseline, *outcomes: Outcome, policy: Policy = POLICY, today: date = TODAY) -> Verdict:
    return judge(policy, outcomes, today, baseline=baseline)


def test_what_is_known_does_not_block_and_is_shown() -> None:
    verdict = decided(known(HIGH), lint(HIGH))
    assert verdict.decision is Decision.PASS
    assert [item.finding for item in verdict.baselined] == [HIGH]
    assert not verdict.allowed


def test_what_is_new_blocks_beside_it() -> None:
    new = replace(HIGH, key="app.py:2")
    verdict = decided(known(HIGH), lint(HIGH, new))
    assert verdict.decision is Decision.FAIL
    assert verdict.blocking == (new,)


@pytest.mark.parametrize("change", [{"subject": "function:Other"}, {"rule": "lint/B603"}, {"key": "x"}])
def test_it_is_another_finding_when_its_identity_is(change: dict[str, str]) -> None:
    other = replace(HIGH, **change)  # type: ignore[arg-type]  # three texts
    assert decided(known(HIGH), Outcome.answered("lint", other.subject, [other])).decision is Decision.FAIL


def test_it_is_the_same_when_lines_messages_and_severities_move() -> None:
    moved = replace(HIGH, location=Location(path="a", line=99), message="other words", severity=Severity.CRITICAL)
    assert decided(known(HIGH), lint(moved)).decision is Decision.PASS


def test_an_advisory_that_got_another_first_name_is_the_same() -> None:
    renamed = replace(ADVISORY, advisory="GHSA-1", aliases=("CVE-1", "PYSEC-9"))
    assert decided(known(ADVISORY), audit(renamed)).decision is Decision.PASS
    other = replace(ADVISORY, advisory="PYSEC-2", aliases=("CVE-2",))
    assert decided(known(ADVISORY), audit(other)).decision is Decision.FAIL


def test_the_last_day_is_the_last_and_then_it_has_lapsed() -> None:
    ends = known(HIGH, expires=TODAY)
    assert decided(ends, lint(HIGH)).decision is Decision.PASS
    verdict = decided(ends, lint(HIGH), today=TODAY + timedelta(days=1))
    assert verdict.decision is Decision.FAIL
    assert [one.reason for one in verdict.lapsed] == ["It ended on 2026-11-21."]


def test_the_policy_bounds_how_old_an_entry_may_grow() -> None:
    policy = replace(POLICY, longest_baseline=timedelta(days=90))
    old = known(HIGH, recorded=TODAY - timedelta(days=90))
    assert decided(old, lint(HIGH), policy=policy).decision is Decision.PASS
    verdict = decided(old, lint(HIGH), policy=policy, today=TODAY + timedelta(days=1))
    assert verdict.decision is Decision.FAIL
    assert [one.reason for one in verdict.lapsed] == ["It is of 2026-08-23, and the policy lets an entry grow 90 days old."]


def test_an_end_of_its_own_cannot_outlive_the_policy() -> None:
    policy = replace(POLICY, longest_baseline=timedelta(days=10))
    verdict = decided(known(HIGH, recorded=date(2026, 1, 1), expires=date(9999, 12, 31)), lint(HIGH), policy=policy)
    assert verdict.decision is Decision.FAIL


@pytest.mark.parametrize(
    ("finding", "unwaivable"),
    [
        (HIGH, ("LINT/B602",)),
        (replace(ADVISORY, rule="dependencies/malicious"), ()),
        (replace(ADVISORY, aliases=("MAL-2026-1",)), ()),
        (ADVISORY, ("cve-1",)),
    ],
)
def test_an_attack_and_what_nobody_may_waive_is_never_known(finding: Finding, unwaivable: tuple[str, ...]) -> None:
    policy = replace(POLICY, unwaivable=unwaivable)
    outcome = Outcome.answered(finding.rule.partition("/")[0], AT, [finding])
    verdict = decided(known(finding), outcome, policy=policy)
    assert verdict.decision is Decision.FAIL
    assert "under this policy" in verdict.lapsed[0].reason
    empty = judge(policy, [outcome], TODAY)
    assert not baseline_of(empty, policy, today=TODAY, owner="o", path="b.toml").entries
    assert not_recordable(empty, policy) == [finding]


def test_what_could_not_be_looked_at_is_never_known() -> None:
    unsure = replace(HIGH, effect=Effect.INCOMPLETE)
    verdict = decided(known(unsure), lint(unsure))
    assert verdict.decision is Decision.INCOMPLETE
    assert not baseline_of(verdict, POLICY, today=TODAY, owner="o", path="b.toml").entries


def test_a_waiver_comes_first() -> None:
    waiver = Waiver(target="lint/B602", subject="*", reason="r", owner="o", expires=TODAY)
    verdict = decided(known(HIGH), lint(HIGH), policy=replace(POLICY, waivers=(waiver,)))
    assert len(verdict.waived) == 1
    assert not verdict.baselined
    assert not verdict.vanished


def test_what_is_gone_is_said_only_where_somebody_looked() -> None:
    baseline = known(HIGH)
    assert [one.key for one in decided(baseline, lint()).vanished] == ["app.py:1"]
    assert not decided(baseline, Outcome.unanswered("lint", AT, "no time")).vanished
    assert not decided(baseline, audit()).vanished


def test_what_belongs_to_a_function_that_is_no_more_is_gone() -> None:
    there = Outcome.answered("lint", "function:Other")
    assert decided(known(HIGH), there).vanished
    unread = Outcome.unanswered("template", "project", "a nested stack cannot be read")
    assert not decided(known(HIGH), there, unread).vanished


def test_a_baseline_of_today_lets_today_pass_and_only_that() -> None:
    first = judge(POLICY, [lint(HIGH), audit(ADVISORY)], TODAY)
    baseline = baseline_of(first, POLICY, today=TODAY, owner="o", path="b.toml")
    assert decided(baseline, lint(HIGH), audit(ADVISORY)).decision is Decision.PASS
    assert [one.owner for one in baseline.entries] == ["o", "o"]


def test_written_again_it_keeps_dates_owners_and_ends_and_drops_what_is_gone() -> None:
    before = known(HIGH, ADVISORY, recorded=date(2026, 9, 1), expires=date(2027, 1, 1))
    new = replace(HIGH, key="new")
    verdict = decided(before, lint(HIGH, new), audit())
    after = baseline_of(verdict, POLICY, today=TODAY, owner="other", path="b.toml", before=before)
    assert [(one.key, one.recorded, one.owner, one.expires) for one in after.entries] == [
        ("app.py:1", date(2026, 9, 1), "o", date(2027, 1, 1)),
        ("new", TODAY, "other", None),
    ]


def test_written_again_it_does_not_renew_what_has_lapsed() -> None:
    before = known(HIGH, recorded=date(2026, 9, 1), expires=date(2026, 10, 1))
    verdict = decided(before, lint(HIGH))
    after = baseline_of(verdict, POLICY, today=TODAY, owner="o", path="b.toml", before=before)
    assert after.entries == before.entries
    assert decided(after, lint(HIGH)).decision is Decision.FAIL


def test_written_again_it_keeps_what_nobody_could_look_at_and_what_nobody_asked() -> None:
    before = known(HIGH, replace(HIGH, subject="function:Other"))
    verdict = judge(POLICY, [Outcome.unanswered("lint", AT, "no time")], TODAY, baseline=before.where(lambda entry: entry.subject == AT))
    after = baseline_of(verdict, POLICY, today=TODAY, owner="o", path="b.toml", before=before)
    assert after.entries == before.entries


def test_what_observes_or_is_below_the_threshold_is_not_recorded() -> None:
    low = replace(HIGH, severity=Severity.LOW)
    never = replace(POLICY, gates={"lint": GatePolicy(fail_on=FailOn(threshold=None))})
    observes = replace(POLICY, gates={"lint": GatePolicy(enforce_from=TODAY + timedelta(days=1))})
    for policy, finding in ((POLICY, low), (never, HIGH), (observes, HIGH)):
        assert not baseline_of(judge(policy, [lint(finding)], TODAY), policy, today=TODAY, owner="o", path="b.toml").entries
