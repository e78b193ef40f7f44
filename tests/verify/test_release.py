"""A release in a folder: every link of its chains, held and broken, without a socket."""

import base64
import hashlib
import json
import os
import socket
import stat
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from shipsafe.errors import ConfigError, IncompleteError, IntegrityError, NothingError
from shipsafe.evidence.envelope import read_envelope, statement_of, written
from shipsafe.evidence.file_signer import FileSigner
from shipsafe.model.attestation import Predicate, Statement
from shipsafe.model.chain import Hold, Verification
from shipsafe.verify import open_request, verify_release
from shipsafe.verify.links import ORDER
from tests.evidence.speakers import key
from tests.tampering.zips import Part, changed, mode_changed
from tests.verify.desk import SIGNER, Desk, advisory, link, only, put, wrong


def test_a_clean_release_holds_without_a_socket(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_words: object, **_more: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    found = desk.verify()
    assert (int(found.exit_code), wrong(found)) == (0, {})
    assert [one.id for one in only(found).links] == list(ORDER)
    assert only(found).subject == "function:Pay"
    assert {one.id for one in only(found).links if one.hold is Hold.NOT_ASKED} == {"signing-record", "aws-signature", "signed-contents"}
    assert "Nothing of AWS was looked at" in link(found, "aws-signature").sentence


def test_a_chain_says_which_bytes_and_which_envelopes_it_was_about(desk: Desk) -> None:
    chain = only(desk.verify())
    digests = desk.manifest["artifacts"][0]["digests"]
    assert chain.digests[0].digests == {"sha256": digests["sha256"], "sha512": digests["sha512"]}
    assert [(one.kind, one.by) for one in chain.attestations] == [
        (Predicate.PROVENANCE, ("ci",)), (Predicate.SBOM, ("ci",)), (Predicate.GATES, ("ci",)),
    ]  # fmt: skip


def test_artifacts_are_verified_alike_one_by_one_and_together(desk: Desk) -> None:
    with open_request(policy=desk.project / "shipsafe.toml", now=lambda: desk.now) as request:
        assert verify_release(desk.dist, replace(request, jobs=1)) == verify_release(desk.dist, replace(request, jobs=8))


@pytest.mark.parametrize(("key", "value"), [("sha256", "0" * 64), ("sha512", "0" * 128), ("code_sha256", "A" * 43 + "=")])
def test_a_digest_that_was_edited_in_the_manifest_breaks_the_zip(desk: Desk, key: str, value: str) -> None:
    desk.edit_manifest(lambda pay: pay["digests"].update({key: value}))
    found = desk.verify()
    assert wrong(found) == {"zip": Hold.BROKEN}
    assert value in link(found, "zip").expected
    assert int(found.exit_code) == 5


def test_another_size_in_the_manifest_breaks_the_zip(desk: Desk) -> None:
    desk.edit_manifest(lambda pay: pay.update(size=1))
    assert wrong(desk.verify()) == {"zip": Hold.BROKEN}


@pytest.mark.parametrize(("name", "first"), [("Pay.zip", "zip"), ("Pay.cdx.json", "sbom"), ("Pay.intoto.jsonl", "bundle")])
def test_what_is_missing_is_broken_and_not_only_unanswered(desk: Desk, name: str, first: str) -> None:
    (desk.dist / name).unlink()
    found = desk.verify()
    assert found.first_broken
    assert (found.first_broken[1].id, int(found.exit_code)) == (first, 5)


@pytest.mark.parametrize("name", ["Pay.zip", "Pay.cdx.json", "Pay.intoto.jsonl"])
def test_links_and_what_is_no_file_are_refused(desk: Desk, name: str) -> None:
    (desk.dist / name).rename(desk.project / "elsewhere")
    (desk.dist / name).symlink_to(desk.project / "elsewhere")
    assert int(desk.verify().exit_code) == 5
    (desk.dist / name).unlink()
    os.mkfifo(desk.dist / name)
    assert int(desk.verify().exit_code) == 5
    (desk.dist / name).unlink()
    (desk.dist / name).mkdir()
    assert int(desk.verify().exit_code) in (4, 5)


@pytest.mark.parametrize("path", ["../Pay.zip", "/etc/passwd", "a/../../Pay.zip"])
def test_the_manifest_cannot_lead_out_of_its_folder(desk: Desk, path: str) -> None:
    desk.edit_manifest(lambda pay: pay.update(path=path))
    with pytest.raises(IntegrityError):
        desk.verify()


def told(desk: Desk, data: bytes) -> None:
    """Another zip, and a manifest that fits its bytes."""
    put(desk.dist / "Pay.zip", data)
    digest = hashlib.sha256(data)
    digests = {"sha256": digest.hexdigest(), "sha512": hashlib.sha512(data).hexdigest(),
               "code_sha256": base64.b64encode(digest.digest()).decode()}  # fmt: skip
    desk.edit_manifest(lambda pay: (pay["digests"].update(digests), pay.update(size=len(data))))


@pytest.mark.parametrize(
    ("mode", "sentence"), [(stat.S_IFLNK | 0o777, "is a link"), (stat.S_IFCHR | 0o600, "a device"), (stat.S_IFDIR | 0o755, "another kind")]
)
def test_a_link_in_a_zip_is_refused(desk: Desk, mode: int, sentence: str) -> None:
    def as_link(parts: list[Part]) -> list[Part]:
        return [replace(parts[0], member=replace(parts[0].member, mode=mode)), *parts[1:]]

    told(desk, changed((desk.dist / "Pay.zip").read_bytes(), as_link))
    found = link(desk.verify(), "contents")
    assert (found.hold, sentence in found.sentence) == (Hold.BROKEN, True)


def test_rights_that_changed_break_contents_although_the_manifest_fits_the_bytes(desk: Desk) -> None:
    told(desk, mode_changed((desk.dist / "Pay.zip").read_bytes()))
    found = desk.verify()
    assert link(found, "contents").hold is Hold.BROKEN
    assert link(found, "contents").expected.startswith("sha256:")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("runtimes", ["python3.12"]), ("handler", "other.handler"), ("architectures", ["arm64"]), ("source", "prebuilt"),
        ("locks", [{"path": "uv.lock", "sha256": "0" * 64}]),
        ("layers", [{"text": "x", "arn": None, "version": None, "local": None, "changeable": "", "unresolved": ""}]),
    ],
)  # fmt: skip
def test_what_the_manifest_says_the_builder_must_state(desk: Desk, name: str, value: object) -> None:
    desk.edit_manifest(lambda pay: pay.update({name: value}))
    found = desk.verify()
    assert wrong(found) == {"provenance": Hold.BROKEN}


