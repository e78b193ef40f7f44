"""The AWS side of a consumer: the local endpoint, with what `shipsafe bootstrap` makes there, functions that run, and a key of KMS.

The endpoint believes the tokens of the loopback GitHub, and its STS decides by the trust policy of the role: a job has the role that
`bootstrap` means it to have, and no other.
"""

import io
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from shipsafe.local.endpoint import Endpoint, start
from shipsafe.local.pki import LocalRoot
from shipsafe.model.pipeline import PIPELINE
from tests.end_to_end.program import shipsafe
from tests.local_endpoint import ACCOUNT, REGION, client
from tests.pipeline.consumer import NAME, SHA
from tests.pipeline.github import GitHub
from tests.verify.live_world import ROLE

FUNCTIONS = ("pay-prod", "stock-prod")
BUCKET = "orders-artifacts"
PREFIX = "shipsafe-orders"
_POLICY = """\
required = ["dependencies", "lint", "package", "sbom"]
accounts = ["{account}"]

[advisories]
source = {{ path = "advisories", date = 2026-11-01 }}
max-age = "off"

[pipeline]
repository = "{name}"
workflow = "{workflow}"
{pipeline}roles = "{prefix}"
key = "{key}"

[[sign.target]]
name = "prod"
account = "{account}"
region = "{region}"
profile = "orders_2026"
bucket = "{bucket}"
"""
DEPLOY = """
[deploy]
rollout = "all-at-once"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsSide:
    """What is there.

    Attributes:
        endpoint: the local one.
        environment: what jobs need to find it; no credentials.
        key: of evidence, `awskms:ARN`.
        policy: the text of shipsafe.toml that fits it.
        workflow: whose jobs may have the roles, as `job_workflow_ref` has it.
        keyless: the same for a project whose evidence nobody signs.
    """

    endpoint: Endpoint
    environment: Mapping[str, str]
    key: str
    policy: str
    keyless: str
    workflow: str

    @property
    def owner(self) -> dict[str, str]:
        """The environment of somebody who may do everything in the account."""
        return {**self.environment, "AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "local"}

    def running(self) -> dict[str, str]:
        """The digest of the code that callers of each function reach, as Lambda says it."""
        with closing(client("lambda", endpoint_url=self.endpoint.url)) as functions:
            return {name: functions.get_function_configuration(FunctionName=name, Qualifier="live")["CodeSha256"] for name in FUNCTIONS}


@contextmanager
def aws_side(
    folder: Path, root: LocalRoot, *, github: GitHub, workflow: str = f"{PIPELINE}@{SHA}", pipeline: str = ""
) -> Iterator[AwsSide]:
    """Everything that a release needs; `pipeline` is more of that table of the policy."""
    nothing = folder / "no-aws-config"
    nothing.touch()
    with start(delay=timedelta(), root=root) as endpoint:
        endpoint.functions.configure({"creating": 0, "updating": 0})
        environment = {
            "AWS_ENDPOINT_URL": endpoint.url,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": str(nothing),
            "AWS_SHARED_CREDENTIALS_FILE": str(nothing),
            "SHIPSAFE_LOCAL_ROOT": endpoint.fingerprint,
        }
        with closing(client("kms", endpoint_url=endpoint.url)) as kms:
            key = "awskms:" + kms.create_key(KeySpec="ECC_NIST_P384", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
        owner = environment | {"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "local"}
        roles = (word for role in ("builder", "signer", "deployer") for word in ("--for", role))
        shown = shipsafe("keys", "show", key, "--name", "pipeline", *roles, cwd=folder, env=owner)
        assert shown.code == 0, shown.err
        place = {"account": ACCOUNT, "region": REGION, "bucket": BUCKET}
        text = _POLICY.format(name=NAME, workflow=workflow, pipeline=pipeline, prefix=PREFIX, key=key, **place) + DEPLOY
        keyless, text = text.replace(f'key = "{key}"\n', ""), text + shown.out
        project = folder / "aws"
        project.mkdir()
        (project / "shipsafe.toml").write_text(text)
        made = shipsafe("bootstrap", "--yes", cwd=project, env=owner)
        assert made.code == 0, made.out + made.err
        _run_functions(endpoint)
        endpoint.issuers.add({"issuer": github.issuer, "jwks": github.keys()})
        yield AwsSide(endpoint=endpoint, environment=environment, key=key, policy=text, keyless=keyless, workflow=workflow)


def assumed(side: AwsSide, job: str, token: str) -> bool:
    """Whether STS gives the role of a job to whoever has a token."""
    role = f"arn:aws:iam::{ACCOUNT}:role/{PREFIX}-{job}"
    with closing(client("sts", endpoint_url=side.endpoint.url)) as sts:
        try:
            sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName="test", WebIdentityToken=token)
        except sts.exceptions.ClientError as error:
            if error.response["Error"]["Code"] not in ("AccessDenied", "InvalidIdentityToken"):
                raise
            return False
    return True


def _run_functions(endpoint: Endpoint) -> None:
    """Functions that run something older, under the configuration that `bootstrap` made."""
    with closing(client("lambda", endpoint_url=endpoint.url)) as functions:
        configurations: list[Any] = functions.list_code_signing_configs()["CodeSigningConfigs"]
        assert len(configurations) == 1
        for name in FUNCTIONS:
            functions.create_function(FunctionName=name, Runtime="python3.13", Handler="app.handler", Role=ROLE, Code={"ZipFile": _older()})
            functions.publish_version(FunctionName=name)
            functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
            functions.put_function_code_signing_config(FunctionName=name, CodeSigningConfigArn=configurations[0]["CodeSigningConfigArn"])


def _older() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("app.py", "def handler(event, context):\n    return 'older'\n")
    return data.getvalue()
