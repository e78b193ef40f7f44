"""VEX written from waivers: valid by the formats' own schemas, and read again as what was meant."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # its stubs would be one more dependency
import pytest
from syrupy.assertion import SnapshotAssertion

from shipsafe.errors import ConfigError
from shipsafe.model.finding import Finding
from shipsafe.model.policy import Waiver
from shipsafe.model.record import RunRecord
from shipsafe.model.verdict import Decision, Waived
from shipsafe.model.vex import JUSTIFICATIONS, Statement, Status
from shipsafe.policy.vex import read_statements
from shipsafe.reports import load
from tests.reports.sample import ARTIFACTS, BILLING, HOSTILE, LAYER, MALICIOUS, ORDERS, UNSCORED, WAIVED, WAIVER, record
from tests.shared_data import shared_data

FORMATS = ("openvex", "cyclonedx-vex")
VULNERABLE = replace(UNSCORED, subject=ORDERS, advisory="PYSEC-2018-28", aliases=("CVE-2018-18074", "GHSA-x84v-xcm2-53pg"))
HARMLESS = Waiver(
    target="CVE-2018-18074",
    subject="*",
    reason="Redirects are never followed.",
    owner="bob@example.com",
    expires=date(2027, 1, 31),
    justification="vulnerable_code_not_in_execute_path",
)
ACCEPTED = replace(HARMLESS, target="PYSEC-2026-9", justification="", owner="alice@example.com", expires=None, until_fixed=True)


def run(*waived: Waived, decision: Decision = Decision.PASS) -> RunRecord:
    base = record(decision)
    return replace(base, verdict=replace(base.verdict, waived=waived), epoch=1_793_000_000)


USUAL = run(
    Waived(finding=VULNERABLE, waiver=HARMLESS),
    Waived(finding=replace(VULNERABLE, subject=LAYER), waiver=HARMLESS),
    Waived(finding=UNSCORED, waiver=ACCEPTED),
    Waived(finding=WAIVED, waiver=WAIVER),
    Waived(finding=MALICIOUS, waiver=replace(HARMLESS, target="MAL-2026-1")),
)


def written(kind: str, of: RunRecord) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(load(kind).write(of))
    return found


def read(kind: str, of: RunRecord) -> tuple[Statement, ...]:
    return read_statements(load(kind).write(of).encode(), name="vex.json")[1]


def covered(statements: tuple[Statement, ...], finding: Finding) -> list[Status]:
    digests = {artifact.subject: artifact.content_digest for artifact in ARTIFACTS}
    return [one.status for one in statements if one.bound(digests).covers(finding)]


@pytest.mark.parametrize("kind", FORMATS)
def test_vex_reads_like_this(kind: str, snapshot: SnapshotAssertion) -> None:
    assert load(kind).write(USUAL) == snapshot


@pytest.mark.parametrize("kind", FORMATS)
def test_what_is_written_is_read_again_as_what_was_meant(kind: str) -> None:
    found = read(kind, USUAL)
    assert covered(found, VULNERABLE) == [Status.NOT_AFFECTED]
    assert covered(found, replace(VULNERABLE, subject=LAYER)) == [Status.NOT_AFFECTED]
    assert covered(found, UNSCORED) == [Status.AFFECTED]
    assert covered(found, replace(VULNERABLE, subject=BILLING)) == []
    assert covered(found, replace(VULNERABLE, version="9.9")) == []
    assert [one.clears for one in found] == [status is Status.NOT_AFFECTED for status in [one.status for one in found]]
    assert {one.time for one in found} == {datetime.fromtimestamp(1_793_000_000, UTC)}


@pytest.mark.parametrize("kind", FORMATS)
def test_what_was_packed_is_meant_by_its_content(kind: str) -> None:
    found = read(kind, USUAL)
    assert not any(one.bound({}).covers(VULNERABLE) for one in found)
    unpacked = read(kind, replace(USUAL, artifacts=()))
    assert any(one.bound({}).covers(VULNERABLE) for one in unpacked)


@pytest.mark.parametrize("kind", FORMATS)
def test_attacks_and_other_rules_are_not_spoken_of(kind: str) -> None:
    text = load(kind).write(USUAL)
    assert "MAL-2026-1" not in text
    assert "startup-hook" not in text


@pytest.mark.parametrize("kind", FORMATS)
def test_what_another_document_allows_is_not_said_again_in_our_name(kind: str) -> None:
    by_vex = Waived(finding=VULNERABLE, waiver=HARMLESS, statement=read("openvex", USUAL)[0])
    with pytest.raises(ConfigError, match="makes no statement"):
        read(kind, run(by_vex))


@pytest.mark.parametrize("justification", ["", *JUSTIFICATIONS])
def test_openvex_holds_to_its_schema(justification: str) -> None:
    schema = json.loads(shared_data("schemas/openvex/openvex_json_schema.json").read_text(encoding="utf-8"))
    hostile = replace(HARMLESS, justification=justification, reason=HOSTILE, owner=HOSTILE)
    document = written("openvex", run(Waived(finding=replace(VULNERABLE, package=HOSTILE, aliases=(HOSTILE, "", HOSTILE)), waiver=hostile)))
    checker = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    assert [error.message for error in checker.iter_errors(document)] == []


@pytest.mark.parametrize("justification", ["", *JUSTIFICATIONS])
def test_cyclonedx_holds_to_its_schema(justification: str) -> None:
    from cyclonedx.schema import SchemaVersion  # noqa: PLC0415 - heavy, and only these need it
    from cyclonedx.validation.json import JsonStrictValidator  # noqa: PLC0415

    hostile = replace(HARMLESS, justification=justification, reason=HOSTILE, owner=HOSTILE)
    waived = [replace(VULNERABLE, package=HOSTILE), replace(VULNERABLE, version=None), replace(VULNERABLE, package=None), VULNERABLE]
    text = load("cyclonedx-vex").write(run(*(Waived(finding=finding, waiver=hostile) for finding in waived)))
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert len(written("cyclonedx-vex", USUAL)["vulnerabilities"]) == 2


@pytest.mark.parametrize("kind", FORMATS)
def test_equal_runs_give_equal_documents_and_other_ones_another_name(kind: str) -> None:
    name = {"openvex": "@id", "cyclonedx-vex": "serialNumber"}[kind]
    later = replace(USUAL, epoch=USUAL.epoch + 1)
    assert load(kind).write(USUAL) == load(kind).write(replace(USUAL))
    assert written(kind, USUAL)[name] != written(kind, later)[name]
