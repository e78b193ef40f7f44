"""`deploy` of a stage with a stack, as its service role: a dry run, then the stack is made."""

from collections.abc import Callable
from pathlib import Path

from shipsafe.adapters.aws.session import Aws, Place
from shipsafe.local.endpoint import Endpoint
from shipsafe.model.deployment import Ending
from shipsafe.model.policy import Policy
from shipsafe.model.signing import SignTarget
from tests.deploy.stack_shop import STAGE, TEMPLATE, StackScene
from tests.iam.deploying import recorded_scene
from tests.local_endpoint import client

_TRUST = """{"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "cloudformation.amazonaws.com"}, "Action": "sts:AssumeRole"}]}"""


def stack_to_the_end(
    endpoint: Endpoint, folder: Path, target: SignTarget, evidence: str, role: str, connect: Callable[[Place], Aws]
) -> Policy:
    """Every call of it, through `connect`; the policy that names the stack."""
    scene = recorded_scene(endpoint, folder, target, evidence, TEMPLATE)
    scene.through = connect
    client("iam").create_role(RoleName=role.rpartition("/")[2], AssumeRolePolicyDocument=_TRUST)
    pin = f'name = "prod"\ncode-signing-config = "{target.code_signing_config}"\n'
    pinned = scene.policy.read_text().replace('name = "prod"\n', pin, 1)
    scene.policy.write_text(f'{pinned}{STAGE}stack-role = "{role}"\n')
    stack = StackScene(scene)
    with stack.plan(dry_run=True) as plan:
        assert plan.changes
    assert [one.ending for one in stack.deploy().deployments] == [Ending.DEPLOYED] * 2
    with scene.case(stage="prod") as case:
        return case.policy
