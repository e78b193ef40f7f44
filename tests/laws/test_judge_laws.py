"""What holds for every policy, every set of outcomes and every day."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shipsafe.judge import judge
from shipsafe.model.finding import Effect, Finding
from shipsafe.model.outcome import Outcome, State
from shipsafe.model.policy import FailOn, GatePolicy, Mode, Policy, Waiver
from shipsafe.model.project import PROJECT
from shipsafe.model.severity import Severity
from shipsafe.model.verdict import Decision
from shipsafe.policy.keys import ABOUT_PROJECT

TODAY = date(2026, 11, 21)
OF_SUBJECTS = ("lint", "layers", "package")
GATES = (*OF_SUBJECTS, *ABOUT_PROJECT)
SUBJECTS = ("function:A", "layer:B")
# Nothing answered is worse than a fault that was found: nobody looked at all.
BADNESS = {Decision.PASS: 0, Decision.FAIL: 1, Decision.INCOMPLETE: 2, Decision.NOTHING: 2}

days = st.integers(-30, 30).map(lambda number: TODAY + timedelta(days=number))
findings = st.builds(
    Finding, rule=st.sampled_from(["lint/a", "layers/b", "workflows/c"]), subject=st.sampled_from([*SUBJECTS, PROJECT]),
    message=st.just("m"), remedy=st.just("r"),
    severity=st.sampled_from(Severity), key=st.sampled_from("xyz"), suppressed=st.sampled_from(["", "", "# nosec"]),
    effect=st.sampled_from([Effect.FAIL, Effect.FAIL, Effect.INCOMPLETE]), advisory=st.none(), fixed_versions=st.just(()))  # fmt: skip
places = st.tuples(st.sampled_from(OF_SUBJECTS), st.sampled_from(SUBJECTS)) | st.tuples(st.sampled_from(ABOUT_PROJECT), st.just(PROJECT))
outcomes = st.builds(
    lambda place, **rest: Outcome(gate=place[0], subject=place[1], **rest), places, state=st.sampled_from(State), reason=st.just("why"),
    findings=st.lists(findings, max_size=3).map(tuple))  # fmt: skip
unique_outcomes = st.lists(outcomes, max_size=6, unique_by=lambda one: (one.gate, one.subject))
waivers = st.builds(
    Waiver, target=st.sampled_from(["lint/a", "LAYERS/B", "other"]), subject=st.sampled_from(["A", "layer:B", "*"]), reason=st.just("r"),
    owner=st.just("o"), expires=days, until_fixed=st.booleans())  # fmt: skip
gate_policies = st.builds(
    GatePolicy, mode=st.sampled_from(Mode), enforce_from=st.none() | days, unscored_blocks=st.booleans(),
    fail_on=st.builds(FailOn, threshold=st.none() | st.sampled_from([level for level in Severity if level is not Severity.UNSCORED]),
                      fixable_only=st.booleans()))  # fmt: skip
policies = st.builds(
    Policy, path=st.none(), digest=st.just("d"), required=st.lists(st.sampled_from(GATES), unique=True).map(tuple),
    gates=st.fixed_dictionaries(dict.fromkeys(GATES, gate_policies)), waivers=st.lists(waivers, max_size=2).map(tuple))  # fmt: skip


def badness(policy: Policy, seen: list[Outcome]) -> int:
    return BADNESS[judge(policy, seen, TODAY).decision]


@given(policies, unique_outcomes, findings, st.integers(0, 5))
def test_adding_a_finding_never_improves_a_verdict(policy: Policy, seen: list[Outcome], finding: Finding, at: int) -> None:
    if not seen:
        return
    chosen = seen[at % len(seen)]
    more = [replace(one, findings=(*one.findings, finding)) if one is chosen else one for one in seen]
    assert badness(policy, more) >= badness(policy, seen)


@given(policies, unique_outcomes, st.integers(0, 5))
def test_losing_an_outcome_of_a_required_gate_never_improves_a_verdict(policy: Policy, seen: list[Outcome], at: int) -> None:
    """All gates are required here, and every subject is still seen through another gate."""
    policy = replace(
        policy, required=GATES, gates={gate: replace(policy.gate(gate), mode=Mode.ENFORCE, enforce_from=None) for gate in GATES}
    )
    if not seen:
        return
    lost = seen[at % len(seen)]
    rest = [one for one in seen if one is not lost]
    left = {one.subject for one in rest}
    if lost.subject in left or (lost.subject == PROJECT and left):
        assert badness(policy, rest) >= badness(policy, seen)


@given(policies, unique_outcomes, st.randoms(use_true_random=False))
def test_the_order_of_outcomes_does_not_matter(policy: Policy, seen: list[Outcome], chance: object) -> None:
    shuffled = list(seen)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis hands over a random.Random
    one, other = judge(policy, seen, TODAY), judge(policy, shuffled, TODAY)
    assert (one.decision, one.unanswered) == (other.decision, other.unanswered)
    assert sorted(map(str, one.blocking)) == sorted(map(str, other.blocking))


@given(policies, unique_outcomes, waivers)
def test_a_waiver_never_makes_a_verdict_worse(policy: Policy, seen: list[Outcome], waiver: Waiver) -> None:
    assert badness(replace(policy, waivers=(*policy.waivers, waiver)), seen) <= badness(policy, seen)


@given(policies, unique_outcomes)
def test_a_tighter_policy_never_improves_a_verdict(policy: Policy, seen: list[Outcome]) -> None:
    strictest = GatePolicy(mode=Mode.ENFORCE, fail_on=FailOn(threshold=Severity.LOW), unscored_blocks=True)
    tight = replace(policy, required=GATES, gates=dict.fromkeys(GATES, strictest), waivers=())
    assert badness(tight, seen) >= badness(policy, seen)


@given(policies, unique_outcomes)
def test_a_pass_has_an_answer_and_nothing_that_blocks(policy: Policy, seen: list[Outcome]) -> None:
    verdict = judge(policy, seen, TODAY)
    if verdict.decision is Decision.PASS:
        assert any(one.state is State.ANSWERED and one.subject != PROJECT for one in seen)
        assert not verdict.blocking
        assert not verdict.unanswered