@pytest.mark.parametrize("name", ["project", "template"])
def test_the_manifest_cannot_name_another_project(desk: Desk, name: str) -> None:
    (desk.dist / "shipsafe.json").write_text(json.dumps(desk.manifest | {name: "other"}))
    assert wrong(desk.verify()) == {"provenance": Hold.BROKEN}


def test_answers_of_a_signer_that_nobody_vouches_for_do_not_stand_in_for_those_of_a_builder_who_is_trusted(desk: Desk) -> None:
    text = (desk.project / "shipsafe.toml").read_text()
    (desk.project / "builder.toml").write_text(text[: text.index("[[attest.key]]\nname = 'releases'")])
    answers = next(one for line in desk.lines if (one := statement_of(read_envelope(line, shown=""), shown="")).kind == Predicate.GATES)
    forged = _with(answers, lambda said: said.update(askedBy="signer", decision="FAIL"))
    desk.write_lines([*desk.lines, written(forged, [])])
    assert wrong(desk.verify(policy=desk.project / "builder.toml")) == {}  # the builder's were judged


@pytest.mark.parametrize(("table", "value"), [("policy", {"digest": f"sha256:{'0' * 64}"}), ("source", {"commit": "0" * 40})])
def test_what_the_manifest_says_of_the_release_the_builder_must_state(desk: Desk, table: str, value: dict[str, str]) -> None:
    document = desk.manifest
    document[table].update(value)
    (desk.dist / "shipsafe.json").write_text(json.dumps(document))
    assert wrong(desk.verify()) == {"provenance": Hold.BROKEN}


