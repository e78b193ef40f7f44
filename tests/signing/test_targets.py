"""What a target may ask for: a profile of another account, a key, tags, Object Lock, a role."""

from dataclasses import replace

import pytest

from shipsafe.model.signing import SignTarget
from tests.local_endpoint import ACCOUNT, REGION, client
from tests.signing.place import BUCKET, TARGET, Site, make_bucket, make_profile
from tests.signing.zips import zip_bytes

OWNER = "444455556666"


def test_a_profile_of_another_account_signs(site: Site) -> None:
    """Its owner shares it; the signature names the owner's profile, and its jobs are whosever Signer says."""
    theirs = client("signer", account=OWNER)
    arn = theirs.put_signing_profile(profileName="shared", platformId="AWSLambda-SHA384-ECDSA")["profileVersionArn"]
    for number, action in enumerate(("signer:StartSigningJob", "signer:GetSigningProfile", "signer:RevokeSignature")):
        theirs.add_profile_permission(profileName="shared", action=action, principal=ACCOUNT, statementId=f"s{number}")

    target = replace(TARGET, profile="shared", profile_owner=OWNER)
    signed, failed = site.run(targets=[target])
    again = site.run(targets=[target])

    assert failed == []
    assert signed[0].profile_version == arn
    assert again.signed == signed
    assert site.started() == 1


def test_the_upload_is_encrypted_with_the_key_and_bears_the_tags(site: Site) -> None:
    key = client("kms").create_key()["KeyMetadata"]["Arn"]
    target = replace(TARGET, kms_key=key, tags=(("cost centre", "a+b=c/d:e"), ("team", "orders")))

    [one] = site.run(targets=[target]).signed

    s3 = site.client("s3")
    told = s3.head_object(Bucket=BUCKET, Key=one.source.key, VersionId=one.source.version)
    assert (told["ServerSideEncryption"], told["SSEKMSKeyId"]) == ("aws:kms", key)
    tags = s3.get_object_tagging(Bucket=BUCKET, Key=one.source.key, VersionId=one.source.version)["TagSet"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"cost centre": "a+b=c/d:e", "team": "orders"}


def test_a_bucket_with_object_lock_takes_the_upload(site: Site) -> None:
    s3 = site.client("s3")
    s3.create_bucket(Bucket="locked-bucket", CreateBucketConfiguration={"LocationConstraint": REGION}, ObjectLockEnabledForBucket=True)
    retention = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}}
    s3.put_object_lock_configuration(Bucket="locked-bucket", ObjectLockConfiguration=retention)
    sent: list[dict[str, str]] = []
    target = replace(TARGET, bucket="locked-bucket")
    site.connect(target).client("s3").meta.events.register(
        "before-send.s3.PutObject", lambda request, **_: sent.append({k.lower(): str(v) for k, v in request.headers.items()})
    )

    signed, failed = site.run(targets=[target])

    assert [str(one.error) for one in failed] == []
    assert len(signed) == 1
    [headers] = [one for one in sent if "x-amz-checksum-sha256" in one]
    # PutObject: a bucket with a default retention asks for Content-MD5 or the algorithm of the checksum.
    assert "x-amz-sdk-checksum-algorithm" in headers


def test_a_role_is_assumed(site: Site) -> None:
    role = client("iam").create_role(RoleName="signer", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    target = replace(TARGET, role=role, external_id="an-id", account=None)
    assert site.connect(target).caller.startswith(f"arn:aws:sts::{ACCOUNT}:assumed-role/signer/")
    signed, failed = site.run(targets=[target])
    assert (len(signed), failed) == (1, [])


def test_pseudo_parameters_of_the_buckets_name_are_those_of_the_connection(site: Site) -> None:
    bare = SignTarget(name="here", profile=TARGET.profile, bucket="artifacts-${AWS::AccountId}-${AWS::Region}")
    [stand] = site.plan(targets=[bare]).stands
    assert stand.bucket == BUCKET


@pytest.mark.parametrize(("region", "partition"), [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")])
def test_other_partitions(site: Site, region: str, partition: str) -> None:
    make_bucket("far-bucket", region=region)
    arn = make_profile("far", region=region)
    assert arn.startswith(f"arn:{partition}:signer:{region}:")
    [one] = site.run(targets=[replace(TARGET, region=region, bucket="far-bucket", profile="far")]).signed
    assert one.profile_version == arn
    assert one.job.startswith(f"arn:{partition}:signer:{region}:{ACCOUNT}:/signing-jobs/")


def test_artifacts_for_several_targets_come_in_order(site: Site) -> None:
    make_profile("second")
    targets = [replace(TARGET, name="b", profile="second"), replace(TARGET, name="a")]
    work = [site.unsigned("z", zip_bytes({"a.py": b"1"})), site.unsigned("y", zip_bytes({"a.py": b"2"}))]
    signed, failed = site.run(*work, targets=targets)
    assert failed == []
    assert [(one.artifact, one.target) for one in signed] == [("z", "b"), ("z", "a"), ("y", "b"), ("y", "a")]
    assert len(site.versions()) == 2  # two profiles sign what was uploaded once
    assert site.started() == 4
