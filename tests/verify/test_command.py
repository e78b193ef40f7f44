"""`shipsafe verify` on the command line, and the library as others call it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from shipsafe import verify as library
from shipsafe.evidence.envelope import read_bundle
from shipsafe.evidence.trust import vouched
from shipsafe.model.attestation import AttestPolicy, Predicate, Role
from tests.evidence.speakers import trusted_key
from tests.tampering.world import shipsafe
from tests.verify.desk import SIGNER, Desk


def test_a_release_that_holds_ends_with_0_and_says_so_first(desk: Desk) -> None:
    done = shipsafe("verify", cwd=desk.project)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("The chain of function:Pay holds")


def test_quiet_prints_the_first_sentence_alone(desk: Desk) -> None:
    (desk.dist / "Pay.cdx.json").unlink()
    done = shipsafe("verify", "dist", "--quiet", cwd=desk.project)
    assert done.code == 5
    assert done.out.count("\n") == 1
    assert "broken at `sbom`" in done.out


@pytest.mark.parametrize("form", ["text", "json", "sarif", "markdown"])
def test_a_format_never_changes_the_code(desk: Desk, form: str) -> None:
    (desk.dist / "Pay.intoto.jsonl").unlink()
    done = shipsafe("verify", "dist", "--format", form, "--report", f"{form}=again.txt", cwd=desk.project)
    assert done.code == 5
    assert (desk.project / "again.txt").read_text() == done.out


def test_a_summary_is_signed_by_the_verifier_and_says_what_was_found(desk: Desk, tmp_path: Path) -> None:
    done = shipsafe("verify", "--summary", "vsa.jsonl", "--key", SIGNER.write(tmp_path), cwd=desk.project)
    assert done.code == 0, done.err
    key = trusted_key(SIGNER.private, "verifier", roles=frozenset({Role.VERIFIER}))
    (envelope,) = read_bundle((desk.project / "vsa.jsonl").read_bytes(), shown="vsa.jsonl")
    said = vouched(envelope, AttestPolicy(keys=(key,), unsigned_allowed=False), at=desk.now.date(), shown="vsa.jsonl")
    assert said.statement.kind == Predicate.SUMMARY
    assert said.statement.predicate["verificationResult"] == "PASSED"
    assert said.statement.subjects[0].digests["sha256"] == desk.manifest["artifacts"][0]["digests"]["sha256"]


def test_a_summary_of_what_does_not_hold_says_failed(desk: Desk) -> None:
    (desk.dist / "Pay.cdx.json").unlink()
    assert shipsafe("verify", "--summary", "vsa.jsonl", cwd=desk.project).code == 5
    assert b'"signatures":[]' in (desk.project / "vsa.jsonl").read_bytes()


@pytest.mark.parametrize(
    "words",
    [
        ("--format", "xml"), ("--report", "text"), ("--key", "x.pem"), ("dist", "--function", "Pay"), ("--all-regions",), ("nowhere.zip",),
        ("--policy", "nowhere.toml"), ("--bundle", "nowhere.jsonl", "dist/Pay.zip"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_ends_with_2(desk: Desk, words: tuple[str, ...]) -> None:
    done = shipsafe("verify", *words, cwd=desk.project)
    assert (done.code, done.err.startswith("error: ")) == (2, True), done.err


def test_without_a_policy_it_says_whose_word_counts(desk: Desk, tmp_path: Path) -> None:
    done = shipsafe("verify", desk.dist, cwd=tmp_path)
    assert "trusts nobody's key" in done.out


def test_names_from_outside_are_shown_escaped(desk: Desk) -> None:
    desk.edit_manifest(lambda pay: pay["location"].update(path="\x1b[31m"))
    desk.edit_manifest(lambda pay: pay.update(handler="\x1b[31mred"))
    done = shipsafe("verify", cwd=desk.project)
    assert done.code == 5
    assert "\x1b" not in done.out + done.err


def test_json_names_every_link_by_its_id(desk: Desk) -> None:
    document = json.loads(shipsafe("verify", "--format", "json", cwd=desk.project).out)
    assert "aws-signature" in json.dumps(document)


def test_the_library_loads_nothing_until_it_is_asked() -> None:
    code = "import sys, shipsafe.verify; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"boto3", "securesystemslib", "cryptography", "asn1crypto", "jsonschema_rs", "yaml"} & {*done.stdout.split()}


def test_the_library_has_no_other_names() -> None:
    with pytest.raises(AttributeError):
        _ = library.nothing
    assert all(getattr(library, name) for name in library.__all__)
