"""What gates said, stated and read again: nothing that the judge needs is lost, and nothing that does not fit is taken."""

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from shipsafe.errors import IntegrityError
from shipsafe.evidence.envelope import payload, read_envelope, statement_of, written
from shipsafe.evidence.gate_statement import gates_statement, read_gates
from shipsafe.judge import judge
from shipsafe.model.attestation import Resource, Role, Statement
from shipsafe.model.baseline import Baseline, BaselineEntry, BaselineFile
from shipsafe.model.finding import Finding
from shipsafe.model.outcome import Outcome
from shipsafe.model.policy import GatePolicy, Mode, Policy, Waiver
from shipsafe.model.record import RunRecord
from shipsafe.model.severity import Severity
from shipsafe.model.verdict import Decision, Waived
from shipsafe.model.vex import Product, Status, VexDocument
from shipsafe.model.vex import Statement as Vex
from tests.evidence.shapes import closed
from tests.reports import sample

ZIP = Resource(name="Orders.zip", digests={"sha256": "a" * 64})
TODAY = date(2026, 11, 21)
POLICY = Policy(
    path="shipsafe.toml",
    digest=f"sha256:{'c' * 64}",
    gates={"lint": GatePolicy(mode=Mode.OBSERVE, settings={"since": TODAY, "of": (1, 2)})},
)


def stated(record: RunRecord, subject: str = sample.ORDERS, asked_by: Role = Role.BUILDER) -> Statement:
    """As it comes out of a bundle."""
    line = written(gates_statement(record, ZIP, subject=subject, asked_by=asked_by, policy=POLICY), ())
    return statement_of(read_envelope(line, shown="b"), shown="b")


def finding(**more: Any) -> Finding:
    return Finding(
        **{"rule": "lint/B602", "subject": sample.ORDERS, "message": "m", "remedy": "r", "severity": Severity.HIGH, "key": "k", **more}
    )


@pytest.mark.parametrize("decision", sample.DECISIONS)
@pytest.mark.parametrize("subject", [sample.ORDERS, sample.BILLING, sample.LAYER])
def test_what_was_answered_is_read_again(decision: Decision, subject: str) -> None:
    record = sample.record(decision)
    statement = stated(record, subject)
    closed("gates-v1").validate(statement.predicate)
    said = read_gates(statement, shown="b")
    assert said.outcomes == tuple(one for one in record.outcomes if one.subject == subject)
    assert (said.decision, said.asked_by, said.subject) == (decision, "builder", subject)
    assert said.waived == tuple(one for one in record.verdict.waived if one.finding.subject == subject)
    assert said.advisories == record.advisories
    assert (said.policy, said.policy_digest, said.tools) == (record.policy, record.policy_digest, record.tools)


def test_it_can_be_judged_again_under_another_policy_and_on_another_day() -> None:
    waiver = Waiver(target="lint/B602", subject="Orders", reason="r", owner="o", expires=TODAY)
    policy = replace(POLICY, gates={}, waivers=(waiver,))
    outcomes = (Outcome.answered("lint", sample.ORDERS, [finding()]), Outcome.answered("package", sample.ORDERS))
    verdict = judge(policy, outcomes, TODAY)
    assert verdict.decision is Decision.PASS
    said = read_gates(stated(replace(sample.record(Decision.PASS), outcomes=outcomes, verdict=verdict)), shown="b")
    assert said.waived == (Waived(finding=finding(), waiver=waiver),)
    assert judge(policy, said.outcomes, TODAY) == verdict
    assert judge(policy, said.outcomes, date(2026, 11, 22)).decision is Decision.FAIL
    assert judge(replace(policy, waivers=()), said.outcomes, TODAY).decision is Decision.FAIL


def test_a_finding_that_a_baseline_or_a_vex_statement_allows_says_so() -> None:
    known, cleared = finding(), finding(rule="dependencies/vulnerable", advisory="CVE-2026-1", package="p", version="1")
    entry = BaselineEntry.of(known, today=TODAY, owner="o")
    vex = Vex(
        source="v.json",
        pointer="/statements/0",
        vulnerability="CVE-2026-1",
        status=Status.NOT_AFFECTED,
        author="a",
        products=(Product(text="p", package="p"),),
        time=datetime(2026, 11, 1, tzinfo=UTC),
        justification="vulnerable_code_not_present",
    )
    outcomes = (Outcome.answered("lint", sample.ORDERS, [known]), Outcome.answered("dependencies", sample.ORDERS, [cleared]))
    policy = replace(POLICY, gates={})
    verdict = judge(policy, outcomes, TODAY, baseline=Baseline(path="known.toml", entries=(entry,)), statements=[vex])
    assert verdict.decision is Decision.PASS
    record = replace(
        sample.record(Decision.PASS),
        outcomes=outcomes,
        verdict=verdict,
        baseline=BaselineFile(path="known.toml", sha256="b" * 64, entries=1),
        vex=(VexDocument(path="v.json", sha256="d" * 64, format="OpenVEX 0.2.0", statements=1),),
    )
    statement = stated(record)
    closed("gates-v1").validate(statement.predicate)
    said = read_gates(statement, shown="b")
    assert (said.waived, said.baselined) == (verdict.waived, verdict.baselined)
    assert said.waived[0].statement == vex
    assert (said.vex, said.baseline) == (record.vex, ("known.toml", "b" * 64))
    assert (
        judge(policy, said.outcomes, TODAY, baseline=Baseline(path="known.toml", entries=(said.baselined[0].entry,)), statements=[vex])
        == verdict
    )


