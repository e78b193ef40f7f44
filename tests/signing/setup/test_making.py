"""From nothing, from the middle, and from everything."""

from dataclasses import replace

import pytest

from shipsafe.adapters.aws.bucket_settings import NAMES, read_settings
from shipsafe.adapters.aws.session import Place
from shipsafe.errors import ConfigError, ExitCode, IncompleteError
from shipsafe.flows.bootstrap import carry_out
from shipsafe.local.faults import Fault
from shipsafe.signing.setup.check import State
from shipsafe.signing.setup.wanted import bucket_settings
from tests.local_endpoint import ACCOUNT, REGION, client
from tests.signing.setup.side import BUCKET, TARGET, Side, about, target


def test_what_is_made_is_what_is_wanted_and_a_second_run_changes_nothing(side: Side) -> None:
    after = side.make()
    assert {check.state for check in after.checks} == {State.OK}
    assert after.exit_code is ExitCode.PASS
    found = read_settings(side.connect(Place(region=REGION)), BUCKET)
    assert found.refused == {}
    wanted = bucket_settings(BUCKET, partition="aws", prefixes=[""], kms_key=None)
    assert set(wanted) == set(NAMES)
    assert found.values["encryption"].pop("BucketKeyEnabled") is False  # S3 says so of a rule that says nothing
    assert dict(found.values) == wanted
    changes = len(side.changes)
    again = side.look()
    assert again.mends == ()
    assert len(side.changes) == changes


def test_it_ends_with_what_the_policy_may_pin(side: Side) -> None:
    """And pinned so, all is still well."""
    side.make()
    now = side.standing()
    assert now.bucket == f"arn:aws:s3:::{BUCKET}"
    assert now.profile is not None
    assert now.configuration is not None
    pinned = target(profile_version=now.profile.rpartition("/")[2], code_signing_config=now.configuration)
    found = side.look(pinned)
    assert {check.state for check in found.checks} == {State.OK}
    assert side.standing(pinned) == replace(now, target=pinned)


def test_the_configuration_trusts_the_profile_alone_and_enforces(side: Side) -> None:
    side.make()
    now = side.standing()
    [one] = client("lambda").list_code_signing_configs()["CodeSigningConfigs"]
    assert one["AllowedPublishers"] == {"SigningProfileVersionArns": [now.profile]}
    assert one["CodeSigningPolicies"] == {"UntrustedArtifactOnDeployment": "Enforce"}


def test_a_run_that_ends_anywhere_is_continued(side: Side) -> None:
    """After each number of changes the next run makes the rest, and nothing twice."""
    count = len(side.look().mends)
    assert count == 9
    for done in range(count):
        one = target(bucket=f"cut-{done}", profile=f"cut_{done}")
        for _, mend in side.look(one).mends[:done]:
            mend.act()
        side.calls.clear()
        after = side.make(one)
        assert len(side.changes) == count - done
        assert {check.state for check in after.checks} == {State.OK}
    assert len(client("lambda").list_code_signing_configs()["CodeSigningConfigs"]) == count


@pytest.mark.parametrize("operation", ["CreateBucket", "PutBucketPolicy", "PutSigningProfile"])
def test_a_change_whose_answer_was_lost_is_not_an_error(side: Side, operation: str) -> None:
    """botocore makes the call again, and is told that it is there already."""
    side.endpoint.faults.add(Fault(operation=operation, kind="reset", when="after"))
    after = side.make()
    assert side.endpoint.faults.waiting() == []
    assert {check.state for check in after.checks} == {State.OK}


def test_a_bucket_that_is_not_known_everywhere_yet_is_waited_for(side: Side) -> None:
    side.endpoint.faults.add(Fault(operation="PutPublicAccessBlock", code="NoSuchBucket", status=404, times=2))
    pauses: list[float] = []
    side.make(sleep=pauses.append)
    assert pauses == [1.0, 2.0]


