"""`shipsafe sign` and evidence, as a user runs it: what the builder attested is checked, and what was signed is stated, once."""

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from shipsafe.evidence.key_file import make
from shipsafe.evidence.keys import public_key_of
from shipsafe.evidence.public_key import PublicKey
from shipsafe.flows.keys import table
from shipsafe.local.endpoint import Endpoint
from shipsafe.model.attestation import Role
from tests.end_to_end.program import Ended, shipsafe
from tests.end_to_end.test_sign import BUCKET, POLICY, project
from tests.local_endpoint import client, local_aws, local_root  # noqa: F401 - fixtures

PASSWORD = "correct horse battery staple"
Run = Callable[..., Ended]
__all__ = ["project"]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, PublicKey]]:
    """Key files, by name."""
    folder = tmp_path_factory.mktemp("keys")
    return {name: (folder / f"{name}.pem", make(folder / f"{name}.pem", password=PASSWORD.encode())) for name in ("ci", "release", "eve")}


@pytest.fixture
def run(project: Path, tmp_path: Path, local_aws: Endpoint) -> Run:  # noqa: F811, ARG001 - fixtures, which set the environment
    """The program in the project, against the local endpoint with bucket and profile, and with the password of the keys."""
    with closing(client("s3")) as s3, closing(client("signer")) as signer:
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        signer.put_signing_profile(profileName="pay_dev", platformId="AWSLambda-SHA384-ECDSA")
    aws = {name: value for name, value in os.environ.items() if name.startswith(("AWS_", "SHIPSAFE_LOCAL"))}
    env = {"SHIPSAFE_CACHE_DIR": str(tmp_path / "cache"), "SHIPSAFE_KEY_PASSWORD": PASSWORD, **aws}
    return lambda *words: shipsafe(*words, cwd=project, env=env)


def trusting(project: Path, extends: str = "baseline", **keys: PublicKey) -> None:
    """Write a policy that trusts the keys `ci` as a builder's and every other one as a signer's."""
    tables = "\n".join(table(key, name=name, roles=[Role.BUILDER if name == "ci" else Role.SIGNER]) for name, key in keys.items())
    (project / "shipsafe.toml").write_text(f'extends = "{extends}"\nevidence = "kept"\n{POLICY}\n{tables}\n')


def bundle(project: Path, name: str = "Pay") -> list[Any]:
    """The envelopes of an artifact."""
    return [json.loads(line) for line in (project / "dist" / f"{name}.intoto.jsonl").read_bytes().splitlines()]


def stated(envelope: Any) -> Any:
    return json.loads(base64.b64decode(envelope["payload"]))


def kinds(project: Path, name: str = "Pay") -> list[str]:
    """What is stated, in the order of the bundle."""
    statements = [stated(one) for one in bundle(project, name)]
    return [one["predicateType"].rpartition("/")[2] + (one["predicate"].get("askedBy", "")) for one in statements]


def manifest(project: Path) -> Any:
    return json.loads((project / "dist" / "shipsafe.json").read_text())


def jobs() -> int:
    with closing(client("signer")) as signer:
        return len(signer.list_signing_jobs()["jobs"])


ALL = ["v1", "bom", "urn:shipsafe:gates:v1builder", "urn:shipsafe:gates:v1signer", "urn:shipsafe:signing:v1"]


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
        (("--key", eve), "1 of the keys must be one that the policy trusts as a signer's today; 0 of those given is."),
        (("--key", ci), "1 of the keys must be one that the policy trusts as a signer's today; 0 of those given is."),
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


