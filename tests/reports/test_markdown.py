from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from shipsafe.model.location import Location
from shipsafe.model.record import RunRecord
from shipsafe.model.verdict import Decision, Verdict
from shipsafe.reports.markdown import markdown
from tests.reports.sample import DECISIONS, HOSTILE, SHELL, record


@pytest.mark.parametrize("decision", DECISIONS)
def test_markdown_reads_like_this(decision: Decision, snapshot: SnapshotAssertion) -> None:
    assert markdown(record(decision)) == snapshot


def _many(number: int) -> RunRecord:
    found = tuple(replace(SHELL, key=str(each), message=f"{HOSTILE} {each}") for each in range(number))
    return replace(record(Decision.FAIL), verdict=Verdict(decision=Decision.FAIL, blocking=found))


@pytest.mark.parametrize("limit", range(600, 12_000, 317))
def test_what_is_too_long_is_cut_between_rows_and_says_how_much_is_missing(limit: int) -> None:
    text = markdown(_many(60), limit_bytes=limit)
    assert len(text.encode()) <= limit
    tables = [line for line in text.split("\n") if line.startswith("|")]
    assert all(line.endswith("|") for line in tables)
    rows = sum("B602" in line for line in tables)
    assert f"… {60 - rows} more findings" in text


def test_without_need_nothing_is_cut() -> None:
    run = _many(60)
    assert markdown(run, limit_bytes=1_000_000) == markdown(run)
    assert "more findings" not in markdown(run)


def test_hostile_text_stays_in_its_cell() -> None:
    text = markdown(record(Decision.FAIL))
    row = next(line for line in text.split("\n") if "MAL-2026-1" in line)
    assert row.replace(r"\|", "").count("|") == 6
    assert "<b>" not in text
    assert "@org" not in text
    assert "![" not in text


@pytest.mark.parametrize(
    ("prefix", "path", "shown"),
    [
        ("", "src/app.py", "src/app.py"),
        ("services/orders", "src/app.py", "services/orders/src/app.py"),
        ("services/orders", "../shared.txt", "services/shared.txt"),
        ("services/orders", "/usr/lib/x.py", "/usr/lib/x.py"),
        ("../../etc", "src/app.py", "src/app.py"),
        ("/etc", "src/app.py", "src/app.py"),
    ],
)
def test_files_are_named_from_the_root_of_the_repository_where_that_is_known(prefix: str, path: str, shown: str) -> None:
    """In a repository of several projects, a name from one of them says nothing. What leads out of the repository counts for nothing."""
    finding = replace(SHELL, location=Location(path=path, line=40))
    run = replace(record(Decision.FAIL), prefix=prefix, verdict=Verdict(decision=Decision.FAIL, blocking=(finding,)))
    assert f" | {shown}:40 | " in markdown(run)


def test_a_project_without_a_template_says_where_it_lies() -> None:
    """Two may have the same name."""
    run = replace(record(Decision.FAIL), template=None)
    assert markdown(run).startswith("## shipsafe build: orders (services/orders)\n")
    assert markdown(replace(run, prefix="")).startswith("## shipsafe build: orders\n")