def test_an_sbom_that_says_the_same_in_other_bytes_is_the_one_that_was_stated(desk: Desk) -> None:
    data = json.dumps(json.loads((desk.dist / "Pay.cdx.json").read_bytes())).encode()
    put(desk.dist / "Pay.cdx.json", data)
    desk.edit_manifest(lambda pay: pay["sbom"].update(sha256=hashlib.sha256(data).hexdigest()))
    assert wrong(desk.verify()) == {}


_FILE = {"type": "file", "bom-ref": "file:x", "name": "x", "hashes": [{"alg": "SHA-256", "content": "0" * 64}]}


def _with(statement: Statement, edit: Any) -> Statement:
    predicate = json.loads(json.dumps(statement.predicate))
    edit(predicate)
    return replace(statement, predicate=predicate)


@pytest.mark.parametrize(
    "edit",
    [
        lambda bom: bom["components"].pop(),
        lambda bom: bom["components"].append(_FILE),
        lambda bom: next(one for one in bom["components"] if one["name"] == "lib/tool.sh").pop("properties"),
        lambda bom: next(one for one in bom["components"] if one["name"] == "rates").update(version="1.1"),
        lambda bom: bom["metadata"]["component"]["hashes"].pop(),
        lambda bom: bom.update(specVersion="1.5"),
        lambda bom: bom.update(bomFormat="SPDX"),
        lambda bom: bom.clear(),
    ],
)  # fmt: skip
def test_an_sbom_that_does_not_describe_the_zip_is_broken_whoever_vouches_for_it(desk: Desk, edit: Any) -> None:
    desk.restate(Predicate.SBOM, lambda one: _with(one, edit))
    (desk.dist / "Pay.cdx.json").unlink()
    said = next(json.loads(_payload(line)) for line in desk.lines if json.loads(_payload(line))["predicateType"] == Predicate.SBOM)
    data = json.dumps(said["predicate"]).encode()
    (desk.dist / "Pay.cdx.json").write_bytes(data)
    desk.edit_manifest(lambda pay: pay["sbom"].update(sha256=hashlib.sha256(data).hexdigest()))
    found = desk.verify()
    assert link(found, "sbom").hold is Hold.BROKEN
    assert int(found.exit_code) == 5


def _payload(line: bytes) -> bytes:
    return base64.b64decode(json.loads(line)["payload"])


@pytest.mark.parametrize("kind", [Predicate.PROVENANCE, Predicate.SBOM, Predicate.GATES])
def test_a_statement_that_is_not_there_breaks_its_link(desk: Desk, kind: Predicate) -> None:
    desk.without(kind)
    found = desk.verify()
    name = {Predicate.PROVENANCE: "provenance", Predicate.SBOM: "sbom", Predicate.GATES: "gates"}[kind]
    assert link(found, name).hold is Hold.BROKEN
    assert int(found.exit_code) == 5


def test_gates_of_another_function_prove_nothing(desk: Desk) -> None:
    desk.restate(Predicate.GATES, lambda one: _with(one, lambda said: said.update(subject="function:Other")))
    found = link(desk.verify(), "verdict")
    assert (found.hold, found.expected, found.found) == (Hold.BROKEN, "function:Pay", "function:Other")


def test_what_did_not_pass_was_never_released(desk: Desk) -> None:
    desk.restate(Predicate.GATES, lambda one: _with(one, lambda said: said.update(decision="FAIL")))
    assert wrong(desk.verify()) == {"verdict": Hold.BROKEN}


def test_an_advisory_that_became_known_since_is_named_with_its_package_and_its_fix(desk: Desk) -> None:
    advisory(desk.project, "PYSEC-2026-99", "rates")
    found = desk.verify()
    assert (wrong(found), int(found.exit_code)) == ({"verdict": Hold.DISALLOWED}, 1)
    sentence = link(found, "verdict").sentence
    assert "rates 1.0 has PYSEC-2026-99" in sentence
    assert "Fixed in 9.0." in sentence
    assert any("Known since it was released: PYSEC-2026-99" in note for note in link(found, "verdict").notes)


