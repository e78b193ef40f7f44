"""Policies of IAM compared: what a trust policy lets in, and what a role may do, beyond what is wanted."""

from typing import Any

import pytest

from shipsafe.model.pipeline import GITHUB_ISSUER, Job, PipelinePolicy
from shipsafe.signing.setup.compared import Compared, compare_rights, compare_trust, listed
from shipsafe.signing.setup.trust import trust

HOST = GITHUB_ISSUER.removeprefix("https://")
PROVIDER = f"arn:aws:iam::123456789012:oidc-provider/{HOST}"
WORKFLOW = f"acme/shipsafe/.github/workflows/pipeline.yml@{'1' * 40}"
SUBJECT = "repo:acme/orders:environment:release"
NEWER = "repo:acme@11/orders@22:environment:release"
PIPELINE = PipelinePolicy(repository="acme/orders", owner_id="11", repository_id="22", workflows=(WORKFLOW,), roles="shipsafe")
WANTED = trust(Job.SIGN, PIPELINE, PROVIDER)
EXACT = {"aud": "sts.amazonaws.com", "sub": [SUBJECT, NEWER], "job_workflow_ref": WORKFLOW, "repository_id": "22"}


def document(conditions: dict[str, dict[str, Any]], **more: Any) -> dict[str, Any]:
    prefixed = {operator: {f"{HOST}:{name}": value for name, value in keys.items()} for operator, keys in conditions.items()}
    one = {"Effect": "Allow", "Principal": {"Federated": PROVIDER}, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": prefixed}
    return {"Version": "2012-10-17", "Statement": one | more}


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in EXACT.items() if key != name}


@pytest.mark.parametrize(
    "same",
    [
        WANTED,
        document({"StringEquals": EXACT}),
        {"Statement": [document({"StringEquals": EXACT | {"sub": one}})["Statement"] for one in (SUBJECT, NEWER)]},
        document({"StringEquals": EXACT | {"ref": "refs/heads/main"}}),  # narrower is not too broad
        document({"ForAnyValue:StringEquals": EXACT}),
        document({"StringLike": EXACT}),  # without a star or a question mark it is no pattern
        document({"StringEquals": EXACT}, Action=["sts:AssumeRoleWithWebIdentity", "sts:TagSession"]),
        document({"StringEquals": EXACT | {"sub": [NEWER, SUBJECT]}, "StringLike": {"sub": "repo:acme*"}}),  # both must hold
    ],
)
def test_what_lets_in_one_job_is_as_wanted(same: Any) -> None:
    assert compare_trust(same, WANTED) == Compared((), ())


@pytest.mark.parametrize(
    ("found", "beyond"),
    [
        ({"StringEquals": without("aud")}, "asks for no `aud`"),
        ({"StringEquals": without("sub")}, "asks for no `sub`"),
        ({"StringEquals": without("job_workflow_ref")}, "asks for no `job_workflow_ref`"),
        ({"StringEquals": without("sub"), "StringLike": {"sub": "repo:acme/*"}}, "`sub` may be anything like repo:acme/*"),
        (
            {"StringEquals": without("sub"), "StringLike": {"sub": [SUBJECT, "repo:acme/order?:*"]}},
            "`sub` may be anything like repo:acme/order?:*",
        ),
        (
            {"StringEquals": EXACT | {"sub": [SUBJECT, NEWER, "repo:acme/orders:pull_request"]}},
            "`sub` may be repo:acme/orders:pull_request",
        ),
        ({"StringEquals": EXACT | {"aud": "https://github.com/acme"}}, "`aud` may be https://github.com/acme"),
        ({"StringEquals": without("sub"), "StringEqualsIfExists": {"sub": SUBJECT}}, "asks for no `sub`"),
        ({"StringEquals": without("sub"), "ForAllValues:StringEquals": {"sub": SUBJECT}}, "asks for no `sub`"),
        ({"StringEquals": without("sub"), "StringNotEquals": {"sub": "repo:evil/orders:pull_request"}}, "asks for no `sub`"),
        ({"StringEquals": without("sub"), "StringEqualsIgnoreCase": {"sub": SUBJECT}}, "asks for no `sub`"),
    ],
)
def test_what_lets_in_more_is_named(found: Any, beyond: str) -> None:
    assert beyond in compare_trust(document(found), WANTED).beyond