def test_settings_are_those_that_decided_and_hold_no_value_that_json_has_not() -> None:
    settings = stated(sample.record(Decision.PASS)).predicate["settings"]
    assert settings["lint"] == {"mode": "enforce", "fail-on": "high", "unscored": "allow", "own": {"since": "2026-11-21", "of": [1, 2]}}
    assert settings["layers"]["mode"] == "observe", "the mode on the day of the run"


def test_half_a_character_in_a_name_does_not_keep_a_build_from_stating_what_it_found() -> None:
    odd = (Outcome.answered("lint", sample.ORDERS, [finding(message="\ud800", key="\udfff.py")], evidence={"\ud800": "\ud800"}),)
    record = sample.record(Decision.PASS)
    said = read_gates(stated(replace(record, outcomes=odd, verdict=judge(POLICY, odd, TODAY))), shown="b")
    assert said.outcomes[0].findings[0].message == "\N{REPLACEMENT CHARACTER}"


def test_what_is_asked_about_the_project_is_stated_of_each_artifact_and_what_is_asked_of_others_is_not() -> None:
    about = Outcome.unanswered("template", "project", "A macro.")
    record = sample.record(Decision.PASS)
    said = read_gates(stated(replace(record, outcomes=(*record.outcomes, about))), shown="b")
    assert {one.subject for one in said.outcomes} == {sample.ORDERS, "project"}


def test_the_same_run_gives_the_same_bytes_and_a_signers_are_others() -> None:
    one, two = (
        gates_statement(sample.record(Decision.PASS), ZIP, subject=sample.ORDERS, asked_by=Role.BUILDER, policy=POLICY) for _ in "12"
    )
    assert payload(one) == payload(two)
    signer = stated(sample.record(Decision.PASS), asked_by=Role.SIGNER)
    assert read_gates(signer, shown="b").asked_by == "signer"
    assert signer != stated(sample.record(Decision.PASS))


def test_a_field_that_a_later_version_adds_is_ignored() -> None:
    predicate = json.loads(json.dumps(stated(sample.record(Decision.PASS)).predicate))
    before = read_gates(Statement(subjects=(ZIP,), kind="urn:shipsafe:gates:v1", predicate=predicate), shown="b")
    more = copy.deepcopy(predicate)
    _add_everywhere(more)
    assert read_gates(Statement(subjects=(ZIP,), kind="urn:shipsafe:gates:v1", predicate=more), shown="b") == before


def _add_everywhere(value: Any, name: str = "") -> None:
    if isinstance(value, dict):
        for key, inner in list(value.items()):
            _add_everywhere(inner, key)
        if name not in ("evidence", "tools", "settings", "own", "source"):
            value["later"] = 1
    elif isinstance(value, list):
        for inner in value:
            _add_everywhere(inner)


def _set(*path: str | int, to: object) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        for part in path[:-1]:
            document = document[part]
        document[path[-1]] = to

    return change


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.clear(),
        lambda document: document.pop("outcomes"),
        _set("outcomes", to=[]),
        _set("askedBy", to="nobody"),
        _set("decision", to="PERHAPS"),
        _set("subject", to="Orders"),
        _set("policy", to=None),
        _set("outcomes", 0, "state", to="maybe"),
        _set("outcomes", 0, to={}),
        _set("outcomes", 0, "findings", to=[{}]),
        _set("outcomes", 0, "findings", to={}),
        _set("tools", to={}),
    ],
)
def test_what_is_not_of_the_published_shape_is_refused(change: Callable[[Any], object]) -> None:
    predicate = json.loads(json.dumps(stated(sample.record(Decision.PASS)).predicate))
    change(predicate)
    with pytest.raises(IntegrityError, match="It is not urn:shipsafe:gates:v1"):
        read_gates(Statement(subjects=(ZIP,), kind="urn:shipsafe:gates:v1", predicate=predicate), shown="b")


def test_a_day_that_there_is_not_is_refused() -> None:
    predicate = json.loads(json.dumps(stated(sample.record(Decision.PASS), sample.LAYER).predicate))
    waived = [one for outcome in predicate["outcomes"] for one in outcome["findings"] if one["waiver"]]
    assert waived
    waived[0]["waiver"]["expires"] = "2026-02-31"
    with pytest.raises(IntegrityError, match=r"cannot be read|is not urn"):
        read_gates(Statement(subjects=(ZIP,), kind="urn:shipsafe:gates:v1", predicate=predicate), shown="b")
