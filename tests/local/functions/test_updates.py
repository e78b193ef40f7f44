"""One change at a time, against the revision that the caller knows, and in the time that AWS takes."""

import base64
import hashlib
from typing import Any

import pytest

from tests.local.functions.world import ACCOUNT, OTHER, REGION, Local, zipped

ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:orders"
STALE = (
    "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id"
)
SECOND = zipped({"handler.py": b"def main(*_): return 2\n"})


def test_a_new_function_is_pending_until_its_time_has_come(local: Local) -> None:
    created = local(
        "CreateFunction", FunctionName="orders", Role="arn:aws:iam::111122223333:role/r", Runtime="python3.13", Handler="h.m",
        Code={"ZipFile": zipped()},
    )  # fmt: skip
    assert (created["State"], created["StateReasonCode"], "LastUpdateStatus" in created) == ("Pending", "Creating", False)
    pending = "The operation cannot be performed at this time. The function is currently in the following state: Pending"
    for operation, more in _changes():
        assert local.refused("ResourceConflictException", 409, operation, FunctionName="orders", **more) == pending
    local.settle()
    configured = local.configured()
    assert (configured["State"], configured["LastUpdateStatus"]) == ("Active", "Successful")
    assert "StateReason" not in configured
    assert configured["RevisionId"] != created["RevisionId"]


def _changes() -> list[tuple[str, dict[str, Any]]]:
    return [
        ("UpdateFunctionCode", {"ZipFile": zipped()}),
        ("UpdateFunctionCode", {"ZipFile": zipped(), "DryRun": True}),
        ("UpdateFunctionConfiguration", {"Timeout": 9}),
        ("PublishVersion", {}),
        ("DeleteFunctionCodeSigningConfig", {}),
    ]


def test_while_an_update_is_in_progress_another_is_a_conflict(local: Local) -> None:
    local.create()
    answer = local("UpdateFunctionCode", FunctionName="orders", ZipFile=SECOND)
    assert (answer["State"], answer["LastUpdateStatus"]) == ("Active", "InProgress")
    busy = f"The operation cannot be performed at this time. An update is in progress for resource: {ARN}"
    for operation, more in _changes():
        assert local.refused("ResourceConflictException", 409, operation, FunctionName="orders", **more) == busy
    local.settle()
    settled = local.configured()
    assert settled["LastUpdateStatus"] == "Successful"
    assert settled["RevisionId"] != answer["RevisionId"]
    assert settled["CodeSha256"] == base64.b64encode(hashlib.sha256(SECOND).digest()).decode()


def test_the_length_of_the_windows_can_be_set(local: Local) -> None:
    local.core.configure({"creating": 0, "updating": 0})
    local(
        "CreateFunction",
        FunctionName="orders",
        Role="arn:aws:iam::111122223333:role/r",
        Runtime="python3.13",
        Handler="h.m",
        Code={"ZipFile": zipped()},
    )
    local("UpdateFunctionCode", FunctionName="orders", ZipFile=SECOND)
    local("UpdateFunctionConfiguration", FunctionName="orders", Timeout=9)
    assert local.configured()["Timeout"] == 9


def test_another_revision_is_refused_and_changes_nothing(local: Local) -> None:
    local.create()
    before = local.configured()
    for operation, more in _changes()[:-1]:
        message = local.refused("PreconditionFailedException", 412, operation, FunctionName="orders", RevisionId="stale", **more)
        assert message == STALE
    assert local.configured() == before
    local("UpdateFunctionCode", FunctionName="orders", ZipFile=SECOND, RevisionId=before["RevisionId"])
    local.settle()
    assert (
        local.refused("PreconditionFailedException", 412, "PublishVersion", FunctionName="orders", RevisionId=before["RevisionId"]) == STALE
    )


def test_a_planned_failure_ends_the_next_update(local: Local) -> None:
    local.create()
    local.core.fail_next(ACCOUNT, REGION, "orders", code="InvalidSubnet", reason="The subnet is gone.")
    local("UpdateFunctionConfiguration", FunctionName="orders", Timeout=9)
    local.settle()
    failed = local.configured()
    assert (failed["LastUpdateStatus"], failed["LastUpdateStatusReasonCode"]) == ("Failed", "InvalidSubnet")
    local("UpdateFunctionConfiguration", FunctionName="orders", Timeout=9)
    local.settle()
    assert local.configured()["LastUpdateStatus"] == "Successful"


