"""Profiles of another account: nothing without a permission, and then what it says."""

from typing import Any

import pytest

from shipsafe.local.call import ApiError
from shipsafe.local.pki import LocalRoot
from tests.local.stores import ACCOUNT, OTHER_ACCOUNT, REGION, ask
from tests.local.test_signer_jobs import Desk

ROLE = f"arn:aws:iam::{OTHER_ACCOUNT}:role/ci/release"
SESSION = f"arn:aws:sts::{OTHER_ACCOUNT}:assumed-role/release/run-17"


@pytest.fixture
def desk(local_root: LocalRoot) -> Desk:
    return Desk(local_root)


def allow(desk: Desk, action: str, *, principal: str = OTHER_ACCOUNT, statement: str = "s1", **words: Any) -> str:
    told = {"profileName": "prod", "action": f"signer:{action}", "principal": principal, "statementId": statement}
    return str(ask(desk.signer, "AddProfilePermission", **told | words)["revisionId"])


def outside(desk: Desk, operation: str, caller: str = "", **words: Any) -> dict[str, Any]:
    return ask(desk.signer, operation, account=OTHER_ACCOUNT, caller=caller, **words)


def start(desk: Desk, caller: str = "") -> dict[str, Any]:
    return outside(desk, "StartSigningJob", caller, **desk.words(profileOwner=ACCOUNT))


def denied(desk: Desk, operation: str, caller: str = "", **words: Any) -> str:
    with pytest.raises(ApiError) as caught:
        outside(desk, operation, caller, **words)
    assert (caught.value.code, caught.value.status) == ("AccessDeniedException", 403)
    return caught.value.message


def test_without_a_permission_everything_is_denied(desk: Desk) -> None:
    message = denied(desk, "StartSigningJob", **desk.words(profileOwner=ACCOUNT))
    assert message == (
        f"User: arn:aws:iam::{OTHER_ACCOUNT}:root is not authorized to perform: signer:StartSigningJob"
        f" on resource: arn:aws:signer:{REGION}:{ACCOUNT}:/signing-profiles/prod"
    )
    denied(desk, "GetSigningProfile", profileName="prod", profileOwner=ACCOUNT)


def test_nobody_outside_is_told_which_profiles_there_are(desk: Desk) -> None:
    here = denied(desk, "GetSigningProfile", profileName="prod", profileOwner=ACCOUNT)
    there = denied(desk, "GetSigningProfile", profileName="none", profileOwner=ACCOUNT)
    assert there == here.replace("/prod", "/none")


def test_a_permission_is_for_its_action(desk: Desk) -> None:
    allow(desk, "GetSigningProfile")
    assert outside(desk, "GetSigningProfile", profileName="prod", profileOwner=ACCOUNT)["status"] == "Active"
    denied(desk, "StartSigningJob", **desk.words(profileOwner=ACCOUNT))


def test_a_job_belongs_to_the_profiles_account_and_both_see_it(desk: Desk) -> None:
    allow(desk, "StartSigningJob")
    told = start(desk)
    assert told["jobOwner"] == ACCOUNT
    desk.clock.pass_time(seconds=1)
    for account in (ACCOUNT, OTHER_ACCOUNT):
        job = ask(desk.signer, "DescribeSigningJob", jobId=told["jobId"], account=account)
        assert (job["status"], job["jobOwner"], job["jobInvoker"]) == ("Succeeded", ACCOUNT, OTHER_ACCOUNT)
    with pytest.raises(ApiError, match="does not exist"):
        ask(desk.signer, "DescribeSigningJob", jobId=told["jobId"], account="777788889999")


def test_a_role_is_allowed_through_its_session(desk: Desk) -> None:
    """The ARN of a session has no path; the one of the role has."""
    allow(desk, "StartSigningJob", principal=ROLE)
    assert start(desk, SESSION)["jobOwner"] == ACCOUNT
    for caller in (f"arn:aws:sts::{OTHER_ACCOUNT}:assumed-role/other/run", f"arn:aws:sts::{ACCOUNT}:assumed-role/release/x"):
        denied(desk, "StartSigningJob", caller, **desk.words(profileOwner=ACCOUNT))


