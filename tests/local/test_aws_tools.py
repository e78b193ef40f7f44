"""What AWS's own tools do with the endpoint: the AWS CLI and the SAM CLI as they are on PyPI."""

import io
import json
import os
import subprocess
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shipsafe.local.endpoint import Endpoint
from tests.aws_tools import install
from tests.local_endpoint import ACCOUNT, REGION, client

Tool = Callable[..., subprocess.CompletedProcess[str]]
_PLATFORM = "AWSLambda-SHA384-ECDSA"
pytestmark = pytest.mark.registry


def _shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of this run share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


def _runner(program: Path, folder: Path) -> Tool:
    def run(*arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        quiet = {"SAM_CLI_TELEMETRY": "0", "AWS_PAGER": "", "HOME": str(folder)}
        done = subprocess.run([program, *arguments], check=False, capture_output=True, text=True, cwd=folder, env=os.environ | quiet)
        assert done.returncode == code, f"{program.name} {' '.join(arguments)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    return run


@pytest.fixture
def aws(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Tool:
    return _runner(install("awscli", _shared(tmp_path_factory)) / "aws", tmp_path)


@pytest.fixture
def sam(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Tool:
    return _runner(install("aws-sam-cli", _shared(tmp_path_factory)) / "sam", tmp_path)


def _told(done: subprocess.CompletedProcess[str]) -> Any:
    return json.loads(done.stdout)


def _zip(path: Path, text: str) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("app.py", text)


@pytest.mark.usefixtures("local_aws")
def test_the_aws_cli_signs_and_deploys_under_enforcement(aws: Tool, tmp_path: Path) -> None:
    aws("s3api", "create-bucket", "--bucket", "releases", "--create-bucket-configuration", f"LocationConstraint={REGION}")
    aws("s3api", "put-bucket-versioning", "--bucket", "releases", "--versioning-configuration", "Status=Enabled")
    _zip(tmp_path / "a.zip", "def handler(e, c): return 1")
    put = ("s3api", "put-object", "--bucket", "releases", "--key", "a.zip", "--body", "a.zip", "--checksum-algorithm", "SHA256")
    version = _told(aws(*put, "--if-none-match", "*"))["VersionId"]
    assert "PreconditionFailed" in aws(*put, "--if-none-match", "*", code=255).stderr
    profile = _told(aws("signer", "put-signing-profile", "--profile-name", "prod", "--platform-id", _PLATFORM))
    source = json.dumps({"s3": {"bucketName": "releases", "key": "a.zip", "version": version}})
    destination = json.dumps({"s3": {"bucketName": "releases", "prefix": "signed/"}})
    job = _told(aws("signer", "start-signing-job", "--source", source, "--destination", destination, "--profile-name", "prod"))["jobId"]
    aws("signer", "wait", "successful-signing-job", "--job-id", job)
    publishers = json.dumps({"SigningProfileVersionArns": [profile["profileVersionArn"]]})
    enforce = "UntrustedArtifactOnDeployment=Enforce"
    configuration = _told(
        aws("lambda", "create-code-signing-config", "--allowed-publishers", publishers, "--code-signing-policies", enforce)
    )["CodeSigningConfig"]["CodeSigningConfigArn"]
    create: tuple[str, ...] = (
        "lambda",
        "create-function",
        "--function-name",
        "orders",
        "--runtime",
        "python3.13",
        "--handler",
        "app.handler",
    )
    create += ("--role", f"arn:aws:iam::{ACCOUNT}:role/orders", "--code-signing-config-arn", configuration)
    assert "CodeVerificationFailedException" in aws(*create, "--zip-file", "fileb://a.zip", code=255).stderr
    signed = f"S3Bucket=releases,S3Key=signed/{job}.zip"
    assert _told(aws(*create, "--code", signed))["SigningProfileVersionArn"] == profile["profileVersionArn"]
    aws("lambda", "wait", "function-active-v2", "--function-name", "orders")


@pytest.mark.usefixtures("local_aws")
def test_the_aws_cli_copies_a_file_in_parts_and_gets_it_back(aws: Tool, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(os.urandom(20 * 1024 * 1024))
    aws("s3", "mb", "s3://large")
    aws("s3", "cp", "large", "s3://large/file", "--only-show-errors")
    aws("s3", "cp", "s3://large/file", "back", "--only-show-errors")
    assert (tmp_path / "back").read_bytes() == (tmp_path / "large").read_bytes()


@pytest.mark.usefixtures("local_aws")
def test_the_aws_cli_is_told_loudly_what_is_not_reproduced(aws: Tool) -> None:
    """An empty answer would be taken for AWS's."""
    done = aws("lambda", "list-capacity-providers", code=255)
    assert "501" in done.stderr or "NotImplemented" in done.stderr or "does not reproduce" in done.stderr, done.stderr


_TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: app.handler
      CodeUri: src/
"""


def test_sam_package_has_its_functions_signed(sam: Tool, tmp_path: Path, local_aws: Endpoint) -> None:
    s3, signer = client("s3"), client("signer")
    s3.create_bucket(Bucket="releases", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket="releases", VersioningConfiguration={"Status": "Enabled"})
    signer.put_signing_profile(profileName="prod", platformId=_PLATFORM)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "app.py").write_text("def handler(event, context): return 1\n")
    (tmp_path / "template.yaml").write_text(_TEMPLATE)
    sam("package", "--s3-bucket", "releases", "--s3-prefix", "p", "--signing-profiles", "Orders=prod", "--region", REGION,
        "--output-template-file", "out.yaml")  # fmt: skip
    (job,) = signer.list_signing_jobs()["jobs"]
    key = job["signedObject"]["s3"]["key"]
    assert f"CodeUri: s3://releases/{key}" in (tmp_path / "out.yaml").read_text()
    signed = local_aws.objects.read("releases", key, "")
    with zipfile.ZipFile(io.BytesIO(signed)) as archive:
        assert "META_INF/aws_signer_signature_v1.0.SF" in archive.namelist()


def _next_second() -> None:
    """The AWS CLI and the SAM CLI name a change set after the second they make it in, and no stack takes a name twice."""
    now = int(time.time())
    while int(time.time()) == now:
        time.sleep(0.05)


@pytest.fixture
def deployable(tmp_path: Path, local_aws: Endpoint) -> Path:
    """A project whose function has an alias, beside a bucket and a Lambda that takes no time."""
    client("s3").create_bucket(Bucket="releases", CreateBucketConfiguration={"LocationConstraint": REGION})
    local_aws.functions.configure({"creating": 0, "updating": 0})
    local_aws.stacks.configure({"making": 0})
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "app.py").write_text("def handler(event, context): return 1\n")
    (tmp_path / "template.yaml").write_text(_TEMPLATE + "      AutoPublishAlias: live\n")
    return tmp_path


@pytest.mark.usefixtures("deployable")
def test_sam_deploy_makes_a_stack(sam: Tool) -> None:
    done = sam("deploy", "--stack-name", "shop", "--s3-bucket", "releases", "--region", REGION, "--capabilities", "CAPABILITY_IAM",
               "--no-confirm-changeset", "--no-progressbar")  # fmt: skip
    assert "Successfully created/updated stack - shop" in done.stdout
    [function] = client("lambda").list_functions()["Functions"]
    assert function["FunctionName"].startswith("shop-Orders-")
    assert client("lambda").get_alias(FunctionName=function["FunctionName"], Name="live")["FunctionVersion"] == "1"


def test_the_aws_cli_deploys_a_stack_changes_it_and_deletes_it(aws: Tool, deployable: Path) -> None:
    package = (
        "cloudformation",
        "package",
        "--template-file",
        "template.yaml",
        "--s3-bucket",
        "releases",
        "--output-template-file",
        "out.yaml",
    )
    deploy = ("cloudformation", "deploy", "--template-file", "out.yaml", "--stack-name", "shop", "--capabilities", "CAPABILITY_IAM")
    aws(*package)
    assert "Successfully created/updated stack - shop" in aws(*deploy).stdout
    _next_second()
    assert "No changes to deploy" in aws(*deploy, code=255).stderr
    (deployable / "src" / "app.py").write_text("def handler(event, context): return 2\n")
    aws(*package)
    _next_second()
    aws(*deploy)
    [function] = client("lambda").list_functions()["Functions"]
    assert client("lambda").get_alias(FunctionName=function["FunctionName"], Name="live")["FunctionVersion"] == "2"
    aws("cloudformation", "delete-stack", "--stack-name", "shop")
    assert client("lambda").list_functions()["Functions"] == []
