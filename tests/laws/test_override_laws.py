"""What holds of an override, whatever was found: it never makes a pass, and lets nothing through that it does not name."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from shipsafe.evidence.override_record import override_statement, read_override
from shipsafe.judge import beyond_override, judge, overridden
from shipsafe.model.attestation import Resource
from shipsafe.model.finding import Finding
from shipsafe.model.outcome import Outcome
from shipsafe.model.override import Override
from shipsafe.model.policy import Policy
from shipsafe.model.verdict import Decision, Verdict
from tests.laws.test_judge_laws import TODAY, findings, policies, unique_outcomes

AT = datetime(2026, 11, 21, 3, tzinfo=UTC)
ZIP = Resource(name="Pay.zip", digests={"sha256": "a" * 64})


def of(verdict: Verdict) -> Override:
    """All that keeps a verdict from passing, answered for."""
    return Override(
        reason="r", by="jo", at=AT, until=AT + timedelta(hours=24), policy="sha256:0",
        findings=frozenset(one.identity for one in verdict.blocking),
        questions=frozenset((one.gate, one.subject) for one in verdict.unanswered),
    )  # fmt: skip


@given(policies, unique_outcomes)
def test_it_is_never_a_pass_and_everything_that_was_found_stays(policy: Policy, seen: list[Outcome]) -> None:
    verdict = judge(policy, seen, TODAY)
    after = overridden(verdict, of(verdict), policy)
    assert after.decision is not Decision.PASS or verdict.decision is not Decision.PASS
    assert replace(after, decision=verdict.decision, override=None) == verdict
    assert (after.decision is Decision.OVERRIDDEN) == (after.override is not None)


@given(policies, unique_outcomes)
def test_what_nobody_looked_at_or_is_broken_stays_so(policy: Policy, seen: list[Outcome]) -> None:
    verdict = judge(policy, seen, TODAY)
    for decision in (Decision.NOTHING, Decision.BROKEN):
        told = replace(verdict, decision=decision)
        assert overridden(told, of(verdict), policy) == told


@given(policies, unique_outcomes, findings, st.integers(0, 5))
def test_a_finding_that_it_does_not_name_is_not_let_through(policy: Policy, seen: list[Outcome], finding: Finding, at: int) -> None:
    if not seen:
        return
    verdict = judge(policy, seen, TODAY)
    new = replace(finding, key="another")
    chosen = seen[at % len(seen)]
    later = judge(policy, [replace(one, findings=(*one.findings, new)) if one is chosen else one for one in seen], TODAY)
    after = overridden(later, of(verdict), policy)
    if new in later.blocking or len(later.unanswered) > len(verdict.unanswered):
        named = of(verdict).questions
        assert after.override is None or all((one.gate, one.subject) in named for one in later.unanswered)
    if new in later.blocking:
        assert after == later


@given(policies, unique_outcomes, st.sampled_from(["dependencies/malicious", "LINT/A", "MAL-2026-1"]))
def test_an_attack_and_what_nobody_may_waive_is_never_let_through(policy: Policy, seen: list[Outcome], name: str) -> None:
    policy = replace(policy, unwaivable=(name,))
    verdict = judge(policy, seen, TODAY)
    after = overridden(verdict, of(verdict), policy)
    if any(beyond_override(one, policy) for one in verdict.blocking):
        assert after == verdict


@settings(deadline=None)  # the first one compiles the schema
@given(policies, unique_outcomes)
def test_what_is_stated_of_it_is_read_back(policy: Policy, seen: list[Outcome]) -> None:
    verdict = judge(policy, seen, TODAY)
    made = of(verdict)
    statement = override_statement(made, zips=[ZIP], findings=verdict.blocking, unanswered=verdict.unanswered)
    said = read_override(statement, shown="x")
    assert (said.findings, said.questions, said.subjects, said.at, said.until) == (
        made.findings,
        made.questions,
        ("a" * 64,),
        AT,
        made.until,
    )
    assert len(said.over) == len(verdict.blocking) + len(verdict.unanswered)
