import io
import json
import re
from dataclasses import replace
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # its stubs would be one more dependency
import pytest
from rich.console import Console
from syrupy.assertion import SnapshotAssertion

from shipsafe.errors import ConfigError
from shipsafe.model.chain import Chain, Hold, Link
from shipsafe.reports.chains import FORMS, write
from shipsafe.reports.chains.json_chains import schema_text
from shipsafe.reports.chains.text import screen
from shipsafe.reports.chains.words import first_sentence
from tests.reports.chains.sample import CANCELLED, DENIED, SAMPLES, SBOM, SKIPPED, UNSIGNED, ZIP, chain, verification
from tests.shared_data import shared_data


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", SAMPLES)
def test_a_verification_reads_like_this(name: str, form: str, snapshot: SnapshotAssertion) -> None:
    assert write(SAMPLES[name], form) == snapshot


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(ConfigError, match="text, json, sarif, markdown"):
        write(SAMPLES["held"], "html")


@pytest.mark.parametrize("name", SAMPLES)
def test_the_first_line_is_the_first_sentence_and_the_last_the_exit_code(name: str) -> None:
    lines = write(SAMPLES[name], "text").splitlines()
    assert lines[0] == first_sentence(SAMPLES[name])
    assert lines[-1].startswith(f"Exit {int(SAMPLES[name].exit_code)}: ")
    markdown = write(SAMPLES[name], "markdown")
    assert markdown.splitlines()[-1] == lines[-1]


def test_the_first_sentence_names_link_values_and_what_to_do() -> None:
    """Broken comes before unanswered, wherever it stands."""
    said = first_sentence(SAMPLES["broken"])
    assert said.startswith(
        "function:Billing is broken at `sbom` (dist/Orders.cdx.json:4): The SBOM is not the one of this zip. Expected sha256:1f"
    )
    assert said.endswith("Find out who changed it, and build again.")


@pytest.mark.parametrize("form", FORMS)
def test_nothing_from_outside_moves_a_terminal_a_runner_or_a_page(form: str) -> None:
    text = write(SAMPLES["hostile"], form)
    assert all(char.isprintable() or char == "\n" for char in text)
    assert "\u202e" not in text
    if form != "json":
        assert not re.search(r"^\s*::", text, re.MULTILINE)
    assert "##[" not in text
    if form == "markdown":
        assert not re.search(r"(?<!\\)!\[|<b>|(?<!\w)@org", text)


def test_a_terminal_sees_the_same_words_in_colour() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=400, color_system="standard", legacy_windows=False, _environ={})
    screen(SAMPLES["broken"], console)
    coloured = out.getvalue()
    plain = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert plain != coloured
    assert [line.split() for line in plain.splitlines()] == [line.split() for line in write(SAMPLES["broken"], "text").splitlines()]


