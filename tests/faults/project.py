"""A project of a function with its layer, and of one without an alias: two releases, built and signed by the program itself."""

import json
import os
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.end_to_end.program import Ended, shipsafe
from tests.local_endpoint import ACCOUNT, REGION, client

FUNCTION, ALIAS = "pay", "live"
PLAIN = "plain"  # has no alias
ROLE = f"arn:aws:iam::{ACCOUNT}:role/pay"
BUCKET = f"faults-{ACCOUNT}-{REGION}"
TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Common:
    Type: AWS::Serverless::LayerVersion
    Metadata: {BuildMethod: python3.13}
    Properties: {ContentUri: layer/, CompatibleRuntimes: [python3.13]}
  Pay:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: pay
      AutoPublishAlias: live
      Runtime: python3.13
      Handler: app.handler
      CodeUri: src/
      Layers: [!Ref Common]
  Plain:
    Type: AWS::Serverless::Function
    Properties: {FunctionName: plain, Runtime: python3.13, Handler: app.handler, CodeUri: plain/}
"""
POLICY = f"""\
[advisories]
source = {{ path = "advisories", date = 2026-11-01 }}
max-age = "off"

[gates.sbom]
supplier = "ACME Ltd"

[[sign.target]]
name = "dev"
region = "{REGION}"
profile = "pay_dev"
bucket = "{BUCKET}"

[deploy]
rollout = "canary"
percent = 10
every = "20s"

[[deploy.function]]
function = "Pay"
role = "{ROLE}"
smoke-payload = "smoke.json"

[[deploy.function]]
function = "Plain"
rollout = "all-at-once"
"""
RECORD = {"id": "PYSEC-2026-1", "modified": "2026-10-01T00:00:00Z", "affected": [{"package": {"ecosystem": "PyPI", "name": "nobodys"},
          "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}]}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Releases:
    """Where they lie, and the policy beside them."""

    root: Path
    first: Path
    second: Path

    @property
    def policy(self) -> Path:
        return self.root / "shipsafe.toml"


def make_account() -> None:
    """A bucket, a profile, and a code-signing configuration that enforces."""
    with closing(client("s3")) as s3, closing(client("signer")) as signer, closing(client("lambda")) as functions:
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        profile = signer.put_signing_profile(profileName="pay_dev", platformId="AWSLambda-SHA384-ECDSA")["profileVersionArn"]
        functions.create_code_signing_config(
            AllowedPublishers={"SigningProfileVersionArns": [profile]}, CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Enforce"}
        )


def make_releases(root: Path) -> Releases:
    """Build and sign it twice; the second has other code, in the layer too."""
    env = {name: value for name, value in os.environ.items() if name.startswith(("AWS_", "SHIPSAFE_"))}
    files = {"template.yaml": TEMPLATE, "shipsafe.toml": POLICY, "smoke.json": "{}\n", "advisories/PYSEC-2026-1.json": json.dumps(RECORD)}
    made = Releases(root=root, first=root / "first", second=root / "second")
    for out in (made.first, made.second):
        files |= {f"{folder}/app.py": f"def handler(event, context):\n    return {folder + out.name!r}\n" for folder in ("src", "plain")}
        files["layer/common.py"] = f"NAME = {out.name!r}\n"
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        for words in (("build", "--out", out), ("sign", out, "--yes")):
            done: Ended = shipsafe(*words, cwd=root, env=env)
            assert done.code == 0, done.out + done.err
    return made


def artifact(release: Path, name: str = "Pay") -> Any:
    """What the manifest of a release says of an artifact."""
    manifest = json.loads((release / "shipsafe.json").read_text())
    return next(one for one in manifest["artifacts"] if one["name"] == name)
