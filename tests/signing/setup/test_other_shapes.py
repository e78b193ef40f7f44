"""What is there already: tightened where that is safe, told where it is not, never loosened."""

import json
from typing import Any

import pytest

from shipsafe.errors import ConfigError, IncompleteError
from shipsafe.local.faults import Fault
from shipsafe.signing.setup.buckets import bucket_checks
from shipsafe.signing.setup.check import Check, State
from shipsafe.signing.setup.wanted import abort_rule, tls_statement, unsigned_rule
from tests.local_endpoint import ACCOUNT, REGION, client
from tests.signing.setup.side import BUCKET, OTHER, Side, about, bucket, policy_of, target

KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0123"


def found(side: Side, what: str, **changes: Any) -> list[Check]:
    return about(side.look(target(**changes)).checks, what)


def only(side: Side, what: str, **changes: Any) -> Check:
    [one] = found(side, what, **changes)
    return one


def test_a_bare_bucket_is_tightened_in_every_respect(side: Side) -> None:
    bucket()
    survey = side.look()
    assert all(check.state in (State.OK, State.MISSING) for check in survey.checks)
    side.make()
    assert "CreateBucket" not in side.changes
    assert {check.state for check in side.look().checks} == {State.OK}


def test_suspended_versioning_is_turned_on(side: Side) -> None:
    bucket().put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})
    one = only(side, "versioning")
    assert one.says == f"Versioning is suspended on bucket {BUCKET}."
    [mend] = one.mends
    mend.act()
    assert client("s3").get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"


def test_a_public_access_block_with_a_hole_is_closed(side: Side) -> None:
    block = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": False, "RestrictPublicBuckets": True}
    bucket().put_public_access_block(Bucket=BUCKET, PublicAccessBlockConfiguration=block)
    one = only(side, "public access")
    assert one.says == f"Bucket {BUCKET} lacks BlockPublicPolicy."
    assert len(one.mends) == 1


def test_ownership_that_somebody_chose_is_left(side: Side) -> None:
    bucket().put_bucket_ownership_controls(Bucket=BUCKET, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]})
    one = only(side, "ownership")
    assert (one.state, one.mends, one.stops) == (State.MISSING, (), False)
    assert "ObjectWriter, not BucketOwnerEnforced" in one.says


