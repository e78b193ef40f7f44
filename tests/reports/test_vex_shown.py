"""What every report shows of VEX documents that were read before judging."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime

from shipsafe.model.record import RunRecord
from shipsafe.model.verdict import Decision, Waived
from shipsafe.model.vex import Product, Statement, Status, VexDocument, VexNews, VexNote
from shipsafe.reports import load
from shipsafe.reports.text import plain
from tests.reports.sample import UNSCORED, record

STATEMENT = Statement(
    source="security/vex.json",
    pointer="/statements/3",
    vulnerability="PYSEC-2026-9",
    status=Status.NOT_AFFECTED,
    products=(Product(text="pkg:pypi/requests", package="requests"),),
    author="sec@example.com",
    time=datetime(2026, 11, 1, tzinfo=UTC),
    justification="component_not_present",
    detail="It is not shipped.",
)
NOTES = (
    VexNote(news=VexNews.CONTRADICTED, source="security/vex.json", message="CVE-1 at function:Orders: two say two things."),
    VexNote(news=VexNews.UNMATCHED, source="vendor.json", message="1 statement speaks of nothing that was found: CVE-2."),
)


def run() -> RunRecord:
    base = record(Decision.FAIL)
    waived = Waived(finding=UNSCORED, waiver=STATEMENT.as_waiver(UNSCORED.subject, expires=date(2027, 1, 30)), statement=STATEMENT)
    document = VexDocument(path="security/vex.json", sha256="e" * 64, format="OpenVEX 0.2.0", statements=4)
    return replace(base, verdict=replace(base.verdict, waived=(waived,), vex_notes=NOTES), vex=(document,))


def test_text_shows_what_was_cleared_what_is_odd_and_what_was_read() -> None:
    lines = plain(run()).splitlines()
    why = (
        "VEX not_affected in security/vex.json#/statements/3: component_not_present: It is not shipped. (sec@example.com until 2027-01-30)"
    )
    assert any("PYSEC-2026-9" in line and line.endswith(why) for line in lines)
    assert "  contradicted: security/vex.json: CVE-1 at function:Orders: two say two things." in lines
    assert "  unmatched: vendor.json: 1 statement speaks of nothing that was found: CVE-2." in lines
    assert "vex: security/vex.json (OpenVEX 0.2.0, 4 statements)" in lines
    assert f"vex: security/vex.json (OpenVEX 0.2.0, 4 statements, sha256 {'e' * 64})" in plain(run(), verbose=True).splitlines()


def test_markdown_shows_the_same() -> None:
    text = load("markdown").write(run())
    assert "### VEX (2)" in text
    assert "- contradicted: security/vex.json: CVE-1 at function:Orders: two say two things." in text
    assert "component\\_not\\_present: It is not shipped." in text
    assert f"vex: security/vex.json (OpenVEX 0.2.0, 4 statements, sha256 {'e' * 64})" in text


def test_github_gets_a_notice_at_the_document() -> None:
    lines = load("github").write(run()).splitlines()
    notice = "::notice file=services/orders/vendor.json,title=VEX%3A unmatched::1 statement speaks of nothing that was found: CVE-2."
    assert notice in lines


def test_sarif_suppresses_the_result_with_the_justification() -> None:
    log = json.loads(load("sarif").write(run()))
    results = [result for each in log["runs"] for result in each["results"] if result["properties"]["decision"] == "waived"]
    (suppression,) = results[0]["suppressions"]
    assert suppression["kind"] == "external"
    assert "not_affected in security/vex.json#/statements/3: component_not_present" in suppression["justification"]


def test_json_has_all_of_it() -> None:
    report = json.loads(load("json").write(run()))
    (waived,) = [finding for finding in report["findings"] if finding["waived"]]
    assert waived["statement"]["pointer"] == "/statements/3"
    assert waived["statement"]["time"] == "2026-11-01T00:00:00+00:00"
    assert [note["news"] for note in report["verdict"]["vex_notes"]] == ["contradicted", "unmatched"]
    assert report["vex"] == [{"path": "security/vex.json", "sha256": "e" * 64, "format": "OpenVEX 0.2.0", "statements": 4}]
