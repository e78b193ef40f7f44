"""What `shipsafe sign` states stands in the bundle once and is kept, whatever happens in between."""

import json
import os
import shutil
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from securesystemslib.signer._signature import Signature

from shipsafe.adapters.timeline import Timeline
from shipsafe.errors import IncompleteError
from shipsafe.evidence.file_signer import FileSigner
from shipsafe.evidence.keys import public_key_of
from shipsafe.flows.sign import Signed, asking, planned, signed
from shipsafe.flows.sign_request import SignRequest
from shipsafe.reports.live import silent_progress
from tests.end_to_end.signing_with_keys import ALL, Run, bundle, jobs, keys, kinds, manifest, project, run, stated, trusting
from tests.end_to_end.test_sign import POLICY
from tests.evidence.speakers import key
from tests.local_endpoint import client, local_aws, local_root  # noqa: F401 - fixtures

__all__ = ["keys", "project", "run"]  # fixtures


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


class Failing(FileSigner):
    """A key that is taken away while it is used."""

    def sign(self, payload: bytes) -> Signature:
        raise IncompleteError("KMS says that the key is disabled.", remedy=str(len(payload)))


def test_a_key_that_fails_after_aws_has_signed_costs_nothing_that_was_signed(run: Run, project: Path) -> None:
    """The manifest says where it is, nothing that deploys it is written, and the next run states it."""
    assert run("build").code == 0
    unstated = (project / "dist" / "Pay.intoto.jsonl").read_bytes()
    variables = project / "shipsafe.auto.tfvars.json"
    request = SignRequest(out=project / "dist", today=datetime.now(UTC).date(), offline=True, tfvars=variables,
                          local_root=os.environ["SHIPSAFE_LOCAL_ROOT"])  # fmt: skip

    def signed_by(signer: FileSigner) -> Signed:
        with asking(replace(request, signers=(signer,)), silent_progress(), Timeline()) as case:
            assert case.release is not None
            return signed(case, case.release, planned(case), lambda _line: None)

    failed = signed_by(Failing(key("release")))
    assert (failed.exit_code, len(failed.signed), failed.failed, failed.written) == (4, 2, (), ())
    assert str(failed.unproven).startswith("Signed, but no evidence of it could be written: KMS says that the key is disabled.")
    assert not variables.exists()
    assert [len(entry["signatures"]) for entry in manifest(project)["artifacts"]] == [1, 1]
    assert (project / "dist" / "Pay.intoto.jsonl").read_bytes() == unstated
    done = signed_by(FileSigner(key("release")))
    assert (done.exit_code, done.written) == (0, (variables,))
    assert kinds(project) == ALL
    assert jobs() == 2


def test_a_later_target_adds_its_record_and_says_nothing_again(run: Run, project: Path, keys: Any) -> None:
    release, _ = keys["release"]
    assert run("build").code == 0
    assert run("sign", "--yes", "--key", release).code == 0
    first = (project / "dist" / "Pay.intoto.jsonl").read_bytes()
    prod = POLICY[POLICY.index("[[sign.target]]") :].replace('"dev"', '"prod"').replace("bucket", 'prefix = "prod/"\nbucket')
    (project / "protected.toml").write_text(POLICY.replace('"advisories"', f'"{project}/advisories"') + prod)
    assert run("sign", "--yes", "--key", release, "--target", "prod", "--policy", "protected.toml").code == 0
    second = (project / "dist" / "Pay.intoto.jsonl").read_bytes()
    assert second.startswith(first)
    assert kinds(project)[len(ALL) :] == ALL[3:], "it was asked under another policy, which is another answer"
    assert [stated(one)["predicate"].get("target") for one in bundle(project)][-3:] == ["dev", None, "prod"]
    assert run("sign", "--yes", "--key", release, "--policy", "protected.toml").code == 0, "both targets"
    assert (project / "dist" / "Pay.intoto.jsonl").read_bytes() == second


def test_two_functions_that_are_one_zip_have_a_record_each(run: Run, project: Path, keys: Any) -> None:
    shutil.copyfile(project / "pay" / "app.py", project / "stock" / "app.py")
    trusting(project, "strict", ci=keys["ci"][1], release=keys["release"][1])
    assert run("build", "--key", keys["ci"][0]).code == 0
    assert run("sign", "--yes", "--key", keys["release"][0]).code == 0
    assert jobs() == 1
    records = [stated(bundle(project, name)[-1]) for name in ("Pay", "Stock")]
    assert [one["predicate"]["artifact"] for one in records] == ["Pay", "Stock"]
    assert records[0]["subject"][1] == records[1]["subject"][1]
    held = run("verify", "dist", "--local")
    assert held.code == 0, held.out + held.err


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
