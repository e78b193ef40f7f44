"""The few calls of IAM that we make: an identity provider, and roles with their trust and their policies.

Source: the botocore model of `iam` (2010-05-08); IAM User Guide, "Create an OpenID Connect (OIDC) identity provider in IAM". A thumbprint
is not sent: IAM fetches its own, and does not need one for an issuer whose certificate a public authority signed.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shipsafe.adapters.aws.pages import pages
from shipsafe.adapters.aws.refusals import AwsRefusal, aws_errors
from shipsafe.adapters.aws.session import Aws

_ABSENT = "NoSuchEntity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A role. `session`: the longest, in seconds; `policies`: documents by name, those that are written into it; `attached`: by ARN."""

    name: str
    arn: str
    tags: Mapping[str, str]
    session: int
    trust: Any
    policies: Mapping[str, Any]
    attached: Mapping[str, Any]


def find_provider(aws: Aws, arn: str) -> tuple[str, ...] | None:
    """The audiences that an identity provider of OpenID Connect takes; None where there is no such provider.

    Raises:
        IncompleteError: it may not be looked at, or AWS gave no answer.
    """
    try:
        with aws_errors(f"look at identity provider {arn}"):
            told = aws.client("iam").get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
            return tuple(str(one) for one in told.get("ClientIDList", []))
    except AwsRefusal as refusal:
        if refusal.code == _ABSENT:
            return None
        raise


def make_provider(aws: Aws, url: str, audience: str) -> None:
    """Make one, unless it is there.

    Raises:
        IncompleteError: AWS refused.
    """
    try:
        with aws_errors(f"make an identity provider for {url}"):
            aws.client("iam").create_open_id_connect_provider(Url=url, ClientIDList=[audience])
    except AwsRefusal as refusal:
        if refusal.code != "EntityAlreadyExists":
            raise


def find_role(aws: Aws, name: str) -> Role | None:
    """A role with all that it may do; None where there is none of that name.

    Raises:
        IncompleteError: it may not be looked at, or AWS gave no answer.
    """
    told = _role(aws, name)
    if told is None:
        return None
    with aws_errors(_looking(aws, name)):
        return Role(
            name=name,
            arn=str(told["Arn"]),
            tags={str(one["Key"]): str(one["Value"]) for one in told.get("Tags", [])},
            session=int(told["MaxSessionDuration"]),
            trust=_document(told["AssumeRolePolicyDocument"]),
            policies=dict(_inline(aws, name)),
            attached=dict(_attached(aws, name)),
        )


def find_trust(aws: Aws, name: str) -> Any:
    """The trust policy of a role; None where there is none of that name.

    Raises:
        IncompleteError: it may not be looked at, or AWS gave no answer.
    """
    told = _role(aws, name)
    return _document(told["AssumeRolePolicyDocument"]) if told else None


def make_role(aws: Aws, name: str, trust: Any, *, session: int, description: str, tags: Mapping[str, str]) -> None:
    """Make a role, unless it is there; whoever takes it may have it for `session` seconds.

    Raises:
        IncompleteError: AWS refused.
    """
    try:
        with aws_errors(f"make role {name}"):
            aws.client("iam").create_role(
                RoleName=name,
                AssumeRolePolicyDocument=json.dumps(trust),
                Description=description,
                MaxSessionDuration=session,
                Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
            )
    except AwsRefusal as refusal:
        if refusal.code != "EntityAlreadyExists":
            raise


def set_trust(aws: Aws, name: str, trust: Any) -> None:
    """Say who may take a role, and nobody else.

    Raises:
        IncompleteError: AWS refused.
    """
    with aws_errors(f"set the trust of role {name}"):
        aws.client("iam").update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))


def set_session(aws: Aws, name: str, session: int) -> None:
    """Say for how many seconds somebody who takes a role may have it.

    Raises:
        IncompleteError: AWS refused.
    """
    with aws_errors(f"set the longest session of role {name}"):
        aws.client("iam").update_role(RoleName=name, MaxSessionDuration=session)


def set_rights(aws: Aws, name: str, policy: str, document: Any) -> None:
    """Write a policy into a role, in place of the one of that name.

    Raises:
        IncompleteError: AWS refused.
    """
    with aws_errors(f"set the rights of role {name}"):
        aws.client("iam").put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(document))


def _looking(aws: Aws, name: str) -> str:
    return f"look at role {name} (account {aws.account})"


def _role(aws: Aws, name: str) -> Any:
    """What GetRole tells; None where there is none of that name."""
    try:
        with aws_errors(_looking(aws, name)):
            return aws.client("iam").get_role(RoleName=name)["Role"]
    except AwsRefusal as refusal:
        if refusal.code == _ABSENT:
            return None
        raise


def _inline(aws: Aws, name: str) -> Iterator[tuple[str, Any]]:
    client, doing = aws.client("iam"), f"list the policies of role {name}"
    for page in pages(doing, client.list_role_policies, "Marker", "Marker", RoleName=name):
        for policy in page["PolicyNames"]:
            yield str(policy), _document(client.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"])


def _attached(aws: Aws, name: str) -> Iterator[tuple[str, Any]]:
    client, doing = aws.client("iam"), f"list what is attached to role {name}"
    for page in pages(doing, client.list_attached_role_policies, "Marker", "Marker", RoleName=name):
        for one in page["AttachedPolicies"]:
            arn = str(one["PolicyArn"])
            version = client.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
            yield arn, _document(client.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])


def _document(value: Any) -> Any:
    """A policy, as botocore has parsed it, its statements in a list.

    Raises:
        TypeError: it is not shaped like one: what it allows could not be told.
    """
    statements = value["Statement"] if isinstance(value["Statement"], list) else [value["Statement"]]
    for one in statements:
        parts = (one.get("Condition", {}), *one.get("Condition", {}).values())
        if one["Effect"] not in ("Allow", "Deny") or not all(isinstance(part, dict) for part in parts):
            raise TypeError(one["Effect"])
        if not isinstance(one.get("Principal", {}), dict | str):
            raise TypeError("Principal")
    return {**value, "Statement": statements}
