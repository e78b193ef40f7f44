import re
from dataclasses import replace
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from shipsafe.errors import IncompleteError
from shipsafe.model.finding import Finding
from shipsafe.model.location import Location
from shipsafe.model.severity import Severity
from shipsafe.model.verdict import Decision, Unanswered, Verdict
from shipsafe.reports import load
from shipsafe.reports.github import SUMMARY_LIMIT, write_step_summary
from shipsafe.reports.markdown import markdown
from tests.reports.sample import DECISIONS, SHELL, record

_COMMAND = re.compile(r"::(error|warning|notice) ((?:[a-z]+=[^,:\r\n]*,?)+)::[^\r\n]*")


@pytest.mark.parametrize("decision", DECISIONS)
def test_annotations_read_like_this(decision: Decision, snapshot: SnapshotAssertion) -> None:
    assert load("github").write(record(decision)) == snapshot


def _annotations(*findings: Finding, unanswered: int = 0) -> list[str]:
    missing = tuple(Unanswered(gate="lint", subject="function:A", reason=f"reason {each}") for each in range(unanswered))
    verdict = Verdict(decision=Decision.FAIL, blocking=findings, unanswered=missing)
    return load("github").write(replace(record(Decision.FAIL), verdict=verdict)).splitlines()


@pytest.mark.parametrize(
    "evil",
    [
        "a\n::set-env name=PATH::/evil",
        "%0A::error::x",
        "\r::add-mask::x",
        "\x1b[2J",
        "::stop-commands::t",
        "##[error]x",
        "a,line=1::x:",
    ],
)
def test_no_text_from_outside_can_give_a_command(evil: str) -> None:
    finding = replace(SHELL, message=evil, remedy=evil, rule=evil, subject=evil, location=Location(path=f"src/{evil}", line=1))
    lines = _annotations(finding)
    assert len(lines) == 2, "one annotation and the verdict"
    assert _COMMAND.fullmatch(lines[0])
    assert "\x1b" not in lines[0]
    assert "##[" not in lines[0]
    properties = lines[0].split("::")[1]
    assert properties.count(",") == 2, "file, line and title, whatever they hold"


def test_ten_of_a_level_are_shown_the_worst_first_and_the_rest_is_counted() -> None:
    low = [replace(SHELL, key=f"{each}", severity=Severity.LOW, message=f"low {each}") for each in range(20)]
    worst = replace(SHELL, severity=Severity.CRITICAL, message="the worst", key="worst")
    lines = _annotations(*low, worst)
    assert sum(line.startswith("::error ") for line in lines) == 10
    assert "the worst" in lines[0]
    assert lines[10] == "... and 11 more errors; the step summary and the other reports have all."


def test_ten_are_shown_without_a_line_about_more() -> None:
    lines = _annotations(*(replace(SHELL, key=f"{each}", message=f"{each}") for each in range(10)))
    assert len(lines) == 11


def test_what_is_unanswered_is_an_error_and_stands_first() -> None:
    lines = _annotations(SHELL, unanswered=2)
    assert [line.split("::")[2] for line in lines[:2]] == ["function:A: reason 0", "function:A: reason 1"]


def test_files_are_named_from_the_root_of_the_repository() -> None:
    assert "file=services/orders/src/app.py,line=40,col=5," in _annotations(SHELL)[0]


def test_the_step_summary_is_appended_and_stays_under_the_limit(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n", encoding="utf-8")
    run = record(Decision.FAIL)
    write_step_summary(run, summary)
    assert summary.read_text(encoding="utf-8") == f"before\n{markdown(run)}"

    found = tuple(replace(SHELL, key=f"{each}", message=f"{each} {'ä' * 400}") for each in range(3000))
    write_step_summary(replace(run, verdict=Verdict(decision=Decision.FAIL, blocking=found)), summary)
    assert SUMMARY_LIMIT - 2000 < summary.stat().st_size <= SUMMARY_LIMIT
    assert re.search(r"… \d+ more findings", summary.read_text(encoding="utf-8"))


def test_a_summary_that_cannot_be_written_is_our_error(tmp_path: Path) -> None:
    with pytest.raises(IncompleteError, match="Cannot be written"):
        write_step_summary(record(Decision.PASS), tmp_path)
