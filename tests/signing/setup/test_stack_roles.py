"""What doctor and bootstrap say of the role as which CloudFormation changes a stack: it is looked at, and left to whoever made it."""

import json
from pathlib import Path
from typing import Any

import pytest

from shipsafe.local.endpoint import Endpoint
from shipsafe.signing.setup.check import Check, State
from tests.local_endpoint import ACCOUNT, client
from tests.signing.setup.pipeline_side import look, make, policy
from tests.signing.setup.side import Side
from tests.signing.setup.test_rights import STACK_ROLE, STAGE

SERVICE = {"Service": "cloudformation.amazonaws.com"}


@pytest.fixture
def side(local_aws: Endpoint) -> Side:
    return Side(local_aws)


def checks(side: Side, folder: Path, more: str = STAGE) -> list[Check]:
    return [one for one in look(side, policy(folder, more)).checks if one.about == "role of stack shop"]


def role(*statements: dict[str, Any]) -> None:
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    client("iam").create_role(RoleName="shop-cloudformation", AssumeRolePolicyDocument=document)


def allowing(principal: Any, action: Any = "sts:AssumeRole") -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": action}


def test_a_role_that_is_not_there_is_missing_and_bootstrap_makes_none(side: Side, tmp_path: Path) -> None:
    [one] = checks(side, tmp_path)
    assert (one.state, one.says, one.mends) == (State.MISSING, f"There is no {STACK_ROLE}.", ())
    make(side, policy(tmp_path, STAGE))
    assert [one.state for one in checks(side, tmp_path)] == [State.MISSING]
    assert "shop-cloudformation" not in [one["RoleName"] for one in client("iam").list_roles()["Roles"]]


@pytest.mark.parametrize(
    ("statements", "state"),
    [
        ([allowing(SERVICE)], State.OK),
        ([allowing({"Service": ["lambda.amazonaws.com", SERVICE["Service"]]}, ["sts:AssumeRole", "sts:TagSession"])], State.OK),
        ([allowing({"Service": "lambda.amazonaws.com"})], State.MISSING),
        ([allowing({"AWS": f"arn:aws:iam::{ACCOUNT}:root"})], State.MISSING),
        ([{**allowing(SERVICE), "Effect": "Deny"}], State.MISSING),
    ],
)
def test_it_has_to_trust_cloudformation(side: Side, tmp_path: Path, statements: list[dict[str, Any]], state: State) -> None:
    role(*statements)
    assert [one.state for one in checks(side, tmp_path)] == [state]


def test_a_stage_without_one_is_told_what_that_means(side: Side, tmp_path: Path) -> None:
    [one] = checks(side, tmp_path, STAGE.replace(f'stack-role = "{STACK_ROLE}"', ""))
    assert one.state is State.NOTE
    assert "may change no function" in one.says


def test_one_of_another_account_could_never_be_taken(side: Side, tmp_path: Path) -> None:
    [one] = checks(side, tmp_path, STAGE.replace(ACCOUNT, "999988887777"))
    assert one.state is State.WRONG


def test_without_a_stack_none_is_looked_for(side: Side, tmp_path: Path) -> None:
    assert checks(side, tmp_path, "") == []
    assert checks(side, tmp_path, '[[deploy.stage]]\nname = "live"\ntarget = "prod"\n') == []