def test_a_creation_that_failed_leaves_nothing_to_work_with(local: Local) -> None:
    code = {"ZipFile": zipped()}
    local("CreateFunction", FunctionName="orders", Role="arn:aws:iam::111122223333:role/r", Runtime="python3.13", Handler="h.m", Code=code)
    local.core.fail_next(ACCOUNT, REGION, "orders", code="ImageAccessDenied", reason="No.")
    local.settle()
    assert (local.configured()["State"], local.configured()["StateReasonCode"]) == ("Failed", "ImageAccessDenied")
    for operation, more in (*_changes(), ("Invoke", {})):
        message = local.refused("ResourceConflictException", 409, operation, FunctionName="orders", **more)
        assert message.endswith("The function is currently in the following state: Failed")
    local("DeleteFunction", FunctionName="orders")


def test_configuration_is_changed_and_kept_and_unset_as_aws_does(local: Local) -> None:
    local.create(Environment={"Variables": {"TABLE": "orders"}}, Tags={"team": "shop"})
    assert local("GetFunction", FunctionName="orders")["Tags"] == {"team": "shop"}
    local("UpdateFunctionConfiguration", FunctionName="orders", MemorySize=512)
    local.settle()
    assert local.configured()["Environment"] == {"Variables": {"TABLE": "orders"}}
    first = local.configured()["ConfigSha256"]
    local("UpdateFunctionConfiguration", FunctionName="orders", Environment={"Variables": {}}, DeadLetterConfig={"TargetArn": ""})
    local.settle()
    configured = local.configured()
    assert "Environment" not in configured
    assert "DeadLetterConfig" not in configured
    assert (configured["MemorySize"], configured["Timeout"], configured["Architectures"]) == (512, 3, ["x86_64"])
    assert configured["ConfigSha256"] != first


def test_an_object_version_is_honoured_exactly(local: Local) -> None:
    first = local.objects.put("code", "orders.zip", zipped())
    second = local.objects.put("code", "orders.zip", SECOND)
    local.create()
    for version, body in ((first, zipped()), (second, SECOND), (None, SECOND)):
        given = {"S3ObjectVersion": version} if version else {}
        answer = local("UpdateFunctionCode", FunctionName="orders", S3Bucket="code", S3Key="orders.zip", **given)
        assert answer["CodeSha256"] == base64.b64encode(hashlib.sha256(body).digest()).decode()
        local.settle()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"S3Bucket": "code", "S3Key": "orders.zip", "S3ObjectVersion": "bogus"}, "S3 Error Code: NoSuchVersion"),
        ({"S3Bucket": "code", "S3Key": "none.zip"}, "S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist."),
        (
            {"S3Bucket": "nowhere", "S3Key": "orders.zip"},
            "S3 Error Code: NoSuchBucket. S3 Error Message: The specified bucket does not exist",
        ),
        (
            {"S3Bucket": "far", "S3Key": "orders.zip"},
            "The bucket is in this region: us-west-2. Please use this region to retry the request",
        ),
        ({"S3Bucket": "code"}, "Please provide a source for function code."),
        ({}, "Please provide a source for function code."),
        (
            {"ZipFile": zipped(), "S3Bucket": "code", "S3Key": "k"},
            "Please do not provide other FunctionCode parameters when providing a ZipFile.",
        ),
        ({"ZipFile": b"nonsense"}, "Could not unzip uploaded file. Please check your file, then try to upload again."),
        ({"ZipFile": zipped({})}, "Uploaded file must be a non-empty zip"),
        ({"ZipFile": b""}, "Uploaded file must be a non-empty zip"),
        ({"S3Bucket": "nowhere", "S3Key": "k", "S3ObjectVersion": "v", "S3ObjectStorageMode": "REFERENCE"}, "S3 Error Code: NoSuchBucket."),
    ],
)
def test_code_that_cannot_be_had_is_refused_in_aws_words(local: Local, source: dict[str, Any], message: str) -> None:
    local.objects.put("code", "orders.zip", zipped())
    local.objects.put("far", "orders.zip", zipped())
    local.create()
    before = local.configured()
    assert message in local.refused("InvalidParameterValueException", 400, "UpdateFunctionCode", FunctionName="orders", **source)
    assert local.configured() == before


