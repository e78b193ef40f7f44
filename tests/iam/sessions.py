"""What sessions of roles asked of the local endpoint, against what their roles may do.

The endpoint lets everybody do everything in an account. It remembers who asked for what, though, and so a run of the whole pipeline shows
whether the role of each job has the right to each of its calls. Parameters are not remembered: actions are compared, not resources.
"""

import re
from contextlib import closing

from shipsafe.local.endpoint import Endpoint
from tests.iam.rights import TABLE
from tests.local_endpoint import client

_SESSION = re.compile(r"arn:aws:sts::\d{12}:assumed-role/([^/]+)/.+")
_CALLED = {"monitoring": "cloudwatch"}  # how botocore names what signs as another


def asked_by(endpoint: Endpoint) -> dict[str, set[str]]:
    """The calls of each role, by its name: `s3:PutObject`."""
    found: dict[str, set[str]] = {}
    for event in endpoint.trail.events():
        if session := _SESSION.fullmatch(event["userIdentity"]["arn"]):
            service = event["eventSource"].partition(".")[0]
            found.setdefault(session[1], set()).add(f"{_CALLED.get(service, service)}:{event['eventName']}")
    return found


def beyond(endpoint: Endpoint) -> set[tuple[str, str]]:
    """Role and call, where the role has no right to it."""
    return {(role, call) for role, calls in asked_by(endpoint).items() for call in calls if not _may(call, _actions(endpoint, role))}


def _may(call: str, held: set[str]) -> bool:
    """Whether all that a call needs is held; of rows that hold under a condition, one."""
    rows = [row for row in TABLE["call"] if row["call"] == call]
    assert rows, f"configs/iam/actions.toml has no row for {call}"
    always = {action for row in rows if "when" not in row for action in row["actions"]}
    other = [set(row["actions"]) for row in rows if "when" in row]
    return always <= held and (not other or bool(always) or any(actions <= held for actions in other))


def _actions(endpoint: Endpoint, role: str) -> set[str]:
    with closing(client("iam", endpoint_url=endpoint.url)) as iam:
        document = iam.get_role_policy(RoleName=role, PolicyName="shipsafe")["PolicyDocument"]
    several = [one["Action"] if isinstance(one["Action"], list) else [one["Action"]] for one in document["Statement"]]
    return {action for actions in several for action in actions}