@pytest.mark.parametrize(("operation", "code"), [("GetBucketPolicy", "NoSuchBucketPolicy"), ("GetBucketVersioning", "NoSuchBucket")])
def test_a_change_that_is_shown_only_after_a_while_is_waited_for(side: Side, operation: str, code: str) -> None:
    """S3 tells of settings, and of buckets, a moment late; a run in a pipeline must not end red for that."""
    side.endpoint.faults.add(Fault(operation=operation, code=code, status=404, times=2))
    pauses: list[float] = []
    after = side.make(sleep=pauses.append)
    assert pauses == [1.0, 2.0]
    assert {check.state for check in after.checks} == {State.OK}


def test_it_is_not_waited_for_for_ever(side: Side) -> None:
    side.endpoint.faults.add(Fault(operation="PutPublicAccessBlock", code="NoSuchBucket", status=404, times=0))
    with pytest.raises(IncompleteError, match="NoSuchBucket"):
        side.make()


def test_a_change_that_is_refused_ends_the_run_and_the_next_one_goes_on(side: Side) -> None:
    side.endpoint.faults.add(Fault(operation="PutSigningProfile", code="AccessDeniedException", status=403))
    with pytest.raises(IncompleteError, match="PutSigningProfile answered AccessDeniedException"):
        side.make()
    side.calls.clear()
    side.make()
    assert side.changes == ["PutSigningProfile", "CreateCodeSigningConfig"]


def test_us_east_1_takes_no_location_constraint(side: Side) -> None:
    """S3 refuses the one region that is the default."""
    side.make(target(region="us-east-1"))
    [created] = [parameters for _, operation, parameters in side.calls if operation == "CreateBucket"]
    assert "CreateBucketConfiguration" not in created


def test_a_key_of_kms_is_the_default_with_a_bucket_key(side: Side) -> None:
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0123"
    side.make(target(kms_key=key))
    rule = client("s3").get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule == {
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key},
        "BucketKeyEnabled": True,
    }


def test_targets_that_share_a_bucket_and_a_profile_share_what_is_made(side: Side) -> None:
    after = side.make(target(name="one", prefix="a/"), target(name="two", prefix="b/"))
    assert side.changes.count("CreateBucket") == 1
    assert side.changes.count("PutSigningProfile") == 1
    assert side.changes.count("CreateCodeSigningConfig") == 1
    rules = client("s3").get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"]
    assert [rule["Filter"]["Prefix"] for rule in rules] == ["", "a/unsigned/", "b/unsigned/"]
    assert about(after.checks, "profile")[0].targets == ("one", "two")


def test_a_target_that_is_added_later_gets_its_rule(side: Side) -> None:
    side.make(target(name="one", prefix="a/"))
    side.calls.clear()
    side.make(target(name="one", prefix="a/"), target(name="two", prefix="b/"))
    assert side.changes == ["PutBucketLifecycleConfiguration"]
    rules = client("s3").get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"]
    assert [rule["Filter"]["Prefix"] for rule in rules] == ["", "a/unsigned/", "b/unsigned/"]


def test_one_bucket_with_two_keys_is_refused(side: Side) -> None:
    with pytest.raises(ConfigError, match=r"want bucket .* with different keys"):
        side.look(TARGET, target(name="two", kms_key="alias/two"))


def test_without_a_configuration_none_is_made_and_none_is_missed(side: Side) -> None:
    found = side.look(unnamed=False)
    after = carry_out(found, say=side.lines.append, sleep=lambda _seconds: None, unnamed=False)
    assert "CreateCodeSigningConfig" not in side.changes
    assert after.exit_code is ExitCode.PASS


def test_what_aws_takes_and_does_not_show_is_said(side: Side) -> None:
    """A change that had no effect is no success."""
    found = side.look()
    idle = tuple(replace(check, mends=tuple(replace(mend, act=lambda: None) for mend in check.mends)) for check in found.checks)
    with pytest.raises(IncompleteError, match="does not show all of them"):
        carry_out(replace(found, checks=idle), say=side.lines.append, sleep=lambda _seconds: None)
