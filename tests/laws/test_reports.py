"""What must hold for every run, whatever a template, a package or an advisory says."""

import json
import string
import unicodedata
from datetime import UTC
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shipsafe.errors import ConfigError
from shipsafe.model.advisory import AdvisoryInfo
from shipsafe.model.baseline import BaselineEntry, BaselineFile
from shipsafe.model.finding import Finding, Rule
from shipsafe.model.location import Location
from shipsafe.model.outcome import Outcome
from shipsafe.model.policy import Waiver
from shipsafe.model.record import RunRecord
from shipsafe.model.severity import Severity
from shipsafe.model.verdict import Baselined, Decision, Lapsed, Unanswered, Verdict, Waived
from shipsafe.model.vex import JUSTIFICATIONS, Product, Statement, Status, VexDocument, VexNews, VexNote
from shipsafe.reports import all_reports
from shipsafe.reports.escape import clean
from shipsafe.reports.json_report import read, write
from shipsafe.reports.markdown import markdown
from tests.reports.sample import record

PIECES = (
    "::error::",
    "##[",
    "\x1b[2J",
    "\r\n",
    "|",
    "`",
    "<b>",
    "%0A",
    "\u202e",
    "](",
    "@a",
    "\n::add-mask::",
    ",",
    " ",
    "\x9b1m",
)
TEXT = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=8)), max_size=4).map("".join)
NAME = TEXT.map(lambda text: text or "x")
LINE = st.none() | st.integers(1, 10**6)
LOCATION = st.none() | st.builds(Location, path=NAME, line=LINE, column=LINE)
GATE = st.sampled_from(["lint", "layers", "dependencies"])
FINDING = st.builds(
    Finding,
    rule=st.builds("{}/{}".format, GATE, NAME),
    subject=NAME,
    message=TEXT,
    remedy=TEXT,
    severity=st.sampled_from(Severity),
    location=LOCATION,
    key=TEXT,
    advisory=st.none() | NAME,
    aliases=st.lists(TEXT, max_size=2).map(tuple),
    score=st.none() | st.floats(0, 10),
    suppressed=TEXT,
    path=st.lists(TEXT, max_size=2).map(tuple),
    references=st.lists(TEXT, max_size=2).map(tuple),
)
FINDINGS = st.lists(FINDING, max_size=4).map(tuple)
WAIVER = st.builds(
    Waiver,
    target=NAME,
    subject=NAME,
    reason=TEXT,
    owner=TEXT,
    expires=st.none() | st.dates(),
    location=LOCATION,
    justification=st.sampled_from(["", *JUSTIFICATIONS]),
)
PRODUCT = st.builds(Product, text=TEXT, package=st.none() | TEXT, version=st.none() | TEXT, subject=st.none() | TEXT)
STATEMENT = st.builds(
    Statement,
    source=NAME,
    pointer=TEXT,
    vulnerability=NAME,
    status=st.sampled_from(Status),
    products=st.lists(PRODUCT, max_size=2).map(tuple),
    author=TEXT,
    time=st.none() | st.datetimes(timezones=st.just(UTC)),
    aliases=st.lists(TEXT, max_size=2).map(tuple),
    justification=TEXT,
    detail=TEXT,
)
VEX_NOTE = st.builds(VexNote, news=st.sampled_from(VexNews), source=NAME, message=TEXT)
VEX_DOCUMENT = st.builds(VexDocument, path=NAME, sha256=TEXT, format=TEXT, statements=st.integers(0, 10**6))
ENTRY = st.builds(
    BaselineEntry,
    rule=st.builds("{}/{}".format, GATE, NAME),
    subject=NAME,
    key=TEXT,
    message=TEXT,
    severity=st.sampled_from(Severity),
    recorded=st.dates(),
    owner=TEXT,
    expires=st.none() | st.dates(),
    advisory=st.none() | NAME,
    aliases=st.lists(TEXT, max_size=2).map(tuple),
    location=LOCATION,
)
OUTCOME = st.one_of(
    st.builds(
        Outcome.answered,
        GATE,
        NAME,
        FINDINGS,
        notes=st.lists(TEXT, max_size=2),
        evidence=st.dictionaries(TEXT, st.one_of(TEXT, st.integers(), st.none(), st.lists(TEXT, max_size=2)), max_size=2),
    ),
    st.builds(Outcome.unanswered, GATE, NAME, NAME, FINDINGS),
    st.builds(Outcome.not_asked, GATE, NAME, NAME),
)