@pytest.mark.parametrize(
    ("there", "wants", "state", "mended"),
    [
        ({"SSEAlgorithm": "AES256"}, None, State.OK, False),
        ({"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}, None, State.OK, False),  # more than is asked for
        ({"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}, KEY, State.OK, False),
        ({"SSEAlgorithm": "AES256"}, KEY, State.MISSING, True),
        ({"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": f"{KEY}4"}, KEY, State.MISSING, False),
    ],
)
def test_encryption(side: Side, there: dict[str, str], wants: str | None, state: State, mended: bool) -> None:  # noqa: FBT001 - a parameter of a table
    rules = [{"ApplyServerSideEncryptionByDefault": there}]
    bucket().put_bucket_encryption(Bucket=BUCKET, ServerSideEncryptionConfiguration={"Rules": rules})
    one = only(side, "encryption", kms_key=wants)
    assert (one.state, bool(one.mends)) == (state, mended)


def test_a_policy_of_somebody_else_is_kept_and_added_to(side: Side) -> None:
    theirs = {
        "Sid": "Theirs",
        "Effect": "Allow",
        "Principal": {"AWS": OTHER},
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{BUCKET}/*",
    }
    bucket().put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Id": "kept", "Statement": theirs}))
    side.make()
    assert policy_of() == {"Version": "2012-10-17", "Id": "kept", "Statement": [theirs, tls_statement(BUCKET, "aws")]}
    assert only(side, "policy").state is State.OK


TLS = tls_statement(BUCKET, "aws")


@pytest.mark.parametrize(
    "change",
    [
        {"Effect": "Allow"},
        {"Principal": {"AWS": OTHER}},
        {"Action": "s3:GetObject"},
        {"Resource": [f"arn:aws:s3:::{BUCKET}/*"]},
        {"Condition": {"Bool": {"aws:SecureTransport": "true"}}},
        {"Condition": {"Bool": {"aws:SecureTransport": "false"}, "StringEquals": {"aws:PrincipalAccount": OTHER}}},
        {"NotPrincipal": {"AWS": OTHER}},
    ],
)
def test_a_statement_that_refuses_less_is_not_taken_for_one_that_refuses_all(side: Side, change: dict[str, Any]) -> None:
    bucket().put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": [{**TLS, **change}]}))
    assert only(side, "policy").state is State.MISSING


@pytest.mark.parametrize(
    "change",
    [
        {"Sid": "NamedOtherwise"},
        {"Principal": {"AWS": "*"}},
        {"Action": ["s3:*"]},
        {"Resource": "*"},
        {"Condition": {"Bool": {"aws:SecureTransport": ["false"]}}},
    ],
)
def test_other_spellings_of_the_same_are_known(side: Side, change: dict[str, Any]) -> None:
    bucket().put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": [{**TLS, **change}]}))
    assert only(side, "policy").state is State.OK


def _life(*rules: dict[str, Any]) -> None:
    bucket().put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": list(rules)})


def test_a_life_cycle_of_somebody_else_is_left(side: Side) -> None:
    _life({"ID": "logs", "Filter": {"Prefix": "logs/"}, "Status": "Enabled", "Expiration": {"Days": 5}})
    one = only(side, "life cycle")
    assert (one.state, one.mends) == (State.NOTE, ())


def test_a_life_cycle_that_does_the_same_otherwise_is_enough(side: Side) -> None:
    abort = {"ID": "a", "Filter": {"Prefix": ""}, "Status": "Enabled", "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}}
    _life(abort, {"ID": "b", "Filter": {"Prefix": "unsigned/"}, "Status": "Enabled", "Expiration": {"Days": 365}})
    assert only(side, "life cycle").state is State.OK


@pytest.mark.parametrize("prefix", ["", "signed/", "signed/ab", "sig"])
@pytest.mark.parametrize("how", [{"Expiration": {"Days": 400}}, {"NoncurrentVersionExpiration": {"NoncurrentDays": 30}}])
def test_a_rule_that_removes_what_is_signed_is_told(side: Side, prefix: str, how: dict[str, Any]) -> None:
    """In one year, or as soon as somebody overwrites it."""
    _life(abort_rule(), unsigned_rule(""), {"ID": "sweep", "Filter": {"Prefix": prefix}, "Status": "Enabled", **how})
    said = [check for check in found(side, "life cycle") if "removes what is signed" in check.says]
    assert [check.state for check in said] == [State.MISSING]


@pytest.mark.parametrize(("storage", "told"), [("GLACIER", True), ("DEEP_ARCHIVE", True), ("GLACIER_IR", False), ("STANDARD_IA", False)])
def test_a_rule_that_freezes_what_is_signed_is_told(side: Side, storage: str, told: bool) -> None:  # noqa: FBT001 - a parameter of a table
    """Lambda cannot read what must be restored first."""
    move = {"ID": "m", "Filter": {"Prefix": ""}, "Status": "Enabled", "Transitions": [{"Days": 90, "StorageClass": storage}]}
    _life(abort_rule(), unsigned_rule(""), move)
    assert [check.state for check in found(side, "life cycle")] == [State.MISSING] * told + [State.OK]


def test_a_rule_for_a_tag_is_not_for_what_signer_writes(side: Side) -> None:
    sweep = {"ID": "sweep", "Filter": {"Tag": {"Key": "temporary", "Value": "yes"}}, "Status": "Enabled", "Expiration": {"Days": 1}}
    _life(abort_rule(), unsigned_rule(""), sweep)
    assert only(side, "life cycle").state is State.OK


def test_a_rule_that_is_switched_off_removes_nothing(side: Side) -> None:
    _life(abort_rule(), unsigned_rule(""), {"ID": "sweep", "Filter": {"Prefix": ""}, "Status": "Disabled", "Expiration": {"Days": 1}})
    assert only(side, "life cycle").state is State.OK


def test_one_of_our_rules_that_somebody_switched_off_stays_off(side: Side) -> None:
    _life(abort_rule(), {**unsigned_rule(""), "Status": "Disabled"})
    one = only(side, "life cycle")
    assert (one.state, one.mends) == (State.NOTE, ())


def test_where_unsigned_zips_lie_already_no_rule_is_added_that_would_remove_them(side: Side) -> None:
    bucket().put_object(Bucket=BUCKET, Key="unsigned/of-somebody.zip", Body=b"")
    one = only(side, "life cycle")
    assert (one.state, one.mends) == (State.NOTE, ())
    assert "none is added to what is there" in one.says


def test_a_name_that_is_too_long_once_it_is_filled_in_is_refused_before_any_call(side: Side) -> None:
    with pytest.raises(ConfigError, match="has more than 63 characters"):
        side.look(target(bucket="a" * 50 + "-${AWS::AccountId}-${AWS::Region}"))
    assert {service for service, _, _ in side.calls} == {"sts"}


def test_a_bucket_of_another_account_stops_everything(side: Side) -> None:
    bucket()
    side.endpoint.faults.add(Fault(service="s3", operation="HeadBucket", code="AccessDenied", status=403))  # with ExpectedBucketOwner alone
    [stop] = side.look().stops
    assert (stop.about, stop.state) == ("bucket", State.WRONG)
    assert stop.says == f"Bucket {BUCKET} does not belong to account {ACCOUNT}."
    assert side.changes == []


def test_a_bucket_that_may_not_be_looked_at_stops_everything(side: Side) -> None:
    side.endpoint.faults.add(Fault(service="s3", operation="HeadBucket", code="AccessDenied", status=403, times=2))
    [stop] = side.look().stops
    assert (stop.about, stop.state) == ("bucket", State.UNKNOWN)
    assert stop.remedy.endswith("If the bucket is somebody else's, choose another name: all accounts share them.")


def test_a_name_that_somebody_else_took_meanwhile_is_a_clear_error(side: Side) -> None:
    side.endpoint.faults.add(Fault(service="s3", operation="CreateBucket", code="BucketAlreadyExists", status=409))
    with pytest.raises(IncompleteError, match=rf"Bucket {BUCKET} belongs to somebody else\. Names of buckets are shared by all accounts"):
        side.make()


def test_a_bucket_in_another_region_stops_everything(side: Side) -> None:
    bucket(region="us-east-2")
    [stop] = side.look().stops
    assert stop.says == f"Bucket {BUCKET} is in us-east-2, and the target signs in {REGION}: Signer works in one region."


def test_a_setting_that_may_not_be_looked_at_stops_everything(side: Side) -> None:
    """Nothing is set over something that was not seen."""
    bucket()
    side.endpoint.faults.add(Fault(operation="GetBucketPolicy", code="AccessDenied", status=403))
    [stop] = side.look().stops
    assert (stop.about, stop.state) == ("policy", State.UNKNOWN)
    assert "GetBucketPolicy answered AccessDenied" in stop.says


def test_checks_are_plain_functions_of_a_look(side: Side) -> None:
    """The same look gives the same checks."""
    bucket()
    [look] = side.look().looked.buckets
    first, second = list(bucket_checks(look)), list(bucket_checks(look))
    assert [(one.about, one.state, one.says) for one in first] == [(one.about, one.state, one.says) for one in second]