@pytest.mark.parametrize("name", SAMPLES)
def test_json_holds_to_the_published_schema(name: str) -> None:
    schema = json.loads(schema_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    found = json.loads(write(SAMPLES[name], "json"))
    jsonschema.Draft202012Validator(schema).validate(found)
    assert (found["schema_version"], found["exit_code"]) == ("1.0", int(SAMPLES[name].exit_code))


def test_json_has_the_values_as_they_came() -> None:
    found = json.loads(write(SAMPLES["broken"], "json"))
    assert found["first_broken"] == {"subject": "function:Billing", "link": "sbom"}
    (link,) = (link for link in found["chains"][1]["links"] if link["id"] == "sbom")
    assert link["expected"] == f"sha256:{UNSIGNED}"
    assert found["chains"][0]["attestations"][0]["vouched_by"] == ["ci"]


DOUBT = "Nobody vouches for what the builder states."


def doubted(subject: str, *more: Link) -> Chain:
    return chain(replace(ZIP, notes=(DOUBT,)), replace(SKIPPED, id="sbom", hold=Hold.HELD, notes=(DOUBT, "Odd.")), *more, subject=subject)


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_a_note_that_many_links_have_stands_once_and_says_how_many(form: str) -> None:
    text = write(verification(doubted("a.zip"), doubted("b.zip")), form)
    assert text.count(DOUBT) == 1
    assert f"note: {DOUBT} (4 links: zip, sbom)\n" in text
    assert first_sentence(verification(doubted("a.zip"), doubted("b.zip"))) == "All 2 chains hold: 4 links, 2 notes."


def test_of_many_chains_that_hold_each_takes_a_line_and_no_note_is_lost() -> None:
    found = verification(*(doubted(f"{number}.zip") for number in range(20)), doubted("last.zip", CANCELLED))
    text = write(found, "text", verbose=False)
    assert [line for line in text.splitlines() if ".zip" in line][:2] == ["held   0.zip     2 held", "held   1.zip     2 held"]
    assert "--verbose" in text
    assert f"note: {DOUBT} (42 links: zip, sbom)\n" in text
    assert f"note: {CANCELLED.notes[0]} (last.zip: profile)\n" in text
    assert len(text.splitlines()) < 21 + 12
    assert write(found, "text").count("held   zip") == 21


def test_what_does_not_hold_is_told_link_by_link_beside_what_does() -> None:
    found = verification(chain(ZIP), chain(ZIP, SBOM, subject="function:Billing"), chain(DENIED, subject="function:Mail"))
    text = write(found, "text", verbose=False)
    assert "BROKEN  sbom  The SBOM is not the one of this zip." in text
    assert "UNANSWERED  code-signing" in text
    assert "held   Orders.zip  1 held" in text
    assert ZIP.sentence in text, "the chain that is broken is told whole"
    assert text.count(ZIP.sentence) == 1


def test_a_chain_that_is_alone_is_told_link_by_link() -> None:
    found = verification(chain(ZIP, CANCELLED))
    assert write(found, "text", verbose=False) == write(found, "text")
    assert "--verbose" not in write(found, "text")


def test_the_first_sentence_says_where_nothing_of_aws_was_looked_at() -> None:
    signed, unsigned = chain(replace(SKIPPED, hold=Hold.HELD)), chain(ZIP, SKIPPED)
    bare = "nothing of AWS was looked at"
    assert first_sentence(verification(unsigned)) == f"The chain of Orders.zip holds up to the unsigned zip; {bare}: 1 link."
    assert first_sentence(verification(unsigned, unsigned)) == f"All 2 chains hold up to the unsigned zips; {bare}: 2 links."
    assert first_sentence(verification(signed, unsigned)).startswith("All 2 chains hold: 2 links; 1 of them up to an unsigned zip")
    assert bare not in first_sentence(verification(signed))


def test_what_wraps_stands_below_its_own_words() -> None:
    out = io.StringIO()
    noted = verification(chain(replace(ZIP, notes=("one two three four five six seven eight nine ten eleven twelve",))))
    screen(noted, Console(file=out, force_terminal=True, width=60, color_system=None, legacy_windows=False, _environ={}))
    lines = [line.rstrip() for line in out.getvalue().splitlines()]
    first = next(number for number, line in enumerate(lines) if "note  " in line)
    assert lines[first].index("one") == len(lines[first + 1]) - len(lines[first + 1].lstrip())


def sarif(name: str) -> Any:
    (run,) = json.loads(write(SAMPLES[name], "sarif"))["runs"]
    return run


@pytest.mark.parametrize("schema", ["sarif-schema-2.1.0.json", "schemastore-sarif-2.1.0.json"])
@pytest.mark.parametrize("name", SAMPLES)
def test_sarif_holds_to_the_official_schema(name: str, schema: str) -> None:
    known = json.loads(shared_data(f"schemas/sarif/{schema}").read_text(encoding="utf-8"))
    validator = jsonschema.validators.validator_for(known)(known)
    assert [error.message for error in validator.iter_errors(json.loads(write(SAMPLES[name], "sarif")))] == []


@pytest.mark.parametrize("name", SAMPLES)
def test_sarif_says_where_in_the_checkout_and_how_it_ended(name: str) -> None:
    run = sarif(name)
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert not uri.startswith(("/", "file:", "."))
    (invocation,) = run["invocations"]
    assert invocation["exitCode"] == int(SAMPLES[name].exit_code)
    assert bool(run["results"]) == (name not in ("held", "nothing", "no-links"))


def test_sarif_tells_what_could_not_be_looked_at_and_is_no_success_then() -> None:
    assert sarif("held")["invocations"][0]["executionSuccessful"] is True
    for name in ("unanswered", "broken", "nothing"):
        assert sarif(name)["invocations"][0]["executionSuccessful"] is False
    (said,) = sarif("unanswered")["invocations"][0]["toolExecutionNotifications"]
    assert "AccessDenied" in said["message"]["text"]
    assert {result["level"] for result in sarif("unanswered")["results"]} == {"warning", "error"}


def test_an_alert_stays_the_same_when_its_values_change() -> None:
    """Fingerprints are made of the subject and the link."""
    (one,) = sarif("disallowed")["results"]
    (other,) = [result for result in sarif("unanswered")["results"] if result["ruleId"] == "verify/verdict"]
    assert one["partialFingerprints"] == other["partialFingerprints"]


def test_a_chain_of_one_artifact_is_named_when_it_holds() -> None:
    assert first_sentence(verification(chain(ZIP))) == "The chain of Orders.zip holds: 1 link."


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_a_narrow_terminal_breaks_digests_and_loses_nothing(width: int) -> None:
    out = io.StringIO()
    screen(SAMPLES["broken"], Console(file=out, force_terminal=True, width=width, color_system=None, legacy_windows=False, _environ={}))
    shown = out.getvalue()
    assert max(len(line) for line in shown.splitlines()) <= width
    assert UNSIGNED in re.sub(r"\s+", "", shown)
