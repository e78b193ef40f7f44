"""One real release, made once: built and signed by the program on the local endpoint. Every row of the table works on a copy of it.

A function `Pay` with a layer, and a function `Stock`; two keys sign the evidence: `ci` as builder, `releases` as signer.
"""

import base64
import io
import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from shipsafe.cli.app import run
from shipsafe.errors import ShipsafeError
from shipsafe.local.endpoint import Endpoint
from tests.end_to_end.program import Ended
from tests.local_endpoint import ACCOUNT, REGION, client
from tests.signing.zips import zip_bytes
from tests.tampering.envelopes import Document, Key

BUCKET = f"pay-artifacts-{ACCOUNT}-{REGION}"
PLATFORM = "AWSLambda-SHA384-ECDSA"
PROFILE = "pay_dev"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/pay"
LAYER = f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:common"
POLICY = f"""
accounts = ["{ACCOUNT}"]

[advisories]
source = {{ path = "advisories", date = 2026-11-01 }}
max-age = "off"

[gates.sbom]
supplier = "ACME Ltd"

[[functions]]
name = "Pay"
handler = "app.handler"
runtime = "python3.13"
code = "pay"
layers = ["{LAYER}:1"]

[[functions]]
name = "Stock"
handler = "app.handler"
runtime = "python3.13"
code = "stock"

[[waivers]]
rule = "dependencies/unaudited"
subject = "function:Pay"
reason = "It was copied from a colleague."
owner = "pay@acme.example"
expires = 2099-12-31

[[sign.target]]
name = "dev"
region = "{REGION}"
profile = "{PROFILE}"
bucket = "pay-artifacts-${{AWS::AccountId}}-${{AWS::Region}}"
"""
_RATES = {
    "rates.py": "RATE = 2\n",
    "rates-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: rates\nVersion: 1.0\nSummary: Rates.\nLicense: MIT\n",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The release, the endpoint that it was signed on, and whose keys signed its evidence.

    `project` holds `dist`; `signed` are the signed zips as they lie in the bucket, by artifact; `layer` is the zip of the layer.
    `lambda_state` and `signer_state` are what the endpoint held when all was done.
    """

    project: Path
    endpoint: Endpoint
    profile_version: str
    builder: Key
    signer: Key
    signed: dict[str, bytes]
    layer: bytes
    lambda_state: Any
    signer_state: Any

    def reset(self) -> None:
        """Undo what a row has done at the endpoint. Objects in buckets stay: what is deployed names their versions."""
        self.endpoint.faults.clear()
        self.endpoint.functions.restore(self.lambda_state)
        self.endpoint.signer.restore(self.signer_state)


def make_world(home: Path, endpoint: Endpoint) -> World:
    """Build and sign; the environment must lead to the endpoint."""
    builder, signer = Key.new("ci"), Key.new("releases")
    project = home / "project"
    for name in ("pay", "stock"):
        (project / name / "lib").mkdir(parents=True)
        (project / name / "app.py").write_text(f"def handler(event, context):\n    return {name!r}\n")
        (project / name / "lib" / "prices.py").write_text("PRICE = 3\n" * 40)
    _distribution(project / "pay")
    (project / "advisories").mkdir()
    advisory(project, "PYSEC-2026-1", "nobodys")
    (project / "shipsafe.toml").write_text(POLICY + builder.table("builder") + signer.table("signer"))
    client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    client("s3").put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    profile = client("signer").put_signing_profile(profileName=PROFILE, platformId=PLATFORM)["profileVersionArn"]
    layer = signed_by_signer(zip_bytes({"python/common.py": b"RATE = 2\n"}), PROFILE)
    client("lambda").publish_layer_version(LayerName="common", Content={"ZipFile": layer})
    for words in (("build", "--key", builder.write(home)), ("sign", "--yes", "--key", signer.write(home))):
        done = shipsafe(*words, cwd=project)
        assert done.code == 0, done.out + done.err
    manifest = json.loads((project / "dist" / "shipsafe.json").read_text())
    return World(
        project=project,
        endpoint=endpoint,
        profile_version=profile,
        builder=builder,
        signer=signer,
        signed={entry["name"]: body(entry["signatures"][0]["object"]) for entry in manifest["artifacts"]},
        layer=layer,
        lambda_state=endpoint.functions.snapshot(),
        signer_state=endpoint.signer.snapshot(),
    )


def _distribution(folder: Path) -> None:
    """A distribution that lies in the code."""
    record = "rates-1.0.dist-info/RECORD,,\n"
    for name, text in _RATES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
        digest = base64.urlsafe_b64encode(sha256(text.encode()).digest()).decode().rstrip("=")
        record += f"{name},sha256={digest},{len(text)}\n"
    (folder / "rates-1.0.dist-info" / "RECORD").write_text(record)


def advisory(project: Path, identifier: str, package: str) -> None:
    """A record about every version of a package before 9.0, in the project's snapshot."""
    record = {
        "id": identifier,
        "modified": "2026-10-01T00:00:00Z",
        "summary": "It gives away what it knows.",
        "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
        "affected": [
            {
                "package": {"ecosystem": "PyPI", "name": package},
                "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "9.0"}]}],
            }
        ],
    }
    (project / "advisories" / f"{identifier}.json").write_text(json.dumps(record))


def shipsafe(*words: str | Path, cwd: Path) -> Ended:
    """The program's command line in this process, to its end."""
    out, err, before = io.StringIO(), io.StringIO(), Path.cwd()
    os.chdir(cwd)
    try:
        with redirect_stdout(out), redirect_stderr(err):
            try:
                code = run([str(word) for word in words])
            except ShipsafeError as error:  # as `shipsafe.__main__` does
                sys.stderr.write(f"error: {error}\n")
                code = int(error.exit_code)
    finally:
        os.chdir(before)
    return Ended(code=code, out=out.getvalue(), err=err.getvalue())


def signed_by_signer(unsigned: bytes, profile: str, *, account: str = ACCOUNT) -> bytes:
    """The zip as the local Signer signs it, outside of any release."""
    s3, signer = client("s3"), client("signer", account=account)
    key = f"by-hand/{sha256(unsigned).hexdigest()}.zip"
    version = s3.put_object(Bucket=BUCKET, Key=key, Body=unsigned)["VersionId"]
    job = signer.start_signing_job(
        source={"s3": {"bucketName": BUCKET, "key": key, "version": version}},
        destination={"s3": {"bucketName": BUCKET, "prefix": "by-hand/signed-"}},
        profileName=profile,
    )["jobId"]
    done = signer.describe_signing_job(jobId=job)
    assert done["status"] == "Succeeded", done
    return body({"bucket": BUCKET, "key": done["signedObject"]["s3"]["key"]})


def body(place: Document) -> bytes:
    """An object; the newest version where none is named."""
    version = {"VersionId": place["version"]} if "version" in place else {}
    found: bytes = client("s3").get_object(Bucket=place["bucket"], Key=place["key"], **version)["Body"].read()
    return found
