"""What gates said is judged from a bundle as it was judged when it was said: under every policy, on every day."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from shipsafe.evidence.envelope import read_envelope, statement_of, written
from shipsafe.evidence.gate_statement import gates_statement, read_gates
from shipsafe.judge import judge
from shipsafe.model.attestation import Resource, Role
from shipsafe.model.finding import Finding
from shipsafe.model.outcome import Outcome
from shipsafe.model.policy import Policy
from shipsafe.model.project import PROJECT
from shipsafe.model.record import RunRecord
from tests.evidence.shapes import closed
from tests.laws.test_judge_laws import TODAY, days, policies, unique_outcomes
from tests.laws.test_reports import FINDINGS

ZIP = Resource(name="A.zip", digests={"sha256": "a" * 64})
SUBJECT = "function:A"
SHAPE = closed("gates-v1")
DIGEST = f"sha256:{'d' * 64}"


def through_a_bundle(policy: Policy, seen: tuple[Outcome, ...], today: date) -> tuple[Outcome, ...]:
    """What a reader of the bundle has, which fits the published shape."""
    verdict = judge(policy, seen, today)
    record = RunRecord(command="build", project="p", verdict=verdict, policy_digest=DIGEST, tools={"shipsafe": "1"}, outcomes=seen)
    statement = gates_statement(record, ZIP, subject=SUBJECT, asked_by=Role.BUILDER, policy=policy)
    read = statement_of(read_envelope(written(statement, ()), shown="b"), shown="b")
    SHAPE.validate(read.predicate)
    said = read_gates(read, shown="b")
    assert said.decision == verdict.decision
    own = [one.finding for one in verdict.waived if one.finding in [found for outcome in said.outcomes for found in outcome.findings]]
    assert sorted(map(str, {one.finding for one in said.waived})) == sorted(map(str, set(own)))
    return said.outcomes


@given(policies, policies, unique_outcomes, days)
def test_another_policy_judges_what_was_read_as_it_would_have_judged_what_was_said(
    one: Policy, other: Policy, seen: list[Outcome], day: date
) -> None:  # fmt: skip
    own = tuple(outcome for outcome in seen if outcome.subject in (SUBJECT, PROJECT))  # what is said of the project is said with each zip
    if own:
        read = through_a_bundle(one, tuple(seen), TODAY)
        assert read == own
        assert judge(other, read, day) == judge(other, own, day)


@given(FINDINGS, st.lists(st.text(max_size=5), max_size=2))
def test_whatever_a_finding_says_comes_back(findings: tuple[Finding, ...], notes: list[str]) -> None:
    said = (Outcome.answered("lint", SUBJECT, findings, notes=notes),)
    assert through_a_bundle(Policy(path=None, digest=DIGEST), said, TODAY) == said
