"""Who a call is from: what STS tells of the same credentials, in every account."""

import pytest

from shipsafe.local.endpoint import Endpoint
from shipsafe.local.identity import partition_of, scope_of
from tests.local_endpoint import ACCOUNT, REGION, client

OTHER = "111122223333"


def _seen_by_signer(endpoint: Endpoint, key: str, region: str = REGION) -> tuple[str, str]:
    client("signer", account=key, region=region).list_signing_profiles()
    event = endpoint.trail.events(service="signer")[-1]
    return event["recipientAccountId"], event["userIdentity"]["arn"]


def _told_by_sts(key: str, region: str = REGION) -> tuple[str, str]:
    told = client("sts", account=key, region=region).get_caller_identity()
    return told["Account"], told["Arn"]


@pytest.mark.parametrize(("key", "account"), [(OTHER, OTHER), (ACCOUNT, ACCOUNT), ("AKIAIOSFODNN7EXAMPLE", ACCOUNT), ("local", ACCOUNT)])
def test_a_key_of_twelve_digits_is_an_account_and_any_other_the_default_one(local_aws: Endpoint, key: str, account: str) -> None:
    before = _seen_by_signer(local_aws, key)  # moto is not loaded yet
    assert before == _told_by_sts(key) == _seen_by_signer(local_aws, key)
    assert before[0] == account


def test_an_assumed_role_is_of_the_account_of_its_arn(local_aws: Endpoint) -> None:
    role = f"arn:aws:iam::{OTHER}:role/sign"
    credentials = client("sts").assume_role(RoleArn=role, RoleSessionName="release")["Credentials"]
    seen = _seen_by_signer(local_aws, credentials["AccessKeyId"])
    assert seen == _told_by_sts(credentials["AccessKeyId"]) == (OTHER, f"arn:aws:sts::{OTHER}:assumed-role/sign/release")


def test_the_key_of_a_user_is_of_the_users_account(local_aws: Endpoint) -> None:
    iam = client("iam", account=OTHER)
    iam.create_user(UserName="releaser")
    key = iam.create_access_key(UserName="releaser")["AccessKey"]["AccessKeyId"]
    assert _seen_by_signer(local_aws, key) == _told_by_sts(key) == (OTHER, f"arn:aws:iam::{OTHER}:user/releaser")


def test_buckets_are_in_the_account_that_made_them(local_aws: Endpoint) -> None:
    assert local_aws.url
    client("s3", account=OTHER, region="us-east-1").create_bucket(Bucket="theirs")
    assert client("s3", region="us-east-1").list_buckets()["Buckets"] == []
    assert [bucket["Name"] for bucket in client("s3", account=OTHER).list_buckets()["Buckets"]] == ["theirs"]


def test_another_partition_has_its_own_arns(local_aws: Endpoint) -> None:
    assert _seen_by_signer(local_aws, OTHER, "cn-north-1") == _told_by_sts(OTHER, "cn-north-1")
    told = client("signer", region="us-gov-west-1").put_signing_profile(profileName="prod", platformId="AWSLambda-SHA384-ECDSA")
    assert told["arn"].startswith(f"arn:aws-us-gov:signer:us-gov-west-1:{ACCOUNT}:")
    assert [partition_of(region) for region in ("eu-west-1", "us-iso-east-1", "us-isob-east-1", "eusc-de-east-1")] == [
        *("aws", "aws-iso", "aws-iso-b", "aws-eusc")
    ]


@pytest.mark.parametrize(
    "header", ["", "Basic eDp5", "AWS4-HMAC-SHA256 Credential=a/b", "AWS4-HMAC-SHA256 Credential=k/20261121/r/s3/aws5"]
)
def test_what_is_not_signed_has_no_scope(header: str) -> None:
    assert scope_of(header, "X-Amz-Credential=%00").service == ""