def test_a_waiver_that_ended_since_no_longer_allows(desk: Desk) -> None:
    desk.edit_policy("expires = 2099-12-31", f"expires = {desk.now.date() + timedelta(days=20)}")
    assert wrong(desk.verify()) == {}
    found = desk.verify(now=desk.now + timedelta(days=21))
    assert wrong(found) == {"verdict": Hold.UNANSWERED}  # what is unaudited is back, and nobody can look it up
    assert any("expired on" in note for note in link(found, "verdict").notes)


def test_a_gate_that_is_newly_required_and_was_never_asked_is_unanswered(desk: Desk) -> None:
    desk.restate(Predicate.GATES, lambda one: _with(one, lambda said: said.update(
        outcomes=[outcome for outcome in said["outcomes"] if outcome["gate"] != "lint"])))  # fmt: skip
    found = desk.verify()
    assert (wrong(found), int(found.exit_code)) == ({"verdict": Hold.UNANSWERED}, 4)
    assert "lint" in link(found, "verdict").sentence


def test_a_verification_around_midnight_is_of_one_day(desk: Desk) -> None:
    """Advisories that are as old as they may be today do not become too old while it goes on."""
    desk.edit_policy("date = 2026-11-01", f"date = {desk.now.date() - timedelta(days=7)}")
    desk.edit_policy('max-age = "off"', 'max-age = "7d"')
    midnight = datetime.combine(desk.now.date() + timedelta(days=1), time(), UTC)
    clock = iter([midnight - timedelta(seconds=1), *[midnight] * 9])
    with open_request(policy=desk.project / "shipsafe.toml", local_root=desk.root.fingerprint, now=lambda: next(clock)) as request:
        assert request.today == desk.now.date()
        assert wrong(verify_release(desk.dist, request)) == {}


def test_stale_advisories_are_unanswered_and_never_a_pass(desk: Desk) -> None:
    desk.edit_policy('max-age = "off"', 'max-age = "7d"')
    found = desk.verify(now=desk.now + timedelta(days=60))
    assert (wrong(found), int(found.exit_code)) == ({"verdict": Hold.UNANSWERED}, 4)


def test_advisories_that_are_gone_are_unanswered(desk: Desk) -> None:
    desk.edit_policy('path = "advisories"', 'path = "nowhere"')
    assert wrong(desk.verify()) == {"verdict": Hold.UNANSWERED}


def test_a_finding_that_today_blocks_is_disallowed(desk: Desk) -> None:
    advisory(desk.project, "PYSEC-2026-99", "rates")
    desk.edit_policy(
        "[[waivers]]",
        '[[waivers]]\nadvisory = "PYSEC-2026-99"\nsubject = "*"\nreason = "x"\nowner = "o"\nexpires = 2099-01-01\n\n[[waivers]]',
    )
    found = desk.verify()
    assert wrong(found) == {}
    assert any("PYSEC-2026-99 is allowed by o until 2099-01-01" in note for note in link(found, "verdict").notes)


def test_keys_must_be_valid_today_for_an_unsigned_zip(desk: Desk) -> None:
    day = desk.now.date() - timedelta(days=1)
    desk.edit_policy('for = ["builder"]', f'for = ["builder"]\nuntil = {day}')
    found = desk.verify()
    assert set(wrong(found)) == {"sbom", "provenance", "gates"}
    assert str(day) in link(found, "provenance").sentence


def test_a_signer_cannot_speak_as_builder(desk: Desk) -> None:
    desk.restate(Predicate.PROVENANCE, lambda one: one, by=SIGNER)
    assert wrong(desk.verify()) == {"provenance": Hold.BROKEN}


