"""The only place that decides."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from shipsafe.errors import ExitCode
from shipsafe.judge import judge
from shipsafe.model.finding import Effect, Finding
from shipsafe.model.outcome import UNCHANGED, Outcome
from shipsafe.model.policy import FailOn, GatePolicy, Mode, Policy, Waiver
from shipsafe.model.severity import Severity
from shipsafe.model.verdict import Decision, WaiverNews

TODAY = date(2026, 11, 21)
AT = "function:Billing"
HIGH = Finding(rule="lint/B602", subject=AT, message="m", remedy="r", severity=Severity.HIGH, key="k")
ADVISORY = Finding(rule="dependencies/vulnerable", subject=AT, message="m", remedy="r", severity=Severity.HIGH, key="jinja2",
                   advisory="PYSEC-1", aliases=("CVE-1", "GHSA-1"))  # fmt: skip
WAIVER = Waiver(target="lint/B602", subject="Billing", reason="r", owner="o", expires=date(2027, 6, 1))


def policy(*waivers: Waiver, required: tuple[str, ...] = (), **gate: object) -> Policy:
    """A policy with one kind of gate."""
    settings = GatePolicy(**gate)  # type: ignore[arg-type]  # the tests' own words
    return Policy(path=None, digest="d", required=required, gates=dict.fromkeys(("lint", "dependencies"), settings), waivers=waivers)


def lint(*findings: Finding) -> Outcome:
    return Outcome.answered("lint", AT, findings)


def test_nothing_found_is_a_pass() -> None:
    assert judge(policy(), [lint()], TODAY).decision is Decision.PASS


def test_nothing_answered_is_never_a_pass() -> None:
    assert judge(policy(), [], TODAY).decision is Decision.NOTHING
    assert judge(policy(), [Outcome.not_asked("lint", AT, "an image")], TODAY).decision is Decision.NOTHING


def test_a_finding_at_the_threshold_blocks_and_below_it_is_allowed() -> None:
    assert judge(policy(), [lint(HIGH)], TODAY).exit_code is ExitCode.FINDINGS
    verdict = judge(policy(), [lint(replace(HIGH, severity=Severity.MEDIUM))], TODAY)
    assert verdict.decision is Decision.PASS
    assert len(verdict.allowed) == 1


def test_never_blocks_nothing() -> None:
    assert judge(policy(fail_on=FailOn(threshold=None)), [lint(HIGH)], TODAY).decision is Decision.PASS


def test_fixable_blocks_only_what_can_be_fixed() -> None:
    rule = policy(fail_on=FailOn(threshold=Severity.HIGH, fixable_only=True))
    assert judge(rule, [Outcome.answered("dependencies", AT, [ADVISORY])], TODAY).decision is Decision.PASS
    fixed = replace(ADVISORY, fixed_versions=("2",))
    assert judge(rule, [Outcome.answered("dependencies", AT, [fixed])], TODAY).decision is Decision.FAIL


@pytest.mark.parametrize(("blocks", "decision"), [(False, Decision.PASS), (True, Decision.FAIL)])
def test_unscored_is_a_level_of_its_own(blocks: bool, decision: Decision) -> None:  # noqa: FBT001 - a table
    unscored = replace(HIGH, severity=Severity.UNSCORED)
    assert judge(policy(unscored_blocks=blocks), [lint(unscored)], TODAY).decision is decision


def test_a_gate_that_observes_never_blocks_and_still_shows() -> None:
    for rule in (policy(mode=Mode.OBSERVE), policy(enforce_from=date(2026, 11, 22))):
        verdict = judge(rule, [lint(HIGH), Outcome.unanswered("dependencies", AT, "no feed")], TODAY)
        assert verdict.decision is Decision.PASS
        assert verdict.allowed == (HIGH,)
    assert judge(policy(enforce_from=TODAY), [lint(HIGH)], TODAY).decision is Decision.FAIL


def test_incomplete_comes_before_fail_and_both_are_in_the_verdict() -> None:
    verdict = judge(policy(), [lint(HIGH), Outcome.unanswered("dependencies", AT, "no feed")], TODAY)
    assert verdict.exit_code is ExitCode.INCOMPLETE
    assert verdict.blocking == (HIGH,)
    assert [one.reason for one in verdict.unanswered] == ["no feed"]


def test_a_finding_that_says_nobody_could_look_is_incomplete_unless_waived() -> None:
    unaudited = replace(HIGH, severity=Severity.LOW, effect=Effect.INCOMPLETE)
    assert judge(policy(), [lint(unaudited)], TODAY).decision is Decision.INCOMPLETE
    assert judge(policy(WAIVER), [lint(unaudited)], TODAY).decision is Decision.PASS


def test_a_required_gate_without_an_outcome_is_unanswered() -> None:
    verdict = judge(policy(required=("lint", "dependencies")), [lint()], TODAY)
    assert [(one.gate, one.subject) for one in verdict.unanswered] == [("dependencies", AT)]
    asked = [lint(), Outcome.not_asked("dependencies", AT, "not Python")]
    assert judge(policy(required=("lint", "dependencies")), asked, TODAY).decision is Decision.PASS


def test_suppressed_findings_are_shown_and_do_not_block() -> None:
    verdict = judge(policy(), [lint(replace(HIGH, suppressed="# nosec at app.py:3"))], TODAY)
    assert (verdict.decision, len(verdict.allowed)) == (Decision.PASS, 1)


@pytest.mark.parametrize("target", ["PYSEC-1", "cve-1", "ghsa-1", "dependencies/vulnerable"])
@pytest.mark.parametrize("subject", ["Billing", "function:Billing", "*"])
def test_a_waiver_names_a_rule_or_any_id_of_an_advisory(target: str, subject: str) -> None:
    verdict = judge(policy(replace(WAIVER, target=target, subject=subject)), [Outcome.answered("dependencies", AT, [ADVISORY])], TODAY)
    assert verdict.decision is Decision.PASS
    assert verdict.waived[0].finding is ADVISORY


@pytest.mark.parametrize("subject", ["Other", "layer:Billing", "project"])
def test_a_waiver_for_another_subject_does_not_help(subject: str) -> None:
    verdict = judge(policy(replace(WAIVER, subject=subject)), [lint(HIGH)], TODAY)
    assert verdict.decision is Decision.FAIL
    assert [note.news for note in verdict.waiver_notes] == [WaiverNews.UNUSED]


def test_a_waiver_holds_on_its_last_day_and_says_that_it_ends() -> None:
    last = judge(policy(replace(WAIVER, expires=TODAY)), [lint(HIGH)], TODAY)
    assert (last.decision, last.waiver_notes[0].news) == (Decision.PASS, WaiverNews.EXPIRING)
    assert judge(policy(WAIVER), [lint(HIGH)], TODAY).waiver_notes == ()


def test_an_expired_waiver_gives_the_finding_back_and_says_so() -> None:
    verdict = judge(policy(replace(WAIVER, expires=date(2026, 11, 20))), [lint(HIGH)], TODAY)
    assert verdict.decision is Decision.FAIL
    assert verdict.waiver_notes[0].message == ("The waiver for lint/B602 at Billing (o) expired on 2026-11-20; what it allowed is back.")


@pytest.mark.parametrize("target", ["lint/B602", "CVE-2026-1"])
def test_a_waiver_is_not_called_unused_where_nobody_looked(target: str) -> None:
    waiver = Waiver(target=target, subject="Orders", reason="r", owner="o", expires=TODAY + timedelta(days=300))
    gate = "lint" if "/" in target else "dependencies"
    other = Outcome.answered("package", "function:Orders")
    silent = Outcome.unanswered(gate, "function:Orders", "the feed was down")
    unchanged = replace(Outcome.not_asked(gate, "function:Orders", "nothing changed"), evidence={UNCHANGED: "main"})
    for outcome, told in ((silent, 0), (unchanged, 0), (Outcome.answered(gate, "function:Orders"), 1), (replace(silent, subject="x"), 1)):
        assert len(judge(policy(waiver), (other, outcome), TODAY).waiver_notes) == told
    does_not_apply = Outcome.not_asked(gate, "function:Orders", "it is no Python")
    assert len(judge(policy(waiver), (other, does_not_apply), TODAY).waiver_notes) == 1
    # That it ends soon is worth saying all the same.
    soon = replace(waiver, expires=TODAY + timedelta(days=3))
    assert [note.news for note in judge(policy(soon), (other, unchanged), TODAY).waiver_notes] == [WaiverNews.EXPIRING]


def test_until_fixed_ends_when_a_fix_is_known() -> None:
    waiver = replace(WAIVER, target="CVE-1", expires=None, until_fixed=True)
    open_ended = [Outcome.answered("dependencies", AT, [ADVISORY])]
    assert judge(policy(waiver), open_ended, TODAY).decision is Decision.PASS
    fixed = [Outcome.answered("dependencies", AT, [replace(ADVISORY, fixed_versions=("2",))])]
    verdict = judge(policy(waiver), fixed, TODAY)
    assert (verdict.decision, verdict.waiver_notes[0].news) == (Decision.FAIL, WaiverNews.FIXED)
