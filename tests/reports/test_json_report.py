import json
from dataclasses import replace
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # its stubs would be one more dependency
import pytest
from syrupy.assertion import SnapshotAssertion

from shipsafe.errors import ConfigError
from shipsafe.model.outcome import Outcome
from shipsafe.model.verdict import Decision
from shipsafe.reports import all_reports
from shipsafe.reports.json_report import read, schema_text, write
from tests.reports.sample import DECISIONS, SHELL, record


@pytest.fixture(scope="session")
def schema() -> Any:
    found = json.loads(schema_text())
    jsonschema.Draft202012Validator.check_schema(found)
    return jsonschema.Draft202012Validator(found)


@pytest.mark.parametrize("decision", DECISIONS)
def test_json_reads_like_this(decision: Decision, snapshot: SnapshotAssertion) -> None:
    assert write(record(decision)) == snapshot


@pytest.mark.parametrize("decision", Decision)
def test_every_report_holds_to_the_published_schema(decision: Decision, schema: Any) -> None:
    schema.validate(json.loads(write(record(decision))))


def test_every_object_of_the_schema_says_whether_it_admits_further_keys() -> None:
    def objects(value: object) -> list[dict[str, Any]]:
        if isinstance(value, list):
            return [found for item in value for found in objects(item)]
        if not isinstance(value, dict):
            return []
        inner = [found for item in value.values() for found in objects(item)]
        return [value, *inner] if "properties" in value and value.get("type") == "object" else inner

    found = objects(json.loads(schema_text()))
    assert len(found) == 20
    assert all(item["additionalProperties"] is False and set(item["required"]) == set(item["properties"]) for item in found)


@pytest.mark.parametrize("decision", DECISIONS)
def test_a_report_that_is_read_again_gives_every_format_byte_for_byte(decision: Decision) -> None:
    run = record(decision)
    again = read(write(run))
    assert again == run
    for report in all_reports().values():
        assert report.write(again) == report.write(run), report.id


def test_the_keys_that_the_documentation_promises_are_there() -> None:
    report = json.loads(write(record(Decision.FAIL)))
    assert report["verdict"]["decision"] == "FAIL"
    assert report["verdict"]["exit_code"] == 1
    assert {"gate", "subject", "state", "reason", "notes", "evidence"} <= report["outcomes"][0].keys()
    promised = {"rule", "severity", "subject", "message", "location", "remedy", "aliases", "waived"}
    assert promised <= report["findings"][0].keys()
    assert report["findings"][0]["location"] == {"path": "src/requirements,a:b.txt", "line": 3, "column": 1}
    assert [finding["waived"] for finding in report["findings"]].count(True) == 1
    artifact = json.loads(write(record(Decision.PASS)))["artifacts"][0]
    assert {"name", "path", "sha256", "code_sha256", "content_digest", "size", "sbom"} <= artifact.keys()


def test_a_finding_that_the_judge_did_not_count_is_kept_as_unjudged() -> None:
    run = record(Decision.PASS)
    forgotten = Outcome.answered("lint", "function:Orders", [SHELL])
    again = read(write(replace(run, outcomes=(*run.outcomes, forgotten))))
    assert again.outcomes[-1] == forgotten
    assert again.verdict == run.verdict


def test_what_is_written_is_ascii_and_no_command() -> None:
    text = write(record(Decision.FAIL))
    assert text.isascii()
    assert "\x1b" not in text
    assert "##[" not in text
    assert not any(line.lstrip().startswith("::") for line in text.split("\n"))


# A thing that is wrong with a report: where, and what stands there instead (MISSING: nothing).
MISSING = object()
WRONG: dict[str, tuple[tuple[str | int, ...], object]] = {
    "unknown key": (("extra",), 1),
    "missing key": (("findings", 0, "rule"), MISSING),
    "wrong type": (("findings",), {}),
    "unknown severity": (("findings", 0, "severity"), "awful"),
    "no such finding": (("outcomes", 0, "findings"), [999]),
    "a fraction of a finding": (("outcomes", 0, "findings"), [0.0]),
    "no such day": (("findings", -1, "waiver", "expires"), "2026-02-31"),
    "waived without a waiver": (("findings", -1, "waiver"), None),
    "unanswered without a reason": (("outcomes", 0, "state"), "unanswered"),
    "line 0": (("findings", 0, "location", "line"), 0),
    "another version": (("schema_version",), "9.0"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_report_with_one_thing_wrong_is_refused_with_one_message(what: str, snapshot: SnapshotAssertion) -> None:
    report = json.loads(write(record(Decision.FAIL)))
    (*way, last), instead = WRONG[what]
    target = report
    for key in way:
        target = target[key]
    if instead is MISSING:
        del target[last]
    else:
        target[last] = instead
    with pytest.raises(ConfigError) as caught:
        read(json.dumps(report), path="report.json")
    assert str(caught.value) == snapshot


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "report.json:1:1: Not JSON: Expecting value."),
        ('{\n "a": }', "report.json:2:7: Not JSON: Expecting value."),
        ("[" * 100_000, "report.json: Nested too deep."),
        ("[" * 500 + "]" * 500, "report.json: Nested too deep."),
        ("9" * 5000, "report.json: It holds a number that is too long."),
        ("[NaN]", "report.json: NaN is not a number that can be used."),
        ("[1e999]", "report.json: 1e999 is not a number that can be used."),
        ('{"a": 1, "a": 2}', "report.json: Key `a` stands twice in one object."),
        ("[]", "report.json: Not a report of shipsafe: `$`: [] is not of type"),
        ("null", "report.json: Not a report of shipsafe: `$`: null is not of type"),
        ("{}", "report.json: Not a report of shipsafe: `$`: "),
    ],
)
def test_what_is_no_report_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text, path="report.json")
    assert str(caught.value).startswith(message)


def test_a_file_beyond_the_limit_is_not_even_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shipsafe.reports.strict_json.LIMIT", 10)
    with pytest.raises(ConfigError, match="Larger than"):
        read('{"a": "longer than ten"}')
