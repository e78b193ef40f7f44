"""The role as which CloudFormation changes the stack of a stage: yours, only looked at, because what it needs is what the template makes.

    [[deploy.stage]] stack = "shop", stack-role = "arn:aws:iam::111122223333:role/shop-cloudformation"

The role that deploys may pass it to CloudFormation and take it itself no more than anybody else: only the service may.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from shipsafe.adapters.aws.iam import find_trust
from shipsafe.adapters.aws.session import Aws
from shipsafe.errors import ShipsafeError
from shipsafe.model.deployment import Stage
from shipsafe.model.policy import Policy
from shipsafe.signing.setup.check import Check, State
from shipsafe.signing.setup.look import Connected
from shipsafe.signing.setup.rights import stages_at
from shipsafe.signing.setup.values import as_list

SERVICE = "cloudformation.amazonaws.com"
_ASSUME = ("sts:AssumeRole", "sts:*", "*")
_HOW = "docs/guides/bootstrap.md says what it needs."


@dataclass(frozen=True, slots=True, kw_only=True)
class StackRoleLook:
    """A stage that names a stack, and the trust policy of the role for it; None where none is named, or there is no such role."""

    aws: Aws
    stage: Stage
    trust: Mapping[str, Any] | None = None
    error: ShipsafeError | None = None


def look_at_stack_roles(policy: Policy, going: Sequence[Connected]) -> tuple[StackRoleLook, ...]:
    """Look at the role of each stage that names a stack. Changes nothing."""
    stages = {stage.name: (stage, aws) for target, aws in going for stage in stages_at(policy, target) if stage and stage.stack}
    return tuple(_look(stage, aws) for stage, aws in stages.values())


def _look(stage: Stage, aws: Aws) -> StackRoleLook:
    bare = StackRoleLook(aws=aws, stage=stage)
    if stage.stack_role is None:
        return bare
    try:
        return replace(bare, trust=find_trust(aws, stage.stack_role.rpartition("/")[2]))
    except ShipsafeError as error:
        return replace(bare, error=error)


def stack_role_checks(looks: Sequence[StackRoleLook]) -> Iterator[Check]:
    """What was found of each."""
    for look in looks:
        yield _check(look)


def _check(look: StackRoleLook) -> Check:
    stage, role = look.stage, look.stage.stack_role
    about = partial(Check, targets=(stage.target,), about=f"role of stack {stage.stack}")
    if role is None:
        says = (
            f"Stage {stage.name} names no `stack-role`. Unless stack {stage.stack} has a role already, CloudFormation has only"
            " the rights of the role that deploys, which may change no function."
        )
        return about(state=State.NOTE, says=says, remedy=f"Add `stack-role` to the stage: {_HOW}")
    if role.split(":")[4] != look.aws.account:
        says = f"{role} is of another account than the stack, which is in {look.aws.account}: CloudFormation takes none of another."
        return about(state=State.WRONG, says=says, remedy="Name a role of that account.")
    if look.error is not None:
        return about(state=State.UNKNOWN, says=look.error.what, remedy=look.error.remedy)
    if look.trust is None:
        return about(state=State.MISSING, says=f"There is no {role}.", remedy=f"Make it: {_HOW}")
    trusting = [one for one in look.trust["Statement"] if one["Effect"] == "Allow" and set(as_list(one.get("Action", []))) & set(_ASSUME)]
    if not any(_names(one.get("Principal", {})) for one in trusting):
        return about(state=State.MISSING, says=f"{role} does not trust {SERVICE}.", remedy=f"Let it: {_HOW}")
    return about(state=State.OK, says=f"CloudFormation may take {role}.")


def _names(principal: Any) -> bool:
    return principal == "*" or (isinstance(principal, dict) and SERVICE in as_list(principal.get("Service", [])))
