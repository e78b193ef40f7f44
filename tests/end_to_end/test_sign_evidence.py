"""`shipsafe sign` and evidence, as a user runs it: what the builder attested is checked, and what was signed is stated and verified."""

import base64
import shutil
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.signing_with_keys import ALL, PASSWORD, Run, bundle, jobs, keys, kinds, manifest, project, run, stated, trusting
from tests.local_endpoint import client, local_aws, local_root  # noqa: F401 - fixtures

__all__ = ["keys", "project", "run"]  # fixtures


def test_under_strict_what_a_trusted_builder_attested_is_signed_once_and_stated_once(run: Run, project: Path, keys: Any) -> None:
    (ci, builder), (release, signer) = keys["ci"], keys["release"]
    trusting(project, "strict", ci=builder, release=signer)
    assert run("build", "--key", ci).code == 0
    done = run("sign", "--yes", "--key", release)
    assert done.code == 0, done.out + done.err
    assert "LOCAL builder: attested by ci\nLOCAL evidence: signed by release\n" in done.out
    assert f"LOCAL   kept in {project / 'kept'}" in done.out
    assert done.out.endswith(f"2 signed; dist/shipsafe.json says where, and {project / 'kept'} keeps the evidence. exit 0\n")
    assert kinds(project) == ALL
    assert all(one["signatures"] for one in bundle(project))
    entry = next(one for one in manifest(project)["artifacts"] if one["name"] == "Pay")
    assert entry["evidence"]["signed"] is True
    record = stated(bundle(project)[-1])
    (signature,) = entry["signatures"]
    place = signature["object"]
    address = f"s3://{place['bucket']}/{place['key']}?versionId={place['version']}"
    assert [one["digest"]["sha256"] for one in record["subject"]] == [entry["digests"]["sha256"], signature["sha256"]]
    assert [one["name"] for one in record["subject"]] == ["Pay.zip", address]
    predicate = record["predicate"]
    assert predicate["vouchedBy"] == ["ci"]
    assert {"subject": "function:Pay", "name": "handler", "value": "app.handler", "vouchedBy": "ci"} in predicate["claims"]
    assert not [one for one in predicate["claims"] if one["subject"] == "function:Stock"]
    assert (predicate["job"], predicate["signed"]["codeSha256"]) == (signature["job"], signature["code_sha256"])
    signing = manifest(project)["signing"]
    assert (signing["builder"], {one["vouched_by"] for one in signing["claims"]}) == ("attested by ci", {"ci"})

    files = {path.name: path.read_bytes() for path in (project / "dist").iterdir() if path.is_file()}
    kept = sorted(path for path in (project / "kept").rglob("*.json"))
    again = run("sign", "--yes", "--key", release)
    assert again.code == 0, again.out + again.err
    assert {path.name: path.read_bytes() for path in (project / "dist").iterdir() if path.is_file()} == files
    assert sorted(path for path in (project / "kept").rglob("*.json")) == kept
    assert jobs() == 2
    lines = [path.read_bytes() for path in kept if path.parent.name == signature["sha256"]]
    assert lines == [(project / "dist" / "Pay.intoto.jsonl").read_bytes().splitlines()[-1]], "found by what Lambda reports"
    assert len([path for path in kept if path.parent.name == entry["digests"]["sha256"]]) == len(ALL)
    secrets = [PASSWORD, release.read_text().splitlines()[2]]
    everything = done.out + done.err + "".join(path.read_text() for path in kept) + (project / "dist" / "shipsafe.json").read_text()
    assert not [one for one in secrets if one in everything]


def test_verify_holds_what_sign_left(run: Run, project: Path, keys: Any) -> None:
    """The release, and the signed zip by itself: from what is kept, without the release."""
    (ci, builder), (release, signer) = keys["ci"], keys["release"]
    trusting(project, "strict", ci=builder, release=signer)
    assert run("build", "--key", ci).code == 0
    assert run("sign", "--yes", "--key", release).code == 0
    (signature,) = next(one for one in manifest(project)["artifacts"] if one["name"] == "Pay")["signatures"]
    place = signature["object"]
    with closing(client("s3")) as s3:
        body = s3.get_object(Bucket=place["bucket"], Key=place["key"], VersionId=place["version"])["Body"].read()
    held = run("verify", "dist", "--local")
    assert held.code == 0, held.out + held.err
    (project / "signed.zip").write_bytes(body)
    shutil.rmtree(project / "dist")
    alone = run("verify", "signed.zip", "--local")
    assert alone.code == 0, alone.out + alone.err
    shutil.rmtree(project / "kept")
    assert run("verify", "signed.zip", "--local").code == 5