@pytest.mark.parametrize(
    ("found", "lacking"),
    [
        ({"StringEquals": without("repository_id")}, "asks for no `repository_id`"),
        ({"StringEquals": EXACT | {"sub": SUBJECT}}, f"`sub` may not be {NEWER}"),
        ({"StringEquals": EXACT | {"sub": NEWER}}, f"`sub` may not be {SUBJECT}"),
    ],
)
def test_what_lets_in_less_is_named(found: Any, lacking: str) -> None:
    assert compare_trust(document(found), WANTED) == Compared((), (lacking,))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"Principal": "*"}, "lets * * in"),
        (
            {"Principal": {"AWS": ["arn:aws:iam::123456789012:root"]}, "Action": "sts:AssumeRole"},
            "lets AWS arn:aws:iam::123456789012:root in",
        ),
        (
            {"Principal": {"Federated": "arn:aws:iam::1:oidc-provider/gitlab.com"}},
            "lets Federated arn:aws:iam::1:oidc-provider/gitlab.com in",
        ),
        ({"Principal": {"Federated": [PROVIDER, "cognito-identity.amazonaws.com"]}}, "lets Federated cognito-identity.amazonaws.com in"),
        ({"NotPrincipal": {"AWS": "1"}}, "NotPrincipal lets everybody else in, or allows everything else"),
        ({"Action": "*"}, "allows *"),
    ],
)
def test_whoever_else_is_let_in_is_named(more: dict[str, Any], words: str) -> None:
    two = {"Version": "2012-10-17", "Statement": [*WANTED["Statement"], document({"StringEquals": EXACT}, **more)["Statement"]]}
    assert words in compare_trust(two, WANTED).beyond


@pytest.mark.parametrize("nothing", [None, {"Statement": []}, document({}, Effect="Deny")])
def test_a_policy_that_lets_nobody_in_lacks_everything(nothing: Any) -> None:
    assert compare_trust(nothing, WANTED) == Compared((), (f"nobody comes in by {PROVIDER}",))


def statement(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def rights(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def test_rights_are_compared_by_what_they_allow_and_not_by_how_they_are_written() -> None:
    one = rights(statement(["s3:GetObject", "s3:PutObject"], ["a", "b"], Condition={"StringEquals": {"k": "v"}}))
    split = [
        statement(action, where, Sid="x", Condition={"StringEquals": {"k": ["v"]}})
        for action in ("S3:getobject", "s3:PutObject")
        for where in "ba"
    ]
    assert compare_rights(rights(*split), one) == Compared((), ())
    assert compare_rights(None, one).lacking[0].startswith("s3:GetObject on a where")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (statement("s3:*"), "s3:* on *"),
        (statement("s3:GetObject"), "s3:GetObject on *"),  # the same action on more
        (statement("s3:GetObject", "a"), "s3:GetObject on a"),  # and without its condition
        ({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}, 'NotAction "iam:*"'),
        ({"Effect": "Allow", "Action": "s3:GetObject", "NotResource": "b"}, 'NotResource "b"'),
    ],
)
def test_rights_beyond_are_named(more: dict[str, Any], words: str) -> None:
    wanted = rights(statement("s3:GetObject", "a", Condition={"StringEquals": {"k": "v"}}))
    assert compare_rights(rights(*wanted["Statement"], more), wanted) == Compared((words,), ())


def test_a_long_list_is_cut() -> None:
    assert listed(tuple("abcdef")) == "a; b; c; d and 2 more"
