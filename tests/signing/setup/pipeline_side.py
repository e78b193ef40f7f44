"""A policy that names the roles of a pipeline, and the tokens that its jobs get."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shipsafe.flows.bootstrap import Survey, carry_out, survey
from shipsafe.model.policy import Policy
from shipsafe.policy import load
from tests.local_endpoint import ACCOUNT, REGION
from tests.signing.setup.side import Side

COMMIT = "1" * 40
WORKFLOW = f"acme/shipsafe/.github/workflows/pipeline.yml@{COMMIT}"
SCHEDULED = f"acme/shipsafe/.github/workflows/scheduled.yml@{COMMIT}"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11112222-3333-4444-5555-666677778888"
ROLES = "shipsafe-orders"
SUBJECTS = {
    "build": "ref:refs/heads/main",
    "sign": "environment:release",
    "deploy": "environment:production",
    "verify": "ref:refs/heads/main",
}
SECOND = f"""
[[sign.target]]
name = "second"
account = "{ACCOUNT}"
region = "eu-central-1"
profile = "orders_eu"
bucket = "orders-${{AWS::AccountId}}-${{AWS::Region}}"
"""
_POLICY = f"""\
extends = "baseline"
evidence = "s3://orders-evidence/shipsafe"
[pipeline]
repository = "acme/orders"
owner-id = "11"
repository-id = "22"
workflow = "{WORKFLOW}"
roles = "{ROLES}"
key = "awskms:{KEY}"
[[sign.target]]
name = "prod"
account = "{ACCOUNT}"
region = "{REGION}"
profile = "orders_2026"
bucket = "orders-${{AWS::AccountId}}-${{AWS::Region}}"
"""


def policy(folder: Path, more: str = "", **changes: str | tuple[str, ...] | None) -> Policy:
    """The policy with some lines of `[pipeline]` changed (None takes one out, several are a list), and tables added."""
    lines = _POLICY.splitlines()
    for name, value in changes.items():
        key = name.replace("_", "-")
        place = next((number for number, line in enumerate(lines) if line.startswith(f"{key} =")), None)
        if place is not None:
            lines.pop(place)
        if value is not None:
            lines.insert(lines.index("[pipeline]") + 1, f"{key} = {json.dumps(value)}")
    (folder / "shipsafe.toml").write_text("\n".join([*lines, more]))
    return load(folder, offline=True, cache=folder, fetch=lambda _url: b"", today=datetime.now(UTC).date())


def look(side: Side, wanted: Policy) -> Survey:
    return survey(wanted.sign.targets, side.connect, policy=wanted)


def make(side: Side, wanted: Policy) -> Survey:
    found = look(side, wanted)
    assert not found.stops, found.stops
    return carry_out(found, say=side.lines.append, sleep=lambda _seconds: None)


def claims(job: str, **others: Any) -> dict[str, Any]:
    """Of the token of a job in a release of the protected branch."""
    return {
        "sub": f"repo:acme/orders:{SUBJECTS[job]}",
        "job_workflow_ref": WORKFLOW,
        "repository": "acme/orders",
        "repository_id": "22",
        "ref": "refs/heads/main",
        **others,
    }


def role(job: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{ROLES}-{job}"
