import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # its stubs would be one more dependency
import pytest
from syrupy.assertion import SnapshotAssertion

from shipsafe.model.finding import Finding
from shipsafe.model.location import Location
from shipsafe.model.record import RunRecord
from shipsafe.model.severity import Severity
from shipsafe.model.verdict import Decision, Verdict, Waived
from shipsafe.reports import load, sarif
from tests.reports.sample import DECISIONS, HOSTILE, MALICIOUS, ORDERS, SHELL, WAIVED, WAIVER, record
from tests.shared_data import shared_data


def written(run: RunRecord) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(load("sarif").write(run))
    return found


def one_run(*blocking: Finding, **verdict: Any) -> dict[str, Any]:
    """The only run of a record whose findings are of one gate."""
    decided = Verdict(decision=Decision.FAIL, blocking=blocking, **verdict)
    (run,) = written(replace(record(Decision.FAIL), outcomes=(), verdict=decided))["runs"]
    assert isinstance(run, dict)
    return run


@pytest.mark.parametrize("decision", DECISIONS)
def test_sarif_reads_like_this(decision: Decision, snapshot: SnapshotAssertion) -> None:
    assert load("sarif").write(record(decision)) == snapshot


@pytest.mark.parametrize("name", ["sarif-schema-2.1.0.json", "schemastore-sarif-2.1.0.json"])
@pytest.mark.parametrize("decision", DECISIONS)
def test_it_holds_to_the_schema_of_sarif(decision: Decision, name: str) -> None:
    schema = json.loads(shared_data(f"schemas/sarif/{name}").read_text(encoding="utf-8"))
    validator = jsonschema.validators.validator_for(schema)(schema)
    assert [error.message for error in validator.iter_errors(written(record(decision)))] == []


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _strings(item)


@pytest.mark.parametrize("decision", DECISIONS)
def test_it_holds_to_what_github_demands(decision: Decision) -> None:
    log = written(record(decision))
    assert log["version"] == "2.1.0"
    assert len(log["runs"]) <= 20
    assert len({run["automationDetails"]["id"] for run in log["runs"]}) == len(log["runs"])
    assert all(_strings(log))
    for run in log["runs"]:
        rules = run["tool"]["driver"]["rules"]
        assert run["automationDetails"]["id"].startswith("shipsafe/")
        assert run["automationDetails"]["id"].endswith("/services%2Forders/")
        for rule in rules:
            assert len(rule["name"]) <= 255
            assert len(rule["shortDescription"]["text"]) <= 1024
            assert len(rule["fullDescription"]["text"]) <= 1024
            assert rule["help"]["text"]
            assert len(rule["properties"]["tags"]) <= 20
            assert isinstance(rule["properties"].get("security-severity", ""), str)
        for result in run["results"]:
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
            assert set(result["partialFingerprints"]) == {"primaryLocationLineHash"}
            (location,) = result["locations"]
            place = location["physicalLocation"]
            assert not place["artifactLocation"]["uri"].startswith(("/", "file:", "."))
            assert place["region"]["startLine"] >= 1


def test_every_advisory_is_a_rule_with_its_own_severity() -> None:
    runs = {run["automationDetails"]["id"]: run for run in written(record(Decision.FAIL))["runs"]}
    rules = runs["shipsafe/dependencies/services%2Forders/"]["tool"]["driver"]["rules"]
    severities = {rule["id"]: rule["properties"].get("security-severity") for rule in rules}
    assert severities == {
        "dependencies/malicious/MAL-2026-1": "9.5",
        "dependencies/vulnerable/PYSEC-2018-28": "7.5",
        "dependencies/vulnerable/PYSEC-2026-9": None,
    }


@pytest.mark.parametrize(
    ("severity", "score", "shown"),
    [
        (Severity.CRITICAL, 9.8, "9.8"),
        (Severity.CRITICAL, 5.0, "9.5"),
        (Severity.HIGH, None, "8.0"),
        (Severity.LOW, 0.0, "2.0"),
        (Severity.UNSCORED, None, None),
    ],
)
def test_a_score_that_says_otherwise_than_the_severity_is_not_shown(severity: Severity, score: float | None, shown: str | None) -> None:
    run = one_run(replace(MALICIOUS, severity=severity, score=score))
    assert run["tool"]["driver"]["rules"][0]["properties"].get("security-severity") == shown


def test_a_gate_that_found_nothing_has_a_run_so_that_what_was_fixed_is_closed() -> None:
    ids = [run["automationDetails"]["id"].split("/")[1] for run in written(record(Decision.PASS))["runs"]]
    assert ids == ["dependencies", "layers", "lint", "package", "sbom"]


def test_two_projects_of_a_repository_do_not_close_each_others_alerts() -> None:
    """GitHub takes what the newest run of an id does not have for fixed: folders of one name, two templates of one folder."""
    places = [("services/api", "template.yaml"), ("admin/api", "template.yaml"), ("admin/api", "other.yaml"), ("", "template.yaml")]
    runs = [written(replace(record(Decision.PASS), project="api", prefix=prefix, template=template))["runs"] for prefix, template in places]
    ids = [next(run["automationDetails"]["id"] for run in found if "/lint/" in run["automationDetails"]["id"]) for found in runs]
    projects = ("services%2Fapi", "admin%2Fapi", "admin%2Fapi%2Fother.yaml", "api")
    assert ids == [f"shipsafe/lint/{project}/" for project in projects]