def test_openssl_holds_the_signing_record_against_the_signer_s_key(run: Run, project: Path, keys: Any, tmp_path: Path) -> None:
    """Nobody needs shipsafe to look at it."""
    release, public = keys["release"]
    assert run("build").code == 0
    assert run("sign", "--yes", "--key", release).code == 0
    envelope = bundle(project)[-1]
    payload = base64.b64decode(envelope["payload"])
    kind = envelope["payloadType"].encode()
    (tmp_path / "pub.pem").write_text(public.pem + "\n")
    (tmp_path / "signed").write_bytes(b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload))
    (tmp_path / "signature").write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
    words = ("openssl", "dgst", "-sha384", "-verify", "pub.pem", "-signature", "signature", "signed")
    assert b"Verified OK" in subprocess.run(words, cwd=tmp_path, check=True, capture_output=True).stdout


def test_under_strict_keys_are_needed_before_anything_is_asked(run: Run, project: Path, keys: Any) -> None:
    """The signer's key, of that role; and a key that cannot be opened is said first of all."""
    (ci, builder), (release, signer), (eve, _) = keys["ci"], keys["release"], keys["eve"]
    trusting(project, "strict", ci=builder, release=signer)
    assert run("build", "--key", ci).code == 0
    for words, said in (
        ((), "takes no evidence that nobody signed"),
        (("--key", eve), "0 of the keys given may speak as a signer today, and the policy wants 1."),
        (("--key", ci), "0 of the keys given may speak as a signer today, and the policy wants 1."),
        (("--key", project / "nowhere.pem"), "nowhere.pem"),
    ):
        done = run("sign", "--yes", *words)
        assert (done.code, said in done.err, done.out) == (2, True, ""), done.out + done.err
    trusting(project, "strict", ci=builder)
    nobody = run("sign", "--yes", "--key", release)
    assert (nobody.code, "trusts no key of a signer" in nobody.err) == (2, True), nobody.err
    trusting(project, "strict", ci=builder, release=signer)
    assert run("sign", "--yes", "--key", release, "--key", eve).code == 0
    assert len(bundle(project)[-1]["signatures"]) == 2


@pytest.mark.parametrize("extends", ["strict", "baseline"])
def test_what_another_key_attested_is_not_signed(run: Run, project: Path, keys: Any, extends: str) -> None:
    """A stranger's key, a signer's, or none: trust in a builder's key is meant."""
    (ci, builder), (release, signer), (eve, _) = keys["ci"], keys["release"], keys["eve"]
    for words in (("--key", eve), ("--key", release), ()):
        trusting(project)
        assert run("build", *words).code == 0
        trusting(project, extends, ci=builder, release=signer)
        done = run("sign", "--yes", "--key", release)
        assert (done.code, "Pay.intoto.jsonl: Pay cannot be signed." in done.err) == (5, True), done.out + done.err
    shutil.copyfile(project / "dist" / "Stock.intoto.jsonl", project / "dist" / "Pay.intoto.jsonl")
    other = run("sign", "--yes", "--key", release)
    assert (other.code, "Pay.intoto.jsonl" in other.err) == (5, True), other.out + other.err
    assert jobs() == 0
    trusting(project, extends, ci=builder, release=signer)
    assert run("build", "--key", ci).code == 0
    assert run("sign", "--yes", "--key", release).code == 0


def test_without_a_key_evidence_says_that_nobody_vouches_and_a_key_later_replaces_it(run: Run, project: Path, keys: Any) -> None:
    assert run("build").code == 0
    done = run("sign", "--yes")
    assert done.code == 0, done.out + done.err
    assert "LOCAL builder: unattested\nLOCAL evidence: unsigned, so that nobody vouches for it (--key URI signs it)\n" in done.out
    assert kinds(project) == ALL
    assert not [one for one in bundle(project) if one["signatures"]]
    before = bundle(project)
    assert run("sign").code == 0, "nothing is left to do, so that nobody is asked"
    assert bundle(project) == before
    assert run("sign", "--key", keys["release"][0]).code == 0
    assert kinds(project) == ALL
    assert [bool(one["signatures"]) for one in bundle(project)] == [False, False, False, True, True]
    assert next(one for one in manifest(project)["artifacts"] if one["name"] == "Pay")["evidence"]["signed"] is False
    signed = bundle(project)
    assert run("sign").code == 0
    assert bundle(project) == signed


def test_a_zip_by_its_path_is_not_signed_where_builders_are_to_attest(run: Run, project: Path, keys: Any) -> None:
    trusting(project, ci=keys["ci"][1])
    shutil.make_archive(str(project / "pay"), "zip", project / "pay")
    done = run("sign", "pay.zip", "--out", "other", "--yes")
    assert (done.code, "pay.zip cannot be signed. No attestation says who built it" in done.err) == (5, True), done.out + done.err
    assert not (project / "other").exists()
