"""Roles and identity providers of IAM, as far as the answers of IAM may be otherwise."""

import json
from typing import Any

import pytest

from shipsafe.adapters.aws.iam import find_provider, find_role, make_provider, make_role
from shipsafe.adapters.aws.session import Place, open_aws
from shipsafe.errors import IncompleteError
from shipsafe.local.endpoint import Endpoint
from tests.local_endpoint import ACCOUNT, REGION, client

URL = "https://token.actions.githubusercontent.com"
ARN = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
TRUST = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Principal": {"Federated": ARN}, "Action": "sts:AssumeRoleWithWebIdentity"},
}


@pytest.mark.usefixtures("local_aws")
def test_what_was_made_meanwhile_is_not_made_again() -> None:
    """Two runs at once: the second finds it there, and looks again at what it is."""
    aws = open_aws(Place(region=REGION))
    assert (find_provider(aws, ARN), find_role(aws, "orders")) == (None, None)
    for _ in range(2):
        make_provider(aws, URL, "sts.amazonaws.com")
        make_role(aws, "orders", TRUST, session=3600, description="", tags={"shipsafe:job": "sign"})
    found = find_role(aws, "orders")
    assert found is not None
    assert found.trust["Statement"] == [TRUST["Statement"]]
    assert (found.tags, found.policies, found.attached) == ({"shipsafe:job": "sign"}, {}, {})
    assert find_provider(aws, ARN) == ("sts.amazonaws.com",)


@pytest.mark.usefixtures("local_aws")
def test_all_pages_of_policies_are_read() -> None:
    client("iam").create_role(RoleName="orders", AssumeRolePolicyDocument=json.dumps(TRUST))
    document = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]})
    for number in range(101):
        client("iam").put_role_policy(RoleName="orders", PolicyName=f"p{number:03}", PolicyDocument=document)
    found = find_role(open_aws(Place(region=REGION)), "orders")
    assert found is not None
    assert len(found.policies) == 101


@pytest.mark.parametrize(
    "answer",
    [
        {"Statement": 3},
        {"Statement": [{"Effect": "Maybe"}]},
        {"Statement": [{"Effect": "Allow", "Condition": "none"}]},
        {"Statement": [{"Effect": "Allow", "Condition": {"StringEquals": ["a"]}}]},
        {"Statement": [{"Effect": "Allow", "Principal": ["*"]}]},
        {},
        "text",
    ],
)
def test_a_policy_that_is_none_cannot_be_taken_for_one_that_allows_nothing(local_aws: Endpoint, answer: Any) -> None:
    client("iam").create_role(RoleName="orders", AssumeRolePolicyDocument=json.dumps(TRUST))
    aws = open_aws(Place(region=REGION))
    aws.client("iam").meta.events.register(
        "after-call.iam.GetRole", lambda parsed, **_: parsed["Role"].update(AssumeRolePolicyDocument=answer)
    )
    assert local_aws.url
    with pytest.raises(IncompleteError, match="has not the shape of one of AWS's"):
        find_role(aws, "orders")
