"""AssumeRoleWithWebIdentity on the local endpoint: the token is verified, and the trust policy of the role decides."""

import json
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from shipsafe.local.call import ApiError
from shipsafe.local.endpoint import Endpoint
from shipsafe.local.trust import lets_in
from shipsafe.model.pipeline import GITHUB_ISSUER
from tests.local_endpoint import ACCOUNT, client
from tests.oidc import AUDIENCE, Issuer

HOST = GITHUB_ISSUER.removeprefix("https://")
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{HOST}"
SUBJECT = "repo:acme/orders:environment:release"
WORKFLOW = f"acme/shipsafe/.github/workflows/pipeline.yml@{'1' * 40}"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/orders-sign"


def trust(**equals: Any) -> dict[str, Any]:
    wanted = {"aud": AUDIENCE, "sub": SUBJECT, "job_workflow_ref": WORKFLOW, **equals}
    return statement({"StringEquals": {f"{HOST}:{name}": value for name, value in wanted.items() if value is not None}})


def statement(condition: dict[str, Any], **more: Any) -> dict[str, Any]:
    one = {"Effect": "Allow", "Principal": {"Federated": PROVIDER}, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": condition}
    return {"Version": "2012-10-17", "Statement": [one | more]}


@pytest.fixture
def issuer(local_aws: Endpoint) -> Issuer:
    """GitHub, with a provider and a role that trusts one job of one workflow."""
    iam = client("iam")
    iam.create_open_id_connect_provider(Url=GITHUB_ISSUER, ClientIDList=[AUDIENCE], ThumbprintList=["0" * 40])
    iam.create_role(RoleName="orders-sign", AssumeRolePolicyDocument=json.dumps(trust()))
    one = Issuer()
    one.register(local_aws.url)
    return one


def assume(token: str, role: str = ROLE, **more: Any) -> Any:
    return boto3.client("sts").assume_role_with_web_identity(RoleArn=role, RoleSessionName="job", WebIdentityToken=token, **more)


def refused(token: str, role: str = ROLE, **more: Any) -> str:
    with pytest.raises(ClientError) as caught:
        assume(token, role, **more)
    error = caught.value.response["Error"]
    return f"{error['Code']}: {error['Message']}"


def claims(**others: Any) -> dict[str, Any]:
    return {"sub": SUBJECT, "job_workflow_ref": WORKFLOW, "repository": "acme/orders", **others}


def test_the_job_that_is_meant_gets_the_role_and_its_account(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unsigned, as a runner without credentials asks; the session is then who calls."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    given = assume(issuer.token(**claims()))["Credentials"]
    caller = boto3.client(
        "sts",
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    ).get_caller_identity()
    assert caller["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/orders-sign/job"


@pytest.mark.parametrize(
    "others",
    [
        {"sub": "repo:acme/orders:environment:production"},
        {"sub": "repo:acme/orders:ref:refs/heads/main"},
        {"sub": "repo:acme/orders:pull_request"},
        {"sub": "repo:evil/orders:environment:release"},
        {"job_workflow_ref": WORKFLOW.replace("1", "2")},
        {"job_workflow_ref": "acme/orders/.github/workflows/mine.yml@refs/heads/main"},
        {"job_workflow_ref": None},
    ],
)
def test_another_job_does_not(issuer: Issuer, others: dict[str, Any]) -> None:
    assert refused(issuer.token(**claims(**others))) == "AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity"


def test_a_token_that_the_issuer_did_not_sign_is_refused(issuer: Issuer, local_aws: Endpoint) -> None:
    head, body, signature = issuer.token(**claims()).split(".")
    other = issuer.token(**claims(sub="other")).split(".")[1]
    for token in (
        Issuer().token(**claims()),  # another key of the same name
        Issuer(kid="unknown").token(**claims()),
        f"{head}.{other}.{signature}",
        issuer.token(algorithm="none", **claims()),
        issuer.token(algorithm="RS256", **claims()),
    ):
        assert refused(token).startswith("InvalidIdentityToken: Couldn't verify the signature")
    for token in (f"{head}.{body}", "eyJ.e30.x", f"{head}.{body}.{'é'}", "a" * 20_001):
        assert refused(token).startswith(("InvalidIdentityToken: The ID Token provided is not a valid JWT", "ValidationError"))
    local_aws.reset()
    assert refused(issuer.token(**claims())).startswith("InvalidIdentityToken: Couldn't retrieve verification key")


def test_issuer_audience_and_times_hold_before_the_role_is_asked(issuer: Issuer, local_aws: Endpoint) -> None:
    assert refused(issuer.token(**claims(aud="https://github.com/acme"))) == "InvalidIdentityToken: Incorrect token audience"
    assert refused(issuer.token(**claims(aud=None))) == "InvalidIdentityToken: Missing a required claim: aud"
    assert refused(issuer.token(**claims(exp=True))).startswith("InvalidIdentityToken: The ID Token")
    stranger = Issuer(url="https://token.example.com")
    stranger.register(local_aws.url)
    assert refused(stranger.token(**claims())).startswith("InvalidIdentityToken: No OpenIDConnect provider found in your account")
    assert refused(issuer.token(**claims()), ROLE.replace(ACCOUNT, "999988887777")).startswith("InvalidIdentityToken: No OpenIDConnect")
    assert refused(issuer.token(**claims()), f"{ROLE}-other").startswith("AccessDenied")
    assert refused(issuer.token(**claims()), "role/orders-sign/and/more").startswith("ValidationError")
    assert refused(issuer.token(**claims()), DurationSeconds=7200).startswith("ValidationError: The requested DurationSeconds")
    token = issuer.token(**claims())
    local_aws.advance(timedelta(seconds=301))
    assert refused(token).startswith("ExpiredTokenException: Token expired")


def test_keys_that_are_none_are_refused(local_aws: Endpoint) -> None:
    wrong: tuple[Any, ...] = (
        [],
        [{"kty": "EC", "crv": "P-256", "kid": "a", "x": "AA", "y": "AA"}],
        [{"kty": "oct", "kid": "a", "k": "AA"}],
        [{}],
        3,
    )
    for keys in wrong:
        with pytest.raises(Exception, match=r"[Kk]ey|jwks"):
            local_aws.issuers.add({"issuer": GITHUB_ISSUER, "jwks": {"keys": keys}})


KEYS = {"sub": SUBJECT, "aud": AUDIENCE, "job_workflow_ref": WORKFLOW, "runner_environment": "github-hosted"}


@pytest.mark.parametrize(
    ("condition", "lets"),
    [
        ({"StringEquals": {f"{HOST}:sub": ["repo:a/b:x", SUBJECT]}}, True),
        ({"StringEquals": {f"{HOST.upper()}:SUB": SUBJECT}}, True),
        ({"StringEquals": {f"{HOST}:sub": SUBJECT.upper()}}, False),
        ({"StringEqualsIgnoreCase": {f"{HOST}:sub": SUBJECT.upper()}}, True),
        ({"StringLike": {f"{HOST}:sub": "repo:acme/*"}}, True),
        ({"StringLike": {f"{HOST}:sub": "repo:acme/order?"}}, False),
        ({"StringNotEquals": {f"{HOST}:sub": SUBJECT}}, False),
        ({"StringNotLike": {f"{HOST}:sub": ["repo:evil/*", "repo:bad/*"]}}, True),
        ({"StringNotEquals": {f"{HOST}:environment": "production"}}, True),
        ({"StringEquals": {f"{HOST}:environment": "production"}}, False),
        ({"StringEqualsIfExists": {f"{HOST}:environment": "production"}}, True),
        ({"ForAllValues:StringEquals": {f"{HOST}:environment": "production"}}, True),
        ({"ForAnyValue:StringLike": {f"{HOST}:environment": "*"}}, False),
        ({"ForAnyValue:StringLike": {f"{HOST}:sub": "repo:acme/orders:*"}}, True),
        ({"Null": {f"{HOST}:environment": "true"}}, True),
        ({"Null": {f"{HOST}:sub": "true"}}, False),
        ({"StringEquals": {f"{HOST}:runner_environment": "github-hosted"}}, False),  # a claim that STS makes no key of
        ({"StringEquals": {"token.example.com:sub": SUBJECT}}, False),
        ({"StringEquals": {f"{HOST}:sub": SUBJECT, f"{HOST}:aud": "other"}}, False),
    ],
)
def test_conditions_mean_what_they_mean_to_iam(condition: dict[str, Any], lets: bool) -> None:  # noqa: FBT001 - a table
    assert lets_in(statement(condition), PROVIDER, KEYS) is lets


def test_a_denial_wins_and_what_is_not_reproduced_is_said() -> None:
    both = trust()
    both["Statement"].append(both["Statement"][0] | {"Effect": "Deny", "Condition": {"StringEquals": {f"{HOST}:sub": SUBJECT}}})
    assert lets_in(trust(), PROVIDER, KEYS)
    assert not lets_in(both, PROVIDER, KEYS)
    assert not lets_in(statement({}, Action="sts:AssumeRole"), PROVIDER, KEYS)
    assert not lets_in(statement({}, Principal={"AWS": "*"}), PROVIDER, KEYS)
    assert not lets_in(statement({}, Principal={"Federated": "arn:aws:iam::1:oidc-provider/other"}), PROVIDER, KEYS)
    for strange in (
        statement({"DateLessThan": {f"{HOST}:sub": "2026-01-01"}}),
        statement({"StringEquals": {"aws:SourceIp": "1.2.3.4"}}),
        statement({}, NotAction="sts:TagSession"),
    ):
        with pytest.raises(ApiError, match="does not reproduce"):
            lets_in(strange, PROVIDER, KEYS)


def test_on_another_issuer_sts_knows_no_claims_of_github() -> None:
    """GitHub Enterprise Server: what a trust policy is to hold must be in the subject."""
    provider = f"arn:aws:iam::{ACCOUNT}:oidc-provider/ghe.example.com/_services/token"
    host = "ghe.example.com/_services/token"
    policy = statement({"StringEquals": {f"{host}:job_workflow_ref": WORKFLOW}}, Principal={"Federated": provider})
    assert not lets_in(policy, provider, KEYS)
    policy = statement({"StringEquals": {f"{host}:sub": SUBJECT}}, Principal={"Federated": provider})
    assert lets_in(policy, provider, KEYS)