def test_revoking_a_signature_from_outside_needs_the_owner_and_the_permission(desk: Desk) -> None:
    allow(desk, "StartSigningJob")
    job = start(desk)["jobId"]
    desk.clock.pass_time(seconds=1)
    with pytest.raises(ApiError, match="does not exist"):
        outside(desk, "RevokeSignature", jobId=job, reason="x")
    denied(desk, "RevokeSignature", jobId=job, reason="x", jobOwner=ACCOUNT)
    allow(desk, "RevokeSignature", statement="s2")
    outside(desk, "RevokeSignature", jobId=job, reason="stolen", jobOwner=ACCOUNT)
    assert desk.describe(job)["revocationRecord"]["revokedBy"] == f"arn:aws:iam::{OTHER_ACCOUNT}:root"


def test_every_change_needs_the_current_revision_where_one_is_given(desk: Desk) -> None:
    first = allow(desk, "StartSigningJob")
    second = allow(desk, "GetSigningProfile", statement="s2", revisionId=first)
    assert first != second
    with pytest.raises(ApiError) as caught:
        allow(desk, "RevokeSignature", statement="s3", revisionId=first)
    assert (caught.value.code, caught.value.status) == ("ConflictException", 409)
    with pytest.raises(ApiError) as caught:
        ask(desk.signer, "RemoveProfilePermission", profileName="prod", statementId="s1", revisionId=first)
    assert caught.value.code == "ConflictException"
    ask(desk.signer, "RemoveProfilePermission", profileName="prod", statementId="s1", revisionId=second)
    denied(desk, "StartSigningJob", **desk.words(profileOwner=ACCOUNT))


def test_permissions_are_listed(desk: Desk) -> None:
    with pytest.raises(ApiError) as caught:
        ask(desk.signer, "ListProfilePermissions", profileName="prod")
    assert caught.value.code == "ResourceNotFoundException", "what Terraform's provider takes for `none yet`"
    revision = allow(desk, "StartSigningJob", profileVersion=desk.profile["profileVersion"])
    told = ask(desk.signer, "ListProfilePermissions", profileName="prod")
    assert told["permissions"] == [
        {
            "action": "signer:StartSigningJob",
            "principal": OTHER_ACCOUNT,
            "statementId": "s1",
            "profileVersion": desk.profile["profileVersion"],
        }
    ]
    assert told["revisionId"] == revision
    assert told["policySizeBytes"] > 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            {"action": "signer:SignPayload"},
            "AWSLambda-SHA384-ECDSA. Action must be one of [signer:StartSigningJob, signer:GetSigningProfile, signer:RevokeSignature]",
        ),
        ({"action": "signer:*"}, "Action signer:* not supported"),
        ({"principal": "*"}, "Principal is not a valid AWS account id or IAM Role Arn"),
        ({"principal": f"arn:aws:iam::{OTHER_ACCOUNT}:user/ann"}, "Principal is not a valid AWS account id or IAM Role Arn"),
        ({"profileVersion": "0123456789"}, "profile version 0123456789 of prod does not exist"),
        ({"statementId": "taken"}, "Statement taken already exists"),
    ],
)
def test_a_permission_that_makes_no_sense_is_refused(desk: Desk, words: dict[str, str], said: str) -> None:
    allow(desk, "GetSigningProfile", statement="taken")
    told = {"profileName": "prod", "action": "signer:StartSigningJob", "principal": OTHER_ACCOUNT, "statementId": "s9"}
    with pytest.raises(ApiError) as caught:
        ask(desk.signer, "AddProfilePermission", **told | words)
    assert said in caught.value.message
