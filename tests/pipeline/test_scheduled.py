"""What is shipped is looked at again by the calendar, as `init` writes it: what is not safe any more, and whether what runs was signed."""

import re
from contextlib import closing

import pytest

from shipsafe.starting.answers import Host, Release, Source
from shipsafe.starting.workflow_text import scheduled_workflow
from tests.end_to_end.program import shipsafe
from tests.local_endpoint import ACCOUNT, REGION, client
from tests.pipeline.act import Ran
from tests.pipeline.aws import PREFIX, AwsSide
from tests.pipeline.conftest import Opened
from tests.pipeline.consumer import NAME, SHA, Consumer
from tests.pipeline.project import advisory

pytestmark = pytest.mark.registry
PASSED, FAILED, SKIPPED = ("success",), ("failure",), ("skipped",)
FOUND, INCOMPLETE = 1, 4
OTHER = "999988887777"  # the account where it goes live
SOURCE = Source(name="orders", path=".", folder=".", host=Host.GITHUB, server="github.com", repository=NAME, branch="main")
CALLER = scheduled_workflow(SOURCE, Release(commit=SHA, tag="v0.1.0"))
WEEKLY, QUARTERLY = re.findall(r'- cron: "(.*)"', CALLER)
LOCKED = "idna==3.11 --hash=sha256:771a87f49d9defaf64091e6e6fe9c18d4833f140bd19464795bc32d966ca37ea\n"


def test_what_is_shipped_is_looked_at_again(opened: Opened, aws: AwsSide) -> None:
    """By hand everything, with the role that only reads; every week what is shipped, which a new advisory makes fail."""
    with closing(client("s3", endpoint_url=aws.endpoint.url)) as s3:
        s3.create_bucket(Bucket="orders-evidence", CreateBucketConfiguration={"LocationConstraint": REGION})
    policy = 'evidence = "s3://orders-evidence/kept"\n' + aws.policy
    consumer = opened({"shipsafe.toml": policy, "pay/requirements.txt": LOCKED}, aws=aws, caller=CALLER)
    for words in (
        ("bootstrap", "--yes"),
        ("build", "--key", aws.key),
        ("sign", "--yes", "--key", aws.key),
        ("deploy", "--yes", "--key", aws.key),
    ):
        done = shipsafe(*words, cwd=consumer.tree, env={**aws.owner, "AWS_REGION": REGION})
        assert done.code == 0, done.out + done.err

    ran = _look(consumer, "workflow_dispatch", "")
    assert ran.results == {"plan": PASSED, "advisories": PASSED, "permissions": PASSED}, ran.told()
    assert sorted(consumer.github.tokens) == [
        ("look-again/advisories", "sts.amazonaws.com"),
        ("look-again/permissions", "sts.amazonaws.com"),
    ]
    looked = ran.text("permissions")
    assert "pay-prod:live" in looked
    assert "stock-prod:live" in looked

    consumer.commit({"advisories/PYSEC-2026-9.json": advisory("PYSEC-2026-9", "idna")})
    ran = _look(consumer, "schedule", WEEKLY)
    assert ran.results == {"plan": PASSED, "advisories": FAILED, "permissions": SKIPPED}, ran.told()
    assert ran.ended("advisories") == FOUND
    assert "PYSEC-2026-9" in ran.text("advisories")


def test_where_is_signed_and_where_it_goes_live_are_looked_at_by_the_role_of_each_account(opened: Opened, aws: AwsSide) -> None:
    """One role cannot look into both; nothing of either is left out."""
    stage = f'[[deploy.stage]]\nname = "live"\ntarget = "prod"\naccount = "{OTHER}"\n'
    consumer = opened(aws=aws, caller=CALLER)
    here = {**aws.owner, "AWS_REGION": REGION}
    made = shipsafe(
        "bootstrap", "--yes", cwd=consumer.tree, env=here
    )  # roles that another test's policy gave more are given what ours needs
    assert made.code == 0, made.out + made.err
    consumer.commit({"shipsafe.toml": aws.policy + stage})
    there = {**aws.owner, "AWS_ACCESS_KEY_ID": OTHER}
    made = shipsafe("bootstrap", "--yes", "--stage", "live", cwd=consumer.tree, env=there)
    assert made.code == 0, made.out + made.err
    ran = _look(consumer, "schedule", QUARTERLY)
    assert ran.results == {"plan": PASSED, "advisories": SKIPPED, "permissions": PASSED}, ran.told()
    assert consumer.github.tokens == [("look-again/permissions", "sts.amazonaws.com")] * 2
    looked = ran.text("permissions")
    assert looked.index(f"arn:aws:iam::{ACCOUNT}:role/{PREFIX}-sign ") < looked.index(f"arn:aws:iam::{OTHER}:role/{PREFIX}-deploy ")
    with closing(client("iam", account=OTHER, endpoint_url=aws.endpoint.url)) as iam:
        iam.delete_role_policy(RoleName=f"{PREFIX}-deploy", PolicyName="shipsafe")
    ran = _look(consumer, "schedule", QUARTERLY)
    assert ran.results["permissions"] == FAILED, ran.told()
    assert ran.ended("permissions") == INCOMPLETE
    assert "Less than the job needs" in ran.text("permissions")


def _look(consumer: Consumer, event: str, schedule: str) -> Ran:
    commit = consumer.git("rev-parse", "HEAD")
    consumer.git("push", "-q", str(consumer.origin), "main:main")
    payload = {"schedule": schedule, "repository": {"full_name": "acme/orders", "name": "orders", "default_branch": "main"}}
    return consumer.run(event, payload, claims={"ref": "refs/heads/main", "ref_type": "branch", "sha": commit})
