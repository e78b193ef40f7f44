"""The roles of a pipeline, made, changed by somebody, and set again: every call that bootstrap and doctor make about them."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from shipsafe.adapters.aws.session import Aws, Place
from shipsafe.flows.bootstrap import carry_out, survey
from shipsafe.model.policy import Policy
from shipsafe.model.signing import SignPolicy, SignTarget
from tests.local_endpoint import client
from tests.signing.setup.pipeline_side import ROLES, policy
from tests.signing.setup.test_rights import STAGE


def roles_in_every_state(folder: Path, target: SignTarget, connect: Callable[[Place], Aws]) -> Policy:
    """The policy, whose roles are all as they should be afterwards, but that one has a policy of its own attached."""
    wanted = replace(policy(folder, STAGE), sign=SignPolicy(targets=(target,)))
    (folder / "shipsafe.toml").unlink()

    def make() -> None:
        found = survey(wanted.sign.targets, connect, policy=wanted)
        carry_out(found, say=lambda _line: None, sleep=lambda _seconds: None)

    make()
    iam = client("iam")
    nobody = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}]})
    nothing = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]})
    iam.update_assume_role_policy(RoleName=f"{ROLES}-sign", PolicyDocument=nobody)
    iam.put_role_policy(RoleName=f"{ROLES}-sign", PolicyName="shipsafe", PolicyDocument=nothing)
    iam.update_role(RoleName=f"{ROLES}-deploy", MaxSessionDuration=3600)
    attached = iam.create_policy(PolicyName="guard", PolicyDocument=nothing)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=f"{ROLES}-verify", PolicyArn=attached)
    make()
    return wanted
