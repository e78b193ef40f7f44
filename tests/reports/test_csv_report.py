"""What a spreadsheet shows of a run."""

import csv
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipsafe.model.baseline import BaselineEntry
from shipsafe.model.record import RunRecord
from shipsafe.model.verdict import Baselined, Decision, Verdict
from shipsafe.reports import csv_report, load
from tests.reports.sample import DECISIONS, ORDERS, SHELL, record


def rows(run: RunRecord) -> list[dict[str, str]]:
    return list(csv.DictReader(load("csv").write(run).splitlines()))


def only(message: str) -> dict[str, str]:
    """The row of a run that found one thing."""
    finding = replace(SHELL, message=message)
    (row,) = rows(replace(record(Decision.FAIL), outcomes=(), verdict=Verdict(decision=Decision.FAIL, blocking=(finding,))))
    return row


def test_the_header_is_what_the_documentation_says() -> None:
    assert load("csv").write(record(Decision.PASS)).splitlines()[0] == ",".join(f'"{name}"' for name in csv_report.COLUMNS)
    page = csv_report.__doc__ or ""
    assert all(name in page for name in csv_report.COLUMNS)


@pytest.mark.parametrize("decision", DECISIONS)
def test_every_finding_has_one_row(decision: Decision) -> None:
    run = record(decision)
    found = sorted(finding.identity for outcome in run.outcomes for finding in outcome.findings)
    assert sorted(row["identity"] for row in rows(run) if row["identity"]) == found


def test_a_question_without_an_answer_has_a_row_too() -> None:
    (row,) = [row for row in rows(record(Decision.INCOMPLETE)) if row["gate"] == "dependencies" and row["subject"] == ORDERS]
    assert row["decision"] == "unanswered"
    assert row["message"].startswith("The snapshot is 9 days old.")
    assert row["severity"] == ""


def test_what_is_known_says_since_when_and_who_answers_for_it() -> None:
    entry = BaselineEntry.of(SHELL, today=date(2026, 10, 1), owner="team@example.com", expires=date(2027, 1, 1))
    verdict = Verdict(decision=Decision.PASS, baselined=(Baselined(finding=SHELL, entry=entry),))
    (row,) = rows(replace(record(Decision.PASS), outcomes=(), verdict=verdict))
    known = ("known", "2026-10-01", "2027-01-01", "team@example.com")
    assert (row["decision"], row["since"], row["until"], row["owner"]) == known


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'=1"),
        ("\r\n=1", "'=1"),
        ('"=1', "'\"=1"),
        ("x;=cmd|' /C calc'!A0", "x;'=cmd|' /C calc'!A0"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("a=b, 1-2 and me@example.com", "a=b, 1-2 and me@example.com"),
    ],
)
def test_no_cell_is_a_formula(text: str, cell: str) -> None:
    assert only(text)["message"] == cell


@given(st.lists(st.sampled_from([*";,=+-@'\" a", "\t", "\n", "\uff1d"]), max_size=12).map("".join), st.sampled_from([",", ";", "\t"]))
def test_whatever_the_separator_no_cell_begins_like_a_formula(text: str, separator: str) -> None:
    finding = replace(SHELL, message=text, remedy=text, key=text)
    out = load("csv").write(replace(record(Decision.FAIL), outcomes=(), verdict=Verdict(decision=Decision.FAIL, blocking=(finding,))))
    for row in csv.reader(out.splitlines(), delimiter=separator):
        assert not any(cell.lstrip(' "').startswith(("=", "+", "-", "@", "\t", "\uff1d")) for cell in row)