def test_a_fingerprint_stays_when_lines_move_and_differs_between_functions() -> None:
    moved = replace(SHELL, location=Location(path="src/app.py", line=400, column=9))
    other = replace(SHELL, subject="function:Other")
    prints = [one_run(each)["results"][0]["partialFingerprints"] for each in (SHELL, moved, other)]
    assert prints[0] == prints[1] != prints[2]


def test_the_worst_come_first() -> None:
    found = [replace(SHELL, severity=severity, key=severity) for severity in reversed(Severity)]
    shown = [result["properties"]["severity"] for result in one_run(*found)["results"]]
    assert shown == ["critical", "high", "medium", "low", "unscored"]


def test_waived_and_suppressed_findings_are_there_with_their_reason() -> None:
    runs = written(record(Decision.PASS))["runs"]
    suppressions = [result["suppressions"] for run in runs for result in run["results"] if "suppressions" in result]
    assert suppressions == [
        [{"kind": "inSource", "justification": "# nosec B602 at line 3"}],
        [{"kind": "external", "justification": "Needed until the layer is rebuilt | see #12 (alice until 2027-01-31)"}],
    ]


def test_what_the_policy_does_not_let_a_remark_suppress_is_not_suppressed() -> None:
    assert "suppressions" not in one_run(replace(SHELL, suppressed="# nosec"))["results"][0]


@pytest.mark.parametrize(
    ("place", "uri", "line"),
    [
        (Location(path="a b/ä%:c.py", line=7), "services/orders/a%20b/%C3%A4%25%3Ac.py", 7),
        (Location(path="src/app.py"), "services/orders/src/app.py", 1),
        (None, "services/orders/template.yaml", 1),
        (Location(path="/etc/passwd", line=3), "services/orders/template.yaml", 1),
        (Location(path="../other/x.py", line=3), "services/other/x.py", 3),
        (Location(path="../../.github/workflows/x.yml", line=3), ".github/workflows/x.yml", 3),
        (Location(path="../../../other/x.py", line=3), "services/orders/template.yaml", 1),
        (Location(path=""), "services/orders/template.yaml", 1),
    ],
)
def test_a_place_is_a_file_from_the_root_of_the_repository(place: Location | None, uri: str, line: int) -> None:
    (location,) = one_run(replace(SHELL, location=place))["results"][0]["locations"]
    assert location["physicalLocation"]["artifactLocation"] == {"uri": uri}
    assert location["physicalLocation"]["region"]["startLine"] == line


def test_without_template_the_policy_is_the_place() -> None:
    verdict = Verdict(decision=Decision.FAIL, blocking=(replace(SHELL, location=None),))
    run = RunRecord(command="check", project="p", policy="pyproject.toml", verdict=verdict)
    (location,) = written(run)["runs"][0]["results"][0]["locations"]
    assert location["physicalLocation"]["artifactLocation"] == {"uri": "pyproject.toml"}


def test_what_is_unanswered_is_an_unsuccessful_execution() -> None:
    runs = {run["automationDetails"]["id"].split("/")[1]: run for run in written(record(Decision.INCOMPLETE))["runs"]}
    (invocation,) = runs["dependencies"]["invocations"]
    assert invocation["executionSuccessful"] is False
    assert invocation["exitCode"] == 4
    told = [note["message"]["text"] for note in invocation["toolExecutionNotifications"] if note["level"] == "error"]
    assert told[0] == f"{ORDERS}: The snapshot is 9 days old. Run `shipsafe advisories pull`."
    assert told[3].startswith("function:Shop.Billing: acme-auth 1.0 came from an index other than PyPI")
    assert len(told) == 4
    (unsettled,) = [result for result in runs["dependencies"]["results"] if result["properties"]["decision"] == "unanswered"]
    assert unsettled["ruleId"] == "dependencies/unaudited"
    assert runs["lint"]["invocations"][0]["executionSuccessful"] is True


def test_over_the_limit_the_worst_are_kept_and_the_rest_is_counted() -> None:
    low = [replace(SHELL, severity=Severity.LOW, key=f"{each}") for each in range(5_100)]
    run = one_run(*low, SHELL, waived=(Waived(finding=replace(WAIVED, rule="lint/B1"), waiver=WAIVER),))
    assert len(run["results"]) == 5_000
    assert run["results"][0]["properties"]["severity"] == "high"
    notes = [note["message"]["text"] for note in run["invocations"][0]["toolExecutionNotifications"]]
    assert notes == ["102 results left out, the least severe ones; the JSON report has all."]


def test_a_file_that_would_be_too_big_is_made_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sarif, "_BYTES", 20_000)
    found = [replace(SHELL, key=f"{each}", message=f"{each}") for each in range(1000)]
    text = load("sarif").write(RunRecord(command="check", project="p", verdict=Verdict(decision=Decision.FAIL, blocking=tuple(found))))
    assert len(gzip.compress(text.encode())) < 20_000
    assert "results left out" in text


def test_hostile_text_links_to_nothing_and_is_bounded() -> None:
    long = replace(
        MALICIOUS,
        message=f"[click](https://evil.example) {HOSTILE} " + "x" * 100_000,
        advisory=f"MAL-{HOSTILE}",
        aliases=tuple(f"CVE-{each}" for each in range(100)),
        references=("javascript:alert(1)", "https://good.example/a b"),
    )
    run = one_run(long)
    (rule,), (result,) = run["tool"]["driver"]["rules"], run["results"]
    assert "](" not in result["message"]["text"]
    assert len(result["message"]["text"]) <= 1024
    assert len(rule["properties"]["tags"]) == 20
    assert rule["helpUri"] == "https://good.example/a%20b"
    assert "<b>" not in rule["help"]["markdown"]
    assert all(char.isprintable() for char in result["message"]["text"])