def test_a_key_in_kms_signs_each_statement_once(run: Run, project: Path, keys: Any) -> None:
    """Although no two of its signatures are the same; and what another signer stated stays."""
    with closing(client("kms")) as kms:
        arn = kms.create_key(KeySpec="ECC_NIST_P384", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    trusting(project, kms=public_key_of(f"awskms:{arn}"))
    assert run("build").code == 0
    done = run("sign", "--yes", "--key", f"awskms:{arn}")
    assert done.code == 0, done.out + done.err
    assert "LOCAL evidence: signed by kms\n" in done.out
    before = bundle(project)
    assert run("sign", "--yes", "--key", f"awskms:{arn}").code == 0
    assert bundle(project) == before
    trusting(project)
    assert run("sign", "--yes", "--key", keys["release"][0]).code == 0
    assert bundle(project)[: len(before)] == before
    assert kinds(project)[len(before) :] == ALL[3:]


def test_a_signature_without_a_record_gets_one(run: Run, project: Path, keys: Any) -> None:
    """As after a run that ended between AWS's answer and the manifest; or one of an older shipsafe."""
    release, _ = keys["release"]
    assert run("build").code == 0
    unsigned = (project / "dist" / "Pay.intoto.jsonl").read_bytes()
    assert run("sign", "--yes", "--key", release).code == 0
    stated_once = (project / "dist" / "Pay.intoto.jsonl").read_bytes()
    document = manifest(project)
    for entry in document["artifacts"]:
        entry.pop("evidence")
        (project / "dist" / f"{entry['name']}.intoto.jsonl").unlink()
    (project / "dist" / "shipsafe.json").write_text(json.dumps(document))
    assert run("sign", "--key", release).code == 0
    assert (project / "dist" / "Pay.intoto.jsonl").read_bytes() == stated_once.removeprefix(unsigned)
    assert jobs() == 2


def test_what_cannot_be_kept_is_said_and_kept_by_the_next_run(run: Run, project: Path, keys: Any) -> None:
    release, _ = keys["release"]
    trusting(project)
    assert run("build").code == 0
    (project / "kept").write_text("in the way")
    done = run("sign", "--yes", "--key", release)
    assert done.code == 4, done.out + done.err
    assert "Signed, but evidence could not be kept in" in done.out
    assert all(entry["signatures"] for entry in manifest(project)["artifacts"])
    (project / "kept").unlink()
    asked = run("sign", "--key", release)
    assert (asked.code, "--yes" in asked.err) == (2, True), "what is outside of the output folder is not changed without asking"
    assert run("sign", "--yes", "--key", release).code == 0
    assert jobs() == 2
    assert len(list((project / "kept").rglob("*.json"))) == 2 * (len(ALL) + 1)


def test_evidence_is_kept_in_a_bucket(run: Run, project: Path, keys: Any) -> None:
    with closing(client("s3")) as s3:
        s3.create_bucket(
            Bucket="kept-evidence", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}, ObjectLockEnabledForBucket=True
        )
    trusting(project)
    policy = project / "shipsafe.toml"
    policy.write_text(policy.read_text().replace('"kept"', '"s3://kept-evidence/pay"'))
    assert run("build").code == 0
    assert run("sign", "--dry-run").code == 0
    done = run("sign", "--yes", "--key", keys["release"][0])
    assert done.code == 0, done.out + done.err
    assert "LOCAL   kept in s3://kept-evidence/pay" in done.out
    with closing(client("s3")) as s3:
        names = [one["Key"] for one in s3.list_objects_v2(Bucket="kept-evidence")["Contents"]]
    assert len(names) == 2 * (len(ALL) + 1)
    assert all(name.startswith("pay/sha256/") for name in names)
    policy.write_text(policy.read_text().replace("kept-evidence", "no-such-bucket"))
    missing = run("sign", "--yes")
    assert (missing.code, "There is no bucket no-such-bucket" in missing.err) == (4, True)


def test_a_zip_by_its_path_is_not_signed_where_builders_are_to_attest(run: Run, project: Path, keys: Any) -> None:
    trusting(project, ci=keys["ci"][1])
    shutil.make_archive(str(project / "pay"), "zip", project / "pay")
    done = run("sign", "pay.zip", "--out", "other", "--yes")
    assert (done.code, "pay.zip cannot be signed. No attestation says who built it" in done.err) == (5, True), done.out + done.err
    assert not (project / "other").exists()
