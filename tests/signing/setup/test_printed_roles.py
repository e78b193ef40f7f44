"""The roles in the CloudFormation template and in Terraform are those that bootstrap makes; cfn-lint and our gates take the template."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from shipsafe.errors import ConfigError
from shipsafe.flows.pipeline_places import going_live
from shipsafe.local.endpoint import Endpoint
from shipsafe.model.policy import Policy
from shipsafe.signing.setup.cloudformation import cloudformation
from shipsafe.signing.setup.compared import Compared, compare_rights, compare_trust
from shipsafe.signing.setup.terraform import terraform
from tests.end_to_end.program import shipsafe
from tests.local_endpoint import ACCOUNT, REGION
from tests.signing.setup.pipeline_side import ROLES, SECOND, make, policy
from tests.signing.setup.side import Side
from tests.signing.setup.test_printed import _body, _tokens
from tests.signing.setup.test_rights import STAGE

HOST = "token.actions.githubusercontent.com"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{HOST}"
FUNCTION = """
[deploy]
[[deploy.function]]
function = "*"
role = "arn:aws:iam::123456789012:role/orders"
codedeploy-application = "shop"
codedeploy-group = "orders"
"""
POLICIES: list[tuple[str, dict[str, Any]]] = [
    ("", {}),
    (FUNCTION, {"transport": "s3://orders-runs/pipeline"}),
    ("", {"key": "sigstore:", "owner_id": None, "repository_id": None}),
    ("", {"issuer": "https://ghe.example.com/_services/token"}),
    (STAGE, {}),
]
_AWS = {
    "AWS::Partition": "aws", "AWS::AccountId": ACCOUNT, "AWS::Region": REGION, "AWS::URLSuffix": "amazonaws.com",
    "data.aws_partition.current.partition": "aws", "data.aws_caller_identity.current.account_id": ACCOUNT,
    "data.aws_region.current.name": REGION, "data.aws_partition.current.dns_suffix": "amazonaws.com",
}  # fmt: skip


class _Loader(yaml.SafeLoader):
    """Functions of CloudFormation as their own text, but Sub, whose text is filled in later."""


def _function(loader: yaml.Loader, suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return str(node.value) if suffix == "Sub" else f"!{suffix} {node.value}"
    assert isinstance(node, yaml.SequenceNode)
    return f"!{suffix} {loader.construct_sequence(node)}"


_Loader.add_multi_constructor("!", _function)


def read(text: str) -> Any:
    return yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader


def filled(value: Any, words: dict[str, str]) -> Any:
    """A document with what a template writes for what it does not know."""
    text = json.dumps(value)
    text = re.sub(r"\$\{([\w.:]+)\}", lambda found: {**_AWS, **words}[found[1]], text)
    return json.loads(text)


def printed(wanted: Policy, **more: Any) -> str:
    return cloudformation(wanted.sign.targets[0], configuration=True, policy=wanted, going=going_live(wanted), **more)


def calls(side: Side, operation: str) -> list[dict[str, Any]]:
    return [parameters for _, name, parameters in side.calls if name == operation]


@pytest.mark.parametrize(("more", "changes"), POLICIES)
def test_the_template_has_the_roles_that_bootstrap_makes(local_aws: Endpoint, tmp_path: Path, more: str, changes: dict[str, Any]) -> None:
    wanted = policy(tmp_path, more, **changes)
    side = Side(local_aws)
    make(side, wanted)
    version = side.standing(wanted.sign.targets[0]).profile
    assert version is not None
    host = wanted.pipeline.issuer.removeprefix("https://")
    words = {"Profile.ProfileVersion": version.rpartition("/")[2]}
    template = read(printed(wanted))
    assert template["Conditions"] == {"MakeIdentityProvider": "!Equals ['!Ref IdentityProvider', '']"}
    resources = template["Resources"]
    provider = resources.pop("TokenProvider")
    [made] = calls(side, "CreateOpenIDConnectProvider")
    assert provider["Properties"] == {"Url": made["Url"], "ClientIdList": made["ClientIDList"]}
    assert (provider["Condition"], provider["DeletionPolicy"]) == ("MakeIdentityProvider", "Retain")
    roles = [one["Properties"] for one in resources.values() if one["Type"] == "AWS::IAM::Role"]
    found = {one["RoleName"]: filled(one, words) for one in roles}
    for one in found.values():
        for statement in one["AssumeRolePolicyDocument"]["Statement"]:
            federated = "!If ['MakeIdentityProvider', '!GetAtt TokenProvider.Arn', '!Ref IdentityProvider']"
            assert statement["Principal"] == {"Federated": federated}
            statement["Principal"] = {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{host}"}
    rights = {one["RoleName"]: one for one in calls(side, "PutRolePolicy")}
    assert found == {
        one["RoleName"]: {
            **one,
            "AssumeRolePolicyDocument": json.loads(one["AssumeRolePolicyDocument"]),
            "Policies": [
                {
                    "PolicyName": rights[one["RoleName"]]["PolicyName"],
                    "PolicyDocument": json.loads(rights[one["RoleName"]]["PolicyDocument"]),
                }
            ],
        }
        for one in calls(side, "CreateRole")
    }
    assert len(found) == (3 if changes.get("key") == "sigstore:" else 4)


@pytest.mark.parametrize(("more", "changes"), POLICIES)
def test_terraform_has_the_same_roles(tmp_path: Path, more: str, changes: dict[str, Any]) -> None:
    wanted = policy(tmp_path, more, **changes)
    text = terraform(wanted.sign.targets[0], configuration=True, policy=wanted, going=going_live(wanted))
    assert text.count("{") == text.count("}")
    assert f'url            = "{wanted.pipeline.issuer}"' in text
    body = _body(iter([*_tokens(text[text.index('resource "aws_iam_role"') :]), "}"]))
    resources = read(printed(wanted))["Resources"]
    theirs = {one["Properties"]["RoleName"]: one["Properties"] for one in resources.values() if one["Type"] == "AWS::IAM::Role"}
    jobs = [name.split("_")[-1] for name in body if name.startswith("resource aws_iam_role ")]
    assert [f"{ROLES}-{job}" for job in jobs] == list(theirs)
    for job in jobs:
        [role], [rights] = body[f"resource aws_iam_role shipsafe_{job}"], body[f"resource aws_iam_role_policy shipsafe_{job}"]
        other = theirs[role["name"]]
        assert (role["description"], role["max_session_duration"]) == (other["Description"], other["MaxSessionDuration"])
        assert role["tags"] == {one["Key"]: one["Value"] for one in other["Tags"]}
        [statement] = role["assume_role_policy"]["Statement"]
        assert statement["Principal"] == {"Federated": "${local.identity_provider}"}
        assert statement | {"Principal": 0} == other["AssumeRolePolicyDocument"]["Statement"][0] | {"Principal": 0}
        assert rights["role"] == f"${{aws_iam_role.shipsafe_{job}.id}}"
        here, there = {"aws_signer_signing_profile.shipsafe.version": "V"}, {"Profile.ProfileVersion": "V"}
        [written] = other["Policies"]
        assert (rights["name"], filled(rights["policy"], here)) == (written["PolicyName"], filled(written["PolicyDocument"], there))


def test_what_a_template_made_is_well_to_bootstrap_and_doctor(tmp_path: Path) -> None:
    """Also where the policy names the account of the stack among its own, so that it stands there twice."""
    wanted = policy(tmp_path)
    template = read(printed(wanted))["Resources"]["VerifyRole"]["Properties"]
    document = filled(template["Policies"][0]["PolicyDocument"], {})
    doubled = json.loads(
        json.dumps(document).replace(f'"aws:ResourceAccount": "{ACCOUNT}"', f'"aws:ResourceAccount": ["{ACCOUNT}", "{ACCOUNT}"]')
    )
    assert doubled != document
    assert compare_rights(doubled, document) == Compared((), ())
    trust = template["AssumeRolePolicyDocument"]
    assert compare_trust(trust, trust) == Compared((), ())


def test_targets_of_one_account_have_their_roles_in_the_template_of_the_first(tmp_path: Path) -> None:
    wanted = policy(tmp_path, SECOND.replace("bucket", 'profile-version = "AbCdE12345"\nbucket', 1))
    first, second = wanted.sign.targets
    text = printed(wanted)
    assert "AbCdE12345" in text
    assert "orders-${AWS::AccountId}-eu-central-1/unsigned/*" in text
    other = cloudformation(second, configuration=True, policy=wanted, going=going_live(wanted))
    assert "AWS::IAM::Role" not in other
    assert "CAPABILITY_NAMED_IAM" not in other
    assert first.name == "prod"
    with pytest.raises(ConfigError, match="names no version of it"):
        printed(policy(tmp_path, SECOND))


def test_targets_that_name_no_account_are_told_apart_by_how_one_gets_there(tmp_path: Path) -> None:
    second = SECOND.replace(f'account = "{ACCOUNT}"\n', 'aws-profile = "other"\n')
    wanted = policy(tmp_path, second)
    wanted = replace(wanted, sign=replace(wanted.sign, targets=(replace(wanted.sign.targets[0], account=None), wanted.sign.targets[1])))
    for one, region in zip(wanted.sign.targets, (REGION, "eu-central-1"), strict=True):
        text = cloudformation(one, configuration=True, policy=wanted, going=going_live(wanted))
        assert text.count("AWS::IAM::Role") == 4
        assert text.count("orders-${AWS::AccountId}-") == text.count("orders-${AWS::AccountId}-${AWS::Region}"), region


def test_roles_that_nobody_could_take_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nobody whose jobs could take them"):
        printed(policy(tmp_path, workflow=None))
    assert "AWS::IAM" not in printed(policy(tmp_path, roles=None))


def test_cfn_lint_finds_nothing(tmp_path: Path) -> None:
    more, changes = POLICIES[1]
    files = [tmp_path / "roles.yaml", tmp_path / "bare.yaml"]
    files[0].write_text(printed(policy(tmp_path, more, **changes)))
    files[1].write_text(printed(policy(tmp_path, roles=None)))
    done = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), "--non-zero-exit-code", "informational", "--include-checks", "I", "--", *files],
        check=False, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert (done.stdout, done.returncode) == ("", 0)


def test_our_own_gates_take_it_under_strict(tmp_path: Path) -> None:
    """With a function that is under its code-signing configuration: without one there is nothing to ask about."""
    text = printed(policy(tmp_path))
    function = """\
  Orders:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: orders
      Runtime: python3.13
      Handler: app.main
      Code: src
      Role: !Sub "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/orders"
      CodeSigningConfigArn: !Ref CodeSigningConfig
Outputs:"""
    (tmp_path / "template.yaml").write_text(text.replace("Outputs:", function, 1))
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "app.py").write_text("def main(event, context):\n    return {}\n")
    (tmp_path / "shipsafe.toml").write_text('extends = "strict"\n')
    done = shipsafe("check", "--offline", ".", cwd=tmp_path, env={"SHIPSAFE_CACHE_DIR": str(tmp_path / "cache")})
    assert done.code == 0, done
    assert "PASS  1 subject" in done.out
