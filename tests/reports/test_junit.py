"""What a CI system shows of a run."""

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipsafe.model.finding import Finding
from shipsafe.model.outcome import Outcome
from shipsafe.model.record import RunRecord
from shipsafe.model.severity import Severity
from shipsafe.model.verdict import Decision, Unanswered, Verdict
from shipsafe.reports import load
from tests.reports.sample import BILLING, DECISIONS, IMAGE, LAYER, ORDERS, SHELL, record

# Of jenkinsci/xunit-plugin, junit-10.xsd: element -> attributes that it must have, those that it may have, and its children.
SCHEMA: dict[str, tuple[set[str], set[str], set[str]]] = {
    "testsuites": (set(), {"name", "time", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": ({"name", "tests", "failures", "errors"}, {"skipped", "time", "timestamp", "id"}, {"testcase", "properties"}),
    "testcase": ({"name"}, {"classname", "time", "group"}, {"skipped", "error", "failure", "system-out", "system-err"}),
    "failure": (set(), {"type", "message"}, set()),
    "error": (set(), {"type", "message"}, set()),
    "skipped": (set(), {"type", "message"}, set()),
    "system-out": (set(), set(), set()),
}


def written(run: RunRecord) -> ET.Element:
    return ET.fromstring(load("junit").write(run).encode())  # noqa: S314 - our own text, and whether it parses is the question


def case(root: ET.Element, subject: str, gate: str) -> ET.Element:
    (found,) = root.findall(f"testsuite[@name='{subject}']/testcase[@name='{gate}']")
    return found


@pytest.mark.parametrize("decision", Decision)
def test_it_holds_to_the_schema_of_jenkins(decision: Decision) -> None:
    for element in written(record(decision)).iter():
        needed, may, children = SCHEMA[element.tag]
        assert needed <= set(element.keys()) <= needed | may
        assert {child.tag for child in element} <= children
        assert len([child for child in element if child.tag in ("failure", "error", "skipped")]) <= (1 if element.tag == "testcase" else 0)


@pytest.mark.parametrize("decision", Decision)
def test_the_numbers_are_those_of_the_cases(decision: Decision) -> None:
    root = written(record(decision))
    for suite in (root, *root.findall("testsuite")):
        cases = list(suite.iter("testcase"))
        assert suite.get("tests") == str(len(cases))
        for kind in ("failure", "error"):
            assert suite.get(f"{kind}s") == str(sum(1 for one in cases if one.find(kind) is not None))


@pytest.mark.parametrize("decision", Decision)
def test_it_is_green_only_where_the_run_is(decision: Decision) -> None:
    root = written(record(decision))
    bad = root.findall(".//failure") + root.findall(".//error")
    assert bool(bad) == (decision not in (Decision.PASS, Decision.OVERRIDDEN))


@pytest.mark.parametrize("decision", DECISIONS)
def test_there_is_a_suite_for_each_subject_and_a_case_for_each_gate(decision: Decision) -> None:
    root = written(record(decision))
    suites = {suite.get("name"): [one.get("name") for one in suite] for suite in root.findall("testsuite")}
    assert suites == {subject: ["dependencies", "layers", "lint", "package", "sbom"] for subject in (ORDERS, BILLING, LAYER, IMAGE)}


def test_what_blocks_is_a_failure_that_says_where_and_what_to_do() -> None:
    failure = case(written(record(Decision.FAIL)), ORDERS, "lint").find("failure")
    assert failure is not None
    assert failure.get("message") == "blocks: 1 high"
    assert failure.text == "high lint/B602 src/app.py:40: subprocess is called with shell=True. Fix: Pass a list of arguments."


def test_what_could_not_be_looked_at_is_an_error_and_what_is_not_asked_is_skipped() -> None:
    root = written(record(Decision.INCOMPLETE))
    error = case(root, ORDERS, "dependencies").find("error")
    assert error is not None
    assert str(error.get("message")).startswith("The snapshot is 9 days old.")
    skipped = case(root, IMAGE, "lint").find("skipped")
    assert skipped is not None
    assert "container image" in str(skipped.get("message"))


def test_a_gate_that_observes_and_could_not_look_is_skipped_and_never_green() -> None:
    skipped = case(written(record(Decision.INCOMPLETE)), LAYER, "layers").find("skipped")
    assert skipped is not None
    assert skipped.get("message") == "unanswered, in a gate that observes: The gate could not read it."


def test_what_is_waived_stands_beside() -> None:
    beside = case(written(record(Decision.PASS)), LAYER, "package").find("system-out")
    assert beside is not None
    assert str(beside.text).startswith("waived: low package/startup-hook")


def test_a_required_gate_without_an_outcome_is_an_error() -> None:
    missing = Unanswered(gate="lint", subject=ORDERS, reason="The policy requires lint, and it was never asked.")
    verdict = Verdict(decision=Decision.INCOMPLETE, unanswered=(missing,))
    run = replace(record(Decision.PASS), outcomes=(Outcome.answered("sbom", ORDERS),), verdict=verdict)
    assert case(written(run), ORDERS, "lint").find("error") is not None
    assert case(written(run), ORDERS, "sbom").find("error") is None


ANY = st.text(st.characters(codec=None), max_size=30)


@given(ANY, ANY)
def test_whatever_stands_in_a_finding_it_is_xml(message: str, subject: str) -> None:
    """Control characters, halves of characters and U+FFFE are not allowed in XML 1.0, not even as entities."""
    finding = Finding(rule="lint/B602", subject=f"function:{subject}", message=message, remedy=message, severity=Severity.HIGH)
    run = RunRecord(
        command="check",
        project=subject,
        verdict=Verdict(decision=Decision.FAIL, blocking=(finding, SHELL)),
        outcomes=(Outcome.answered("lint", finding.subject, [finding]),),
    )
    assert len(written(run).findall(".//failure")) == 2
