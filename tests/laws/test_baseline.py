"""What holds for every baseline, every set of outcomes and every day."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shipsafe.judge import judge
from shipsafe.model.baseline import Baseline, BaselineEntry
from shipsafe.model.finding import Finding
from shipsafe.model.outcome import Outcome
from shipsafe.model.policy import Policy
from shipsafe.model.verdict import Decision
from shipsafe.policy.recording import baseline_of, not_recordable, would_block
from tests.laws.test_judge_laws import BADNESS, TODAY, findings, policies, unique_outcomes

DAYS = st.integers(-30, 0).map(lambda number: TODAY + timedelta(days=number))
ENDS = st.none() | st.integers(-5, 30).map(lambda number: TODAY + timedelta(days=number))
ENTRIES = st.builds(lambda finding, day, end: BaselineEntry.of(finding, today=day, owner="o", expires=end), findings, DAYS, ENDS)
BASELINES = st.lists(ENTRIES, max_size=4).map(
    lambda found: Baseline(path="b", entries=tuple(sorted(set(found), key=lambda one: one.order)))
)
POLICIES = st.builds(
    lambda policy, forbidden, longest: replace(policy, unwaivable=forbidden, longest_baseline=longest),
    policies,
    st.sampled_from([(), ("lint/a",)]),
    st.none() | st.just(timedelta(days=10)),
)


@given(POLICIES, unique_outcomes, BASELINES)
def test_a_baseline_moves_findings_out_of_what_blocks_and_changes_nothing_else(
    policy: Policy, seen: list[Outcome], known: Baseline
) -> None:
    without, verdict = judge(policy, seen, TODAY), judge(policy, seen, TODAY, baseline=known)
    assert sorted(map(str, would_block(verdict))) == sorted(map(str, without.blocking))
    same = ("allowed", "waived", "unanswered", "not_asked", "waiver_notes")
    assert all(getattr(verdict, name) == getattr(without, name) for name in same)
    assert BADNESS[verdict.decision] <= BADNESS[without.decision]
    assert without.decision in (Decision.FAIL, verdict.decision)


@given(POLICIES, unique_outcomes, BASELINES, findings)
def test_a_finding_that_is_in_no_baseline_blocks_as_without_one(policy: Policy, seen: list[Outcome], known: Baseline, new: Finding) -> None:
    new = replace(new, key="new")
    seen = (
        [*seen[1:], Outcome.answered("package", new.subject, [new])] if not seen else [replace(seen[0], findings=(*seen[0].findings, new))]
    )
    without, verdict = judge(policy, seen, TODAY), judge(policy, seen, TODAY, baseline=known)
    assert (new in verdict.blocking) == (new in without.blocking)


@given(POLICIES, unique_outcomes, BASELINES)
def test_what_is_recorded_today_blocks_no_more_and_recording_it_again_changes_nothing(
    policy: Policy, seen: list[Outcome], before: Baseline
) -> None:
    first = judge(policy, seen, TODAY, baseline=before)
    made = baseline_of(first, policy, today=TODAY, owner="o", path="b", before=before)
    second = judge(policy, seen, TODAY, baseline=made)
    lapsed = Baseline(path="", entries=tuple(one.entry for one in second.lapsed))
    assert all(finding in not_recordable(second, policy) or lapsed.about(finding) for finding in second.blocking)
    assert baseline_of(second, policy, today=TODAY, owner="other", path="b", before=made).entries == made.entries
    assert set(made.entries) >= {item.entry for item in first.baselined}


@given(POLICIES, unique_outcomes, BASELINES, st.integers(0, 60))
def test_time_only_makes_a_baseline_weaker(policy: Policy, seen: list[Outcome], known: Baseline, later: int) -> None:
    policy = replace(policy, waivers=(), gates={gate: replace(one, enforce_from=None) for gate, one in policy.gates.items()})
    day: date = TODAY + timedelta(days=later)
    now, then = judge(policy, seen, TODAY, baseline=known), judge(policy, seen, day, baseline=known)
    assert {item.finding for item in then.baselined} <= {item.finding for item in now.baselined}
