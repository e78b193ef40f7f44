"""A project of two functions and a layer that one of them uses, built once by the program with a builder's key."""

from pathlib import Path

from shipsafe.local.pki import LocalRoot
from tests.tampering.world import shipsafe
from tests.verify.desk import BUILDER, SIGNER, TARGET, Desk, advisory

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Pay:
    Type: AWS::Serverless::Function
    Properties:
      {Runtime: python3.13, Handler: app.handler, CodeUri: pay/, FunctionName: pay-prod, AutoPublishAlias: live, Layers: [!Ref Common]}
  Stock:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.13, Handler: app.handler, CodeUri: stock/, FunctionName: stock-prod, AutoPublishAlias: live}
  Common:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: layer/, CompatibleRuntimes: [python3.13]}
"""
SAME = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Pay:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.13, Handler: app.handler, CodeUri: pay/, FunctionName: pay-prod, AutoPublishAlias: live}
  Stock:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.13, Handler: app.other, CodeUri: pay/, FunctionName: stock-prod, AutoPublishAlias: live}
"""
POLICY = """
accounts = ["111122223333"]
required = ["dependencies", "lint", "package", "sbom"]

[advisories]
source = { path = "advisories", date = 2026-11-01 }
max-age = "off"
"""


def make_shop(home: Path, root: LocalRoot, template: str = TEMPLATE) -> Desk:
    """Build it."""
    project = home / "project"
    for folder, name, text in (
        ("pay", "app.py", "def handler(event, context):\n    return 'pay'\n\n\ndef other(event, context):\n    return 'stock'\n"),
        ("stock", "app.py", "def handler(event, context):\n    return 'stock'\n"),
        ("layer/python", "common.py", "def shared():\n    return 1\n"),
    ):
        (project / folder).mkdir(parents=True)
        (project / folder / name).write_text(text)
    (project / "template.yaml").write_text(template)
    (project / "advisories").mkdir()
    advisory(project, "PYSEC-2026-1", "nobodys")
    (project / "shipsafe.toml").write_text(POLICY + TARGET + BUILDER.table("builder") + SIGNER.table("signer"))
    done = shipsafe("build", "--key", BUILDER.write(home), cwd=project)
    assert done.code == 0, done.out + done.err
    return Desk(project=project, root=root)