@st.composite
def records(draw: st.DrawFn) -> RunRecord:
    outcomes = tuple(draw(st.lists(OUTCOME, max_size=4)))
    verdict = Verdict(
        decision=draw(st.sampled_from(Decision)),
        blocking=draw(FINDINGS),
        allowed=draw(FINDINGS),
        waived=tuple(draw(st.lists(st.builds(Waived, finding=FINDING, waiver=WAIVER, statement=st.none() | STATEMENT), max_size=2))),
        unanswered=tuple(draw(st.lists(st.builds(Unanswered, gate=GATE, subject=NAME, reason=TEXT), max_size=2))),
        not_asked=tuple(outcome for outcome in outcomes if outcome.state == "not-asked"),
        vex_notes=tuple(draw(st.lists(VEX_NOTE, max_size=2))),
        baselined=tuple(draw(st.lists(st.builds(Baselined, finding=FINDING, entry=ENTRY), max_size=2))),
        vanished=tuple(draw(st.lists(ENTRY, max_size=2))),
        lapsed=tuple(draw(st.lists(st.builds(Lapsed, entry=ENTRY, reason=TEXT), max_size=2))),
    )
    rule = st.builds(Rule, id=NAME, severity=st.sampled_from(Severity), summary=TEXT, remedy=TEXT, why=TEXT, bad=TEXT, good=TEXT)
    return RunRecord(
        command=draw(NAME),
        project=draw(TEXT),
        prefix=draw(st.sampled_from(["", "services/a"])),
        template=draw(st.none() | NAME),
        verdict=verdict,
        outcomes=outcomes,
        advisories=draw(st.none() | st.builds(AdvisoryInfo, source=TEXT, label=TEXT)),
        modes={"layers": "observe"},
        tools={"shipsafe": draw(TEXT)},
        rules=tuple(draw(st.lists(rule, max_size=2))),
        hints=tuple(draw(st.lists(TEXT, max_size=2))),
        vex=tuple(draw(st.lists(VEX_DOCUMENT, max_size=2))),
        overrides=tuple(draw(st.lists(TEXT, max_size=2))),
        epoch=draw(st.integers(0, 2**33)),
        baseline=draw(
            st.none() | st.builds(BaselineFile, path=NAME, sha256=st.sampled_from(["", "f" * 64]), entries=st.integers(0, 10**6))
        ),
    )


SLOW = settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)


@SLOW
@given(records())
def test_a_run_read_from_json_is_the_same_run_and_gives_the_same_reports(run: RunRecord) -> None:
    again = read(write(run))
    assert again == run
    for report in all_reports().values():
        assert report.write(again) == report.write(run), report.id


@SLOW
@given(records())
def test_no_report_holds_a_control_code_or_a_command_that_it_did_not_write_itself(run: RunRecord) -> None:
    for report in all_reports().values():
        text = report.write(run)
        assert all(char == "\n" or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} for char in text)
        assert "##[" not in text
        commands = [line for line in text.split("\n") if line.lstrip().startswith("::")]
        assert report.id == "github" or not commands
        assert all(line.startswith(("::error ", "::warning ", "::notice ")) for line in commands)


@SLOW
@given(records())
def test_sarif_has_no_empty_text_and_no_place_outside_the_repository(run: RunRecord) -> None:
    def texts(value: object) -> list[str]:
        if isinstance(value, str):
            return [value]
        items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return [text for item in items for text in texts(item)]

    log = json.loads(all_reports()["sarif"].write(run))
    assert all(texts(log))
    for each in log["runs"]:
        for result in each["results"]:
            uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
            assert set(uri) <= {*string.ascii_letters, *string.digits, *"-._~/%"}
            assert not uri.startswith("/")
            assert ".." not in uri.split("/")


@SLOW
@given(records(), st.integers(0, 3000))
def test_markdown_keeps_to_its_limit_beyond_the_verdict(run: RunRecord, limit: int) -> None:
    verdict = len(markdown(run, limit_bytes=0).encode())
    assert len(markdown(run, limit_bytes=limit).encode()) <= max(limit, verdict)


@given(TEXT, st.booleans())
def test_cleaning_twice_is_cleaning_once(text: str, lines: bool) -> None:  # noqa: FBT001 - hypothesis passes it by position
    once = clean(text, lines=lines)
    assert clean(once, lines=lines) == once
    assert lines or "\n" not in once


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["", "/x", "../x", "\x1b", "2026-02-31"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@given(JSON)
def test_json_that_is_no_report_is_refused_with_our_error(value: object) -> None:
    with pytest.raises(ConfigError):
        read(json.dumps(value))


@SLOW
@given(st.data())
def test_a_report_that_was_tampered_with_is_refused_or_rendered_and_never_a_crash(data: st.DataObject) -> None:
    report = json.loads(write(record(Decision.FAIL)))
    place: Any = report
    while True:
        key = data.draw(st.sampled_from(list(place) if isinstance(place, dict) else range(len(place))))
        inner = place[key]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.booleans()):
            break
        place = inner
    place[key] = data.draw(JSON)
    try:
        run = read(json.dumps(report))
    except ConfigError:
        return
    for each in all_reports().values():
        assert each.write(run)
