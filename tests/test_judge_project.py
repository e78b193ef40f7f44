"""What the judge makes of a gate about the project: it is asked once, it is no look at what ships, and unasked it knows nothing."""

from datetime import date

import pytest

from shipsafe.judge import judge
from shipsafe.model.baseline import Baseline, BaselineEntry
from shipsafe.model.finding import Finding
from shipsafe.model.outcome import Outcome
from shipsafe.model.policy import GatePolicy, Mode, Policy, Waiver
from shipsafe.model.project import PROJECT
from shipsafe.model.severity import Severity
from shipsafe.model.verdict import Decision, WaiverNews

TODAY = date(2026, 11, 21)
LINT = Outcome.answered("lint", "function:Pay")
KEY = Finding(rule="workflows/long-lived-keys", subject=PROJECT, message="m", remedy="r", severity=Severity.HIGH, key="k")
WAIVER = Waiver(target=KEY.rule, subject=PROJECT, reason="r", owner="o", expires=date(2027, 6, 1))
EVERYWHERE = Waiver(target=KEY.rule, subject="*", reason="r", owner="o", expires=date(2027, 6, 1))
UNASKED = [[], [Outcome.not_asked("workflows", PROJECT, "not installed")], [Outcome.unanswered("workflows", PROJECT, "not YAML")]]


def workflows(*findings: Finding) -> Outcome:
    return Outcome.answered("workflows", PROJECT, findings)


def policy(*waivers: Waiver, required: bool = False, mode: Mode = Mode.ENFORCE) -> Policy:
    gates = {"lint": GatePolicy(), "workflows": GatePolicy(mode=mode)}
    return Policy(path=None, digest="d", required=("lint", "workflows") if required else (), gates=gates, waivers=waivers)


def test_its_findings_block_like_others() -> None:
    assert judge(policy(), [LINT, workflows(KEY)], TODAY).decision is Decision.FAIL
    assert judge(policy(WAIVER), [LINT, workflows(KEY)], TODAY).decision is Decision.PASS
    assert judge(policy(mode=Mode.OBSERVE), [LINT, workflows(KEY)], TODAY).decision is Decision.PASS


def test_required_it_is_missed_about_the_project_and_not_about_each_function() -> None:
    verdict = judge(policy(required=True), [LINT], TODAY)
    assert [(one.gate, one.subject) for one in verdict.unanswered] == [("workflows", PROJECT)]
    assert judge(policy(required=True), [LINT, workflows()], TODAY).decision is Decision.PASS
    assert judge(policy(required=True), [LINT, *UNASKED[1]], TODAY).decision is Decision.PASS
    assert judge(policy(required=True, mode=Mode.OBSERVE), [LINT], TODAY).decision is Decision.PASS


def test_an_answer_about_the_project_alone_is_no_pass() -> None:
    idle = Outcome.not_asked("lint", "function:Boxed", "an image")
    assert judge(policy(), [idle, workflows()], TODAY).decision is Decision.NOTHING
    assert judge(policy(), [workflows(KEY)], TODAY).decision is Decision.NOTHING


@pytest.mark.parametrize("outcomes", UNASKED)
@pytest.mark.parametrize("waiver", [WAIVER, EVERYWHERE])
def test_no_waiver_is_called_unused_where_nobody_looked(outcomes: list[Outcome], waiver: Waiver) -> None:
    assert judge(policy(waiver), [LINT, *outcomes], TODAY).waiver_notes == ()
    assert [note.news for note in judge(policy(waiver), [LINT, workflows()], TODAY).waiver_notes] == [WaiverNews.UNUSED]


@pytest.mark.parametrize("outcomes", UNASKED)
def test_nothing_is_called_gone_where_nobody_looked(outcomes: list[Outcome]) -> None:
    known = Baseline(path="b.toml", entries=(BaselineEntry.of(KEY, today=TODAY, owner="o", expires=None),))
    assert judge(policy(), [LINT, *outcomes], TODAY, baseline=known).vanished == ()
    assert judge(policy(), [LINT, workflows()], TODAY, baseline=known).vanished == known.entries
