"""What the roles of a pipeline may do: the policies of configs/iam, filled for the places where their jobs work."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from shipsafe.errors import ConfigError
from shipsafe.flows.stages import target_at
from shipsafe.model.pipeline import Job
from shipsafe.signing.setup.rights import Site, rights, stages_at
from tests.iam.rights import Grant, grants
from tests.local_endpoint import ACCOUNT, REGION
from tests.signing.setup.pipeline_side import KEY, ROLES, policy

STACK_ROLE = f"arn:aws:iam::{ACCOUNT}:role/shop-cloudformation"
BUCKET_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/bucket"
SITE = Site(
    partition="aws", account=ACCOUNT, region=REGION, bucket="orders", kms_key=BUCKET_KEY, keeper=ACCOUNT, profile="orders_2026",
    version="AbCdE12345", owner=ACCOUNT, tagged=True,
)  # fmt: skip
FACTS = {
    "account": ACCOUNT, "region": REGION, "bucket": "orders", "profile": "orders_2026", "version": "AbCdE12345", "key": BUCKET_KEY,
    "evidence": "orders-evidence", "signing_key": KEY, "application": "shop", "role": "orders", "transport": "orders-runs",
    "roles": ROLES, "issuer": "token.actions.githubusercontent.com", "stack": "shop", "stack_role": STACK_ROLE,
}  # fmt: skip
OF_JOB = {
    Job.BUILD: ("build", "transport"),
    Job.SIGN: ("sign", "transport"),
    Job.DEPLOY: ("deploy", "deploy-codedeploy", "transport"),
    Job.VERIFY: ("verify", "doctor", "evidence", "transport"),
}
STAGE = f"""
[[deploy.stage]]
name = "live"
target = "prod"
stack = "shop"
stack-role = "{STACK_ROLE}"
"""
# What only somebody does who changes functions himself, by the beginnings of actions.
DIRECTLY = ("lambda:Update", "lambda:Publish", "lambda:Create", "lambda:Delete", "lambda:Invoke", "lambda:Tag", "lambda:Untag")
DEPLOY = f"""
[[deploy.function]]
function = "*"
role = "arn:aws:iam::{ACCOUNT}:role/orders"
codedeploy-application = "shop"
codedeploy-group = "orders"
"""


def held(document: object) -> set[str]:
    """Every grant of a document, as a text."""
    assert isinstance(document, dict)
    found = set()
    for one in document["Statement"]:
        for action in one["Action"] if isinstance(one["Action"], list) else [one["Action"]]:
            for resource in one["Resource"] if isinstance(one["Resource"], list) else [one["Resource"]]:
                found.add(told(Grant(action, resource, one.get("Condition", {}))))
    return found


def told(grant: Grant) -> str:
    return json.dumps([grant.action, grant.pattern, grant.conditions], sort_keys=True)


@pytest.mark.parametrize("job", Job)
def test_a_role_has_the_policies_of_its_job_and_nothing_else(tmp_path: Path, job: Job) -> None:
    """Those that tests/iam holds to the calls that the commands make."""
    named = policy(tmp_path, DEPLOY, transport="s3://orders-runs")
    named = replace(named, evidence="s3://orders-evidence")
    wanted = {
        told(one)
        for name in OF_JOB[job]
        for one in grants(name, FACTS)
        if (job is not Job.VERIFY or (name, one.action) != ("transport", "s3:PutObject")) and one.pattern != STACK_ROLE
    }
    assert held(rights(job, [SITE], named)) == wanted


def test_where_a_stage_names_its_stack_the_role_changes_that_stack_and_no_function(tmp_path: Path) -> None:
    named = replace(policy(tmp_path, DEPLOY), evidence="s3://orders-evidence")
    site = replace(SITE, stack="shop", stack_role=STACK_ROLE)
    found = held(rights(Job.DEPLOY, [site], named))
    assert {told(one) for one in grants("deploy-stack", FACTS)} <= found
    direct = {told(one) for one in grants("deploy", FACTS)}
    left = {json.loads(one)[0] for one in direct - found}
    assert {one for one in left if not one.startswith(DIRECTLY)} == {"iam:PassRole", "s3:GetObjectVersion", "lambda:ListLayerVersions"}
    assert not any(json.loads(one)[0].startswith((*DIRECTLY, "codedeploy:")) for one in found)
    both = held(rights(Job.DEPLOY, [SITE, site], named))
    assert both == found | held(rights(Job.DEPLOY, [SITE], named)), "another stage of that account has none"
    verifying = held(rights(Job.VERIFY, [site], named)) - held(rights(Job.VERIFY, [SITE], named))
    assert verifying == {told(Grant("iam:GetRole", STACK_ROLE, {}))}


def test_two_stacks_are_two_statements_each_with_its_role(tmp_path: Path) -> None:
    sites = [replace(SITE, stack=name, stack_role=f"{STACK_ROLE}-{name}") for name in ("one", "two")]
    found = [one for one in rights(Job.DEPLOY, sites, policy(tmp_path))["Statement"] if "cloudformation:RoleArn" in str(one)]
    assert [(one["Resource"], one["Condition"]) for one in found] == [
        (f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{name}/*",
         {"StringEquals": {"cloudformation:RoleArn": f"{STACK_ROLE}-{name}"}})
        for name in ("one", "two")
    ]  # fmt: skip


def test_a_stack_that_may_have_a_role_already_is_changed_as_whatever_it_has(tmp_path: Path) -> None:
    document = rights(Job.DEPLOY, [replace(SITE, stack="shop")], policy(tmp_path))
    made = [one for one in document["Statement"] if one["Action"] == "cloudformation:CreateChangeSet" and "shop" in one["Resource"]]
    assert [one.get("Condition") for one in made] == [None]
    assert "iam:PassRole" not in json.dumps(document)


def test_a_stage_is_found_by_where_it_goes(tmp_path: Path) -> None:
    """Two stages of one target, in two accounts, of which one names a stack."""
    more = f'{STAGE}[[deploy.stage]]\nname = "there"\ntarget = "prod"\naccount = "999988887777"\n'
    named = policy(tmp_path, more)
    live, there = (target_at(named, one) for one in named.deploy.stages)
    assert [one and one.name for one in stages_at(named, live)] == ["live"]
    assert [one and one.name for one in stages_at(named, there)] == ["there"]
    assert stages_at(policy(tmp_path), named.sign.targets[0]) == (None,)


def test_what_the_policy_does_not_name_is_left_out(tmp_path: Path) -> None:
    bare = replace(policy(tmp_path, key="sigstore:"), evidence=None)
    site = replace(SITE, kms_key=None, tagged=False)
    text = json.dumps([rights(job, [site], bare) for job in Job])
    for absent in ("kms:", "codedeploy:", "iam:PassRole", "lambda:CreateFunction", "PutObjectTagging", "sha256", "EVIDENCE", "KEY"):
        assert absent not in text
    assert rights(Job.BUILD, [site], bare)["Statement"] == []


def test_places_share_statements_that_differ_only_in_what_they_are_about(tmp_path: Path) -> None:
    """Two Regions of one account, and a profile of another account."""
    there = replace(SITE, region="eu-central-1", bucket="orders-2", prefix="x/", owner="999988887777", version="ZbCdE12345", kms_key=None)
    document = rights(Job.SIGN, [SITE, there], policy(tmp_path))
    by_sid = {one["Sid"]: one for one in document["Statement"]}
    assert by_sid["UploadNeverOverwrite"]["Resource"] == ["arn:aws:s3:::orders/unsigned/*", "arn:aws:s3:::orders-2/x/unsigned/*"]
    assert by_sid["SignWithThisVersionAlone2"]["Resource"] == "arn:aws:signer:eu-central-1:999988887777:/signing-profiles/orders_2026"
    assert by_sid["SignWithThisVersionAlone2"]["Condition"] == {"StringEquals": {"signer:ProfileVersion": "ZbCdE12345"}}
    assert by_sid["EncryptedBucketOnly"]["Condition"] == {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}}


def test_a_bucket_of_evidence_may_be_any_of_our_accounts_and_one_of_signed_code_the_one_where_it_is_signed(tmp_path: Path) -> None:
    named = replace(policy(tmp_path), accounts=(ACCOUNT, "999988887777"))
    site = replace(SITE, account="999988887777", keeper=ACCOUNT)
    by_sid = {one["Sid"]: one for one in rights(Job.DEPLOY, [site], named)["Statement"]}
    assert by_sid["ReadEvidence"]["Condition"] == {"StringEquals": {"aws:ResourceAccount": [ACCOUNT, "999988887777"]}}
    assert by_sid["LetLambdaReadWhatWasSigned"]["Condition"] == {"StringEquals": {"aws:ResourceAccount": ACCOUNT}}
    assert by_sid["ReadEvidence"]["Resource"] == "arn:aws:s3:::orders-evidence/shipsafe/sha256/*"


def test_a_bucket_between_jobs_may_be_another_accounts_where_the_policy_says_so(tmp_path: Path) -> None:
    for owner in (None, "999988887777"):
        named = policy(tmp_path, transport="s3://orders-runs", transport_owner=owner)
        by_sid = {one["Sid"]: one for one in rights(Job.BUILD, [SITE], named)["Statement"]}
        assert by_sid["PutAndNeverOverwrite"]["Condition"]["StringEquals"] == {"aws:ResourceAccount": owner or ACCOUNT}


def test_another_partition_has_its_own_arns_and_host_names_and_the_same_services(tmp_path: Path) -> None:
    named = replace(policy(tmp_path, DEPLOY), evidence=None)
    site = replace(SITE, partition="aws-cn", suffix="amazonaws.com.cn", region="cn-north-1")
    text = json.dumps(rights(Job.SIGN, [site], named)) + json.dumps(rights(Job.DEPLOY, [site], named))
    assert "s3.cn-north-1.amazonaws.com.cn" in text
    assert '"lambda.amazonaws.com"' in text
    assert "arn:aws:lambda" not in text


def test_more_than_iam_takes_is_refused(tmp_path: Path) -> None:
    sites = [replace(SITE, bucket=f"{'b' * 60}{number}", version=f"{number:010}") for number in range(40)]
    with pytest.raises(ConfigError, match="longer than IAM takes"):
        rights(Job.SIGN, sites, policy(tmp_path))
