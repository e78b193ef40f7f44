"""What the real SAM CLI makes of a rewritten template: it builds nothing, uploads no code, and deploys the signed objects."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from shipsafe.flows.rewrite import rewrite
from tests.aws_tools import install
from tests.local_endpoint import REGION, client
from tests.readers.writing import policy, write
from tests.signing.rewrite.making import HEX, deployable

pytestmark = pytest.mark.registry
_FILES = {
    "template.yaml": (
        "Transform: AWS::Serverless-2016-10-31\n"
        "Globals:\n  Function: {Runtime: python3.13, Handler: app.handler, CodeUri: src, AutoPublishAlias: live}\n"
        "Resources:\n"
        "  F:\n    Type: AWS::Serverless::Function\n    Metadata: {BuildMethod: python3.13}\n"
        "    Properties: {AutoPublishCodeSha256: '0123'}\n"
        "  One:\n    Type: AWS::Serverless::Application\n    Properties: {Location: services/child.yaml}\n"
        "  Two:\n    Type: AWS::CloudFormation::Stack\n    Properties: {TemplateURL: ./services/child.yaml}\n"
    ),
    "services/child.yaml": (
        "Transform: AWS::Serverless-2016-10-31\n"
        "Resources:\n"
        "  G:\n    Type: AWS::Serverless::Function\n"
        "    Properties: {Runtime: python3.13, Handler: index.handler, InlineCode: 'def handler(e, c): 1'}\n"
        "  Api:\n    Type: AWS::Serverless::Api\n    Properties: {StageName: x, DefinitionUri: api.json}\n"
    ),
    "services/api.json": '{"openapi": "3.0.1", "paths": {}}',
    "src/app.py": "def handler(event, context): return 1\n",
}
_TRANSFORM = """
import json, sys
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse
loader = type("None_", (), {"load": lambda self: {}})()
print(json.dumps(transform(yaml_parse(open(sys.argv[1]).read()), {}, loader)))
"""


@pytest.fixture
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the SAM CLI's programs, one for all processes of a test run."""
    own = tmp_path_factory.getbasetemp()
    return install("aws-sam-cli", own.parent if "PYTEST_XDIST_WORKER" in os.environ else own)


def _run(folder: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"SAM_CLI_TELEMETRY": "0", "HOME": str(folder)}
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def _code(template: Any, name: str) -> Any:
    properties = template["Resources"][name]["Properties"]
    return properties.get("Code", properties.get("CodeUri"))


@pytest.mark.usefixtures("local_aws")
def test_sam_builds_and_uploads_nothing_and_deploys_what_was_signed(tools: Path, tmp_path: Path) -> None:
    project, out = write(tmp_path / "project", _FILES), tmp_path / "project" / "out"
    subjects = ("function:F", "function:One.G", "function:Two.G")
    rewrite([f"{project / 'template.yaml'}={out / 'signed.yaml'}"], [deployable(one) for one in subjects], policy=policy()).write()

    built = _run(out, tools / "sam", "build", "--template", "signed.yaml")
    assert "has specified S3 location for CodeUri. It will not be built" in built.stdout + built.stderr

    s3 = client("s3")
    s3.create_bucket(Bucket="left", CreateBucketConfiguration={"LocationConstraint": REGION})
    _run(out, tools / "sam", "package", "--template-file", "signed.yaml", "--s3-bucket", "left", "--output-template-file", "packaged.yaml")
    packaged = yaml.safe_load((out / "packaged.yaml").read_text(encoding="utf-8"))
    assert _code(packaged, "F") == {"Bucket": "signed", "Key": "shipsafe/F.zip", "Version": "v1"}
    uploaded = [s3.get_object(Bucket="left", Key=one["Key"])["Body"].read() for one in s3.list_objects_v2(Bucket="left")["Contents"]]
    templates = [yaml.safe_load(body) for body in uploaded if b"Transform" in body]
    assert sorted(_code(one, "G")["Key"] for one in templates) == ["shipsafe/One.G.zip", "shipsafe/Two.G.zip"]
    assert [json.loads(body) for body in uploaded if b"Transform" not in body] == [{"openapi": "3.0.1", "paths": {}}]

    made = json.loads(_run(out, tools / "python", "-c", _TRANSFORM, "packaged.yaml").stdout)
    assert _code(made, "F") == {"S3Bucket": "signed", "S3Key": "shipsafe/F.zip", "S3ObjectVersion": "v1"}
    assert f"FVersion{HEX[:10]}" in made["Resources"]  # an old AutoPublishCodeSha256 would keep the old version