def test_without_keys_evidence_is_taken_with_a_note_and_strict_takes_none(desk: Desk) -> None:
    path = desk.project / "open.toml"
    text = (desk.project / "shipsafe.toml").read_text()
    path.write_text(text[: text.index("[[attest.key]]")])
    found = desk.verify(policy=path)
    assert wrong(found) == {}
    assert any("Nobody vouches" in note for note in link(found, "provenance").notes)
    path.write_text(path.read_text() + '\n[attest]\nunsigned = "refuse"\n')
    assert {"provenance", "gates", "sbom"} <= set(wrong(desk.verify(policy=path)))


def test_an_older_release_without_evidence_is_broken(desk: Desk) -> None:
    desk.edit_manifest(lambda pay: pay.pop("evidence"))
    found = desk.verify()
    assert found.first_broken
    assert (found.first_broken[1].id, int(found.exit_code)) == ("bundle", 5)


def test_a_signature_that_only_the_manifest_tells_of_breaks_the_record(desk: Desk) -> None:
    desk.sign()
    assert wrong(desk.verify()) == {}
    assert "prod" in link(desk.verify(), "signing-record").sentence
    desk.edit_manifest(lambda pay: pay["signatures"][0].update(sha256="0" * 64))
    assert wrong(desk.verify()) == {"signing-record": Hold.BROKEN}


@pytest.mark.parametrize(
    "edit",
    [
        {"account": "999999999999"}, {"region": "eu-central-1"}, {"size": 1}, {"target": "other"}, {"trust": "aws"},
        {"object": {"bucket": "pay-artifacts", "key": "signed.zip", "version": "v3"}}, {"root": "0" * 64},
    ],
)  # fmt: skip
def test_manifest_and_record_must_say_the_same_of_a_signature(desk: Desk, edit: dict[str, Any]) -> None:
    desk.sign()
    desk.edit_manifest(lambda pay: pay["signatures"][0].update(edit))
    assert wrong(desk.verify()) == {"signing-record": Hold.BROKEN}


def test_the_policy_of_a_release_is_refused_where_it_would_be_found(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    (desk.dist / "shipsafe.toml").write_text("")
    monkeypatch.chdir(desk.dist)
    for named in (Path(), Path("Pay.zip")):
        with pytest.raises(ConfigError, match="lies in what is verified"), open_request(verified=[named]):
            pass
    with pytest.raises(ConfigError, match="lies in what is verified"), open_request(release=desk.dist):
        pass
    with open_request(verified=[Path()], policy=Path("shipsafe.toml")) as request:
        assert request.policy.path  # whoever names it means it


def test_what_is_no_release_is_said(desk: Desk, tmp_path: Path) -> None:
    request = desk.request()
    with pytest.raises(ConfigError):
        verify_release(tmp_path / "nowhere", request)
    (tmp_path / "empty").mkdir()
    with pytest.raises(NothingError):
        verify_release(tmp_path / "empty", request)
    (desk.dist / "shipsafe.json").write_text("{}")
    with pytest.raises(IncompleteError):
        desk.verify()


def test_a_verification_of_nothing_is_no_pass() -> None:
    assert int(Verification(chains=(), policy=None, policy_digest="").exit_code) == 5


def test_two_statements_of_a_kind_are_joined_by_the_later(desk: Desk) -> None:
    lines = desk.lines
    desk.restate(Predicate.GATES, lambda one: _with(one, lambda said: said.update(decision="FAIL")))
    desk.write_lines([*desk.lines, *lines])
    assert wrong(desk.verify()) == {}
    desk.write_lines([*lines, *desk.lines[:3]])
    assert wrong(desk.verify()) == {"verdict": Hold.BROKEN}


def test_an_envelope_of_a_stranger_spoils_nothing_and_is_told(desk: Desk) -> None:
    strange = [written(statement_of(read_envelope(line, shown=""), shown=""), [FileSigner(key("stranger"))]) for line in desk.lines]
    desk.write_lines([*desk.lines, *strange])
    found = desk.verify()
    assert wrong(found) == {}
    assert any("does not count" in note for note in link(found, "bundle").notes)
