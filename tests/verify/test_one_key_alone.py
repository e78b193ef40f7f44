"""What somebody could try who has one of our keys, or may write beside what we wrote: the other pieces of the chain must say no."""

import base64
import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any, BinaryIO

import pytest

from shipsafe.evidence.envelope import read_envelope, statement_of, written
from shipsafe.evidence.file_signer import FileSigner
from shipsafe.model.attestation import Predicate, Resource, Statement
from shipsafe.model.chain import Hold
from shipsafe.verify import one, proof, zip_contents
from tests.tampering.envelopes import wrapped
from tests.verify.desk import BUILDER, Desk, advisory, link, put, wrong


def _with(statement: Statement, edit: Callable[[Any], object]) -> Statement:
    predicate = json.loads(json.dumps(statement.predicate))
    edit(predicate)
    return replace(statement, predicate=predicate)


def _answers(desk: Desk, edit: Callable[[list[Any]], list[Any]]) -> None:
    """Let the builder's key state other answers of its gates."""
    desk.restate(Predicate.GATES, lambda one: _with(one, lambda said: said.update(outcomes=edit(said["outcomes"]))))


def test_answers_about_another_function_are_not_taken_for_it(desk: Desk) -> None:
    _answers(desk, lambda outcomes: [one | {"subject": "function:Legacy"} for one in outcomes])
    found = link(desk.verify(), "verdict")
    assert (found.hold, found.expected, found.found) == (Hold.BROKEN, "function:Pay", "function:Legacy")


def test_answers_about_the_project_alone_do_not_hide_that_no_gate_was_asked_about_it(desk: Desk) -> None:
    _answers(desk, lambda outcomes: [outcomes[0] | {"subject": "project", "state": "answered", "findings": []}])
    found = desk.verify()
    assert (wrong(found), int(found.exit_code)) == ({"verdict": Hold.BROKEN}, 5)


def _unasked(one: Any) -> Any:
    return one | {"state": "not-asked", "reason": "It does not apply.", "findings": []}


@pytest.mark.parametrize(
    "edit",
    [
        lambda outcomes: [_unasked(one) if one["gate"] == "dependencies" else one for one in outcomes],
        lambda outcomes: [one for one in outcomes if one["gate"] != "dependencies"],
    ],
    ids=["not asked", "left out"],
)
def test_a_gate_that_was_not_asked_hides_no_advisory(desk: Desk, edit: Callable[[list[Any]], list[Any]]) -> None:
    advisory(desk.project, "PYSEC-2026-99", "rates")
    _answers(desk, edit)
    desk.edit_policy('required = ["dependencies", ', "required = [")
    found = desk.verify()
    assert (wrong(found), int(found.exit_code)) == ({"verdict": Hold.UNANSWERED}, 4)
    assert any("rates 1.0 has PYSEC-2026-99" in note for note in link(found, "verdict").notes)


def test_a_gate_that_did_not_apply_and_of_which_nothing_is_known_keeps_nothing_from_holding(desk: Desk) -> None:
    _answers(desk, lambda outcomes: [_unasked(one) if one["gate"] == "dependencies" else one for one in outcomes])
    assert wrong(desk.verify()) == {}
    desk.edit_policy('path = "advisories"', 'path = "nowhere"')
    assert wrong(desk.verify()) == {}


def test_another_sbom_beside_the_zip_is_not_the_one_that_was_stated_though_it_stands_elsewhere_in_the_statement(desk: Desk) -> None:
    document = json.loads((desk.dist / "Pay.cdx.json").read_bytes())
    document["components"].pop()
    data = json.dumps(document, separators=(",", ":")).encode()
    line = next(one for one in desk.lines if statement_of(read_envelope(one, shown=""), shown="").kind == Predicate.SBOM)
    payload = base64.b64decode(json.loads(line)["payload"])
    hidden = payload.replace(b'{"_type":', b'{"Hidden":{"predicate":' + data + b',"x":1},"_type":', 1)
    desk.write_lines([wrapped(hidden, [BUILDER]) if one == line else one for one in desk.lines])
    put(desk.dist / "Pay.cdx.json", data)
    desk.edit_manifest(lambda pay: pay["sbom"].update(sha256=hashlib.sha256(data).hexdigest()))
    found = link(desk.verify(), "sbom")
    assert (found.hold, found.sentence) == (Hold.BROKEN, "It is not the SBOM that was stated.")


def test_what_another_tool_states_of_the_signed_zip_does_not_make_it_an_unsigned_one(desk: Desk) -> None:
    path = desk.sign()
    assert wrong(desk.verify(path, release=desk.dist)) == {}
    zipped = Resource(name="signed.zip", digests={"sha256": hashlib.sha256(path.read_bytes()).hexdigest()})
    scanned = Statement(subjects=(zipped,), kind="https://example.com/scan/v1", predicate={})
    desk.write_lines([*desk.lines, written(scanned, [FileSigner(BUILDER.private)])])
    assert wrong(desk.verify(path, release=desk.dist)) == {}


def test_statements_that_hold_more_than_any_of_ours_are_not_held_at_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "_MOST", 100)
    found = link(desk.verify(), "bundle")
    assert (found.hold, "hold more than 100 values together" in found.sentence) == (Hold.BROKEN, True)


def test_a_zip_that_is_exchanged_between_hashing_and_reading_is_noticed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    path = desk.dist / "Pay.zip"
    put(path, path.read_bytes())  # a file of its own
    hashed = zip_contents.digests_of

    def digests_of(file: BinaryIO, *, shown: str) -> zip_contents.Bytes:
        found, before = hashed(file, shown=shown), path.stat()
        while path.stat().st_ctime_ns == before.st_ctime_ns:  # a disk's clock has ticks of up to ten milliseconds
            path.write_bytes(path.read_bytes())  # in place, of the same size; then the time is set back
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        return found

    monkeypatch.setattr(one, "digests_of", digests_of)
    found = desk.verify()
    assert (link(found, "contents").sentence, int(found.exit_code)) == ("The zip changed while it was looked at.", 4)