def test_code_that_stays_in_its_bucket_is_named_by_its_version(local: Local) -> None:
    version = local.objects.put("code", "orders.zip", zipped())
    local.objects.put("plain", "orders.zip", zipped())
    local.create()
    where = {"S3Bucket": "code", "S3Key": "orders.zip", "S3ObjectVersion": version}
    local("UpdateFunctionCode", FunctionName="orders", S3ObjectStorageMode="REFERENCE", **where)
    local.settle()
    assert local("GetFunction", FunctionName="orders")["Code"]["ResolvedS3Object"] == where
    for bad in ({**where, "S3Bucket": "plain"}, {"S3Bucket": "code", "S3Key": "orders.zip"}):
        local.refused(
            "InvalidParameterValueException", 400, "UpdateFunctionCode", FunctionName="orders", S3ObjectStorageMode="REFERENCE", **bad
        )


def test_a_function_is_named_in_many_ways(local: Local) -> None:
    local.create()
    for name in ("orders", ARN, f"{ACCOUNT}:function:orders", f"{ACCOUNT}:orders", "function:orders"):
        assert local("GetFunction", FunctionName=name)["Configuration"]["FunctionArn"] == ARN
    assert local.configured(f"{ARN}:$LATEST")["FunctionArn"] == f"{ARN}:$LATEST"
    local.refused("ResourceNotFoundException", 404, "GetFunction", FunctionName=ARN, region="us-east-1")
    local.refused("AccessDeniedException", 403, "GetFunction", FunctionName=ARN, account=OTHER)
    assert local.refused("ResourceNotFoundException", 404, "GetFunction", FunctionName="nobody") == f"Function not found: {ARN[:-6]}nobody"
    local.refused("InvalidParameterValueException", 400, "GetFunction", FunctionName="orders:1", Qualifier="2")
    local.refused("InvalidParameterValueException", 400, "UpdateFunctionCode", FunctionName="orders:1", ZipFile=zipped())


def test_accounts_and_regions_do_not_see_each_other(local: Local) -> None:
    local.create()
    places: tuple[dict[str, Any], ...] = ({"account": OTHER}, {"region": "us-east-1"})
    for place in places:
        assert local("ListFunctions", **place)["Functions"] == []
        local.refused("ResourceNotFoundException", 404, "GetFunction", FunctionName="orders", **place)
        local.create(**place)
    local("DeleteFunction", FunctionName="orders", account=OTHER)
    assert len(local("ListFunctions")["Functions"]) == 1
    assert local("ListFunctions", account=OTHER)["Functions"] == []


def test_a_function_exists_once_and_is_gone_when_deleted(local: Local) -> None:
    local.create()
    exists = local.refused(
        "ResourceConflictException",
        409,
        "CreateFunction",
        FunctionName="orders",
        Role="arn:aws:iam::111122223333:role/r",
        Code={"ZipFile": zipped()},
    )
    assert exists == "Function already exist: orders"
    assert local("DeleteFunction", FunctionName="orders") == {"StatusCode": 204}
    local.refused("ResourceNotFoundException", 404, "DeleteFunction", FunctionName="orders")


def test_functions_are_listed_in_pages(local: Local) -> None:
    for number in range(5):
        local.create(f"f{number}")
    names, marker = [], None
    while True:
        answer = local("ListFunctions", MaxItems=2, **({"Marker": marker} if marker else {}))
        names += [item["FunctionName"] for item in answer["Functions"]]
        assert all("State" not in item for item in answer["Functions"])
        marker = answer.get("NextMarker")
        if marker is None:
            break
    assert names == [f"f{number}" for number in range(5)]
    local.refused("InvalidParameterValueException", 400, "ListFunctions", Marker="bogus")
    local("PublishVersion", FunctionName="f0")
    assert [item["Version"] for item in local("ListFunctions", FunctionVersion="ALL")["Functions"]][:2] == ["$LATEST", "1"]
