"""The six actions as somebody else's workflow calls them: act runs it, and the local endpoint is AWS."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shipsafe import __version__
from shipsafe.model.pipeline import HOME
from tests.actions.clean import cached
from tests.local_endpoint import ACCOUNT, REGION
from tests.pipeline.consumer import SHA, Consumer

CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/orders"
TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.13, Handler: app.handler, CodeUri: src/}
"""
POLICY = f"""\
required = ["dependencies", "lint", "package", "sbom"]
[advisories]
source = {{ path = "advisories", date = 2026-11-01 }}
max-age = "off"
[attest]
unsigned = "allow"
[deploy]
alias = "live"
[[sign.target]]
name = "prod"
account = "{ACCOUNT}"
region = "{REGION}"
profile = "orders"
bucket = "orders-{ACCOUNT}"
"""
ADVISORY = """\
{"id": "PYSEC-2026-1", "modified": "2026-10-01T00:00:00Z", "affected": [{"package": {"ecosystem": "PyPI", "name": "nobodys"},
 "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}]}
"""
WORKFLOW = f"""\
on: push
permissions: {{}}
jobs:
  line:
    runs-on: ubuntu-24.04
    permissions: {{contents: read}}
    steps:
      - uses: {CHECKOUT}
      - id: setup
        uses: {HOME}/actions/setup@{SHA}
      - id: good
        uses: {HOME}/actions/check@{SHA}
        with: {{path: good}}
      - id: bad
        continue-on-error: true
        uses: {HOME}/actions/check@{SHA}
        with: {{path: bad, arguments: "--policy=good/shipsafe.toml\\n--verbose"}}
      - id: hostile
        continue-on-error: true
        uses: {HOME}/actions/check@{SHA}
        with: {{path: "--version$(touch pwned)`touch pwned`", arguments: "--policy=good/shipsafe.toml"}}
      - shell: bash
        run: |
          echo "setup: $VERSION"
          echo "good: $GOOD"
          echo "bad: $BAD"
          echo "hostile: $HOSTILE"
          [ ! -e pwned ]
          "$SHIPSAFE" report show "$REPORT" --format markdown >/dev/null
        env:
          SHIPSAFE: "${{{{ steps.setup.outputs.shipsafe }}}}"
          VERSION: "${{{{ steps.setup.outputs.version }}}}"
          GOOD: "${{{{ steps.good.outputs.decision }}}} ${{{{ steps.good.outputs.exit-code }}}} ${{{{ steps.good.outcome }}}}"
          BAD: "${{{{ steps.bad.outputs.decision }}}} ${{{{ steps.bad.outputs.exit-code }}}} ${{{{ steps.bad.outcome }}}}"
          HOSTILE: "${{{{ steps.hostile.outputs.decision }}}} ${{{{ steps.hostile.outcome }}}}"
          REPORT: "${{{{ steps.bad.outputs.report-json }}}}"
      - id: build
        uses: {HOME}/actions/build@{SHA}
        with: {{path: good, out: release}}
      - id: none
        continue-on-error: true
        uses: {HOME}/actions/sign@{SHA}
        with: {{path: release, policy: good/shipsafe.toml, manifest-digest: ""}}
      - id: sign
        uses: {HOME}/actions/sign@{SHA}
        with: {{path: release, policy: good/shipsafe.toml, manifest-digest: "${{{{ steps.build.outputs.manifest-digest }}}}"}}
      - id: deploy
        uses: {HOME}/actions/deploy@{SHA}
        with:
          path: release
          policy: good/shipsafe.toml
          manifest-digest: "${{{{ steps.sign.outputs.manifest-digest }}}}"
          arguments: |
            --create
            --role={ROLE}
      - id: verify
        uses: {HOME}/actions/verify@{SHA}
        with:
          path: release
          function: "${{{{ steps.deploy.outputs.functions }}}}"
          policy: good/shipsafe.toml
          manifest-digest: "${{{{ steps.deploy.outputs.manifest-digest }}}}"
      - shell: bash
        run: |
          echo "signed: $SIGNED"
          echo "refused: $REFUSED"
          echo "deployed: $DEPLOYED"
          echo "verified: $VERIFIED"
        env:
          SIGNED: "${{{{ steps.sign.outputs.decision }}}} ${{{{ steps.sign.outputs.exit-code }}}}"
          REFUSED: "${{{{ steps.none.outcome }}}}"
          DEPLOYED: "${{{{ steps.deploy.outputs.decision }}}} ${{{{ steps.deploy.outputs.exit-code }}}}"
          VERIFIED: "${{{{ steps.verify.outputs.decision }}}} ${{{{ steps.verify.outputs.exit-code }}}}"
"""


def program(*argv: str, cwd: Path) -> None:
    """Run shipsafe in this environment."""
    done = subprocess.run([sys.executable, "-m", "shipsafe", *argv], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.registry
@pytest.mark.usefixtures("local_aws")
def test_six_actions_ask_build_sign_deploy_and_verify_from_somebody_elses_workflow(repository: Path, tmp_path: Path) -> None:
    """Outputs reach later steps, those of a step that failed, too; the digest of the manifest binds one action to the next."""
    aws = {name: value for name, value in os.environ.items() if name.startswith("AWS_") or name == "SHIPSAFE_LOCAL_ROOT"}
    made = Consumer(folder=tmp_path / "world", product=repository, environment={**aws, **cached()})
    files = {
        f"{folder}/{name}": text
        for folder in ("good", "bad")
        for name, text in (("template.yaml", TEMPLATE), ("src/app.py", "def handler(event, context):\n    return 'ok'\n"))
    }
    files["bad/src/.env"] = "PASSWORD=hunter2\n"
    made.commit({**files, "good/shipsafe.toml": POLICY, "good/advisories/PYSEC-2026-1.json": ADVISORY, made.workflow: WORKFLOW})
    program("bootstrap", "--yes", "good", cwd=made.tree)
    ran = made.push()
    assert ran.code == 0, ran.told()
    assert ran.results == {"line": ("success",)}
    text = ran.text("line")
    for said in (
        f"setup: {__version__}",
        "good: PASS 0 success",
        "bad: FAIL 1 failure",
        "hostile:  failure",
        "refused: failure",
        "signed: PASS 0",
        "deployed: PASS 0",
        "verified: PASS 0",
    ):
        assert f"{said}\n" in text
    assert text.count("is not of the form sha256:HEX") == 1
    assert text.count("There is no such file or folder") == 1
    assert [one["kvPairs"]["title"] for one in ran.annotations("error")] == ["critical: package/secret-file"]
    for title in ("package/secret-file", "| function | how it ended |", "every link that was asked for holds"):
        assert title in ran.summaries["line"]
