"""How each report shows what the baseline knows, what of it is gone, and what of it has lapsed."""

import json
from dataclasses import replace
from datetime import date
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # its stubs would be one more dependency
import pytest
from syrupy.assertion import SnapshotAssertion

from shipsafe.model.baseline import BaselineEntry, BaselineFile
from shipsafe.model.location import Location
from shipsafe.model.outcome import Outcome
from shipsafe.model.record import RunRecord
from shipsafe.model.verdict import Baselined, Decision, Lapsed, Verdict
from shipsafe.reports import load
from shipsafe.reports.text import plain
from tests.reports.sample import BELOW, HOSTILE, MALICIOUS, ORDERS, SHELL, record
from tests.shared_data import shared_data

DAY = date(2026, 10, 1)
GONE = BaselineEntry.of(replace(SHELL, key="gone", message=f"It was {HOSTILE}."), today=DAY, owner="ann@example.com")
ENDED = BaselineEntry.of(MALICIOUS, today=DAY, owner=HOSTILE, expires=date(2026, 11, 1))
SECOND = replace(SHELL, key="second", message="A second shell.", location=Location(path="src/app.py", line=60))


def known(*, fails: bool = True) -> RunRecord:
    """A run that knows a shell; where it fails, with another shell that is new, and a finding that was known until its entry ended."""
    entry = replace(BaselineEntry.of(SHELL, today=DAY, owner="ann@example.com"), location=Location(path="b.toml", line=6))
    decision = Decision.FAIL if fails else Decision.PASS
    blocking = (MALICIOUS, SECOND) if fails else ()
    return replace(
        record(decision),
        outcomes=(Outcome.answered("lint", ORDERS, [SHELL, BELOW, *blocking[1:]]), Outcome.answered("dependencies", ORDERS, blocking[:1])),
        verdict=Verdict(
            decision=decision,
            blocking=blocking,
            allowed=(BELOW,),
            baselined=(Baselined(finding=SHELL, entry=entry),),
            vanished=(GONE,) * (7 if fails else 1),
            lapsed=(Lapsed(entry=ENDED, reason="It ended on 2026-11-01."),) if fails else (),
        ),
        baseline=BaselineFile(path="b.toml", sha256="f" * 64, entries=9 if fails else 2),
        artifacts=(),
    )


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("verbose", [False, True])
def test_text_reads_like_this(fails: bool, verbose: bool, snapshot: SnapshotAssertion) -> None:  # noqa: FBT001 - a table
    assert plain(known(fails=fails), verbose=verbose) == snapshot


@pytest.mark.parametrize("name", ["csv", "github", "junit", "markdown"])
def test_the_others_read_like_this(name: str, snapshot: SnapshotAssertion) -> None:
    assert load(name).write(known()) == snapshot


def results(run: RunRecord) -> dict[str, dict[str, Any]]:
    """SARIF's results by their fingerprints."""
    log = json.loads(load("sarif").write(run))
    return {one["partialFingerprints"]["primaryLocationLineHash"]: one for each in log["runs"] for one in each["results"]}


def test_sarif_says_of_every_result_whether_it_is_new() -> None:
    """SARIF 2.1.0, 3.27.24: on every result of a run, or on none."""
    states = {one: result["baselineState"] for one, result in results(known()).items()}
    assert states == {
        SHELL.identity: "unchanged",
        MALICIOUS.identity: "unchanged",  # it was known, and blocks again
        SECOND.identity: "new",
        BELOW.identity: "new",
    }
    assert not any("baselineState" in result for result in results(record(Decision.FAIL)).values())


def test_sarif_does_not_hide_what_is_known() -> None:
    result = results(known())[SHELL.identity]
    assert "suppressions" not in result
    assert (result["properties"]["decision"], result["properties"]["since"]) == ("baselined", "2026-10-01")


@pytest.mark.parametrize("name", ["sarif-schema-2.1.0.json", "schemastore-sarif-2.1.0.json"])
def test_sarif_with_a_baseline_holds_to_its_schema(name: str) -> None:
    schema = json.loads(shared_data(f"schemas/sarif/{name}").read_text(encoding="utf-8"))
    validator = jsonschema.validators.validator_for(schema)(schema)
    assert [error.message for error in validator.iter_errors(json.loads(load("sarif").write(known())))] == []
