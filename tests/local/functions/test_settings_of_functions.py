"""What hangs on a function: policies, URLs, concurrency, retries, event sources, runtimes."""

import json
from datetime import datetime
from typing import Any

import pytest

from tests.local.functions.world import ACCOUNT, REGION, Local, zipped

ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:orders"


@pytest.fixture
def local(local: Local) -> Local:
    """A function with a version and an alias."""
    local.create()
    local("PublishVersion", FunctionName="orders")
    local("CreateAlias", FunctionName="orders", Name="live", FunctionVersion="1")
    local.settle()
    return local


def test_a_policy_has_the_revision_of_what_it_is_on(local: Local) -> None:
    before = local.configured()["RevisionId"]
    s3 = {"FunctionName": "orders", "StatementId": "s3", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}
    message = local.refused("PreconditionFailedException", 412, "AddPermission", **s3, RevisionId="wrong")
    assert message.endswith("Call the GetPolicy API to retrieve the latest Revision Id")
    answer = local("AddPermission", **s3, SourceArn="arn:aws:s3:::bucket", SourceAccount=ACCOUNT, RevisionId=before)
    assert json.loads(answer["Statement"]) == {
        "Sid": "s3",
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": ARN,
        "Condition": {"StringEquals": {"AWS:SourceAccount": ACCOUNT}, "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::bucket"}},
    }
    policy = local("GetPolicy", FunctionName="orders")
    assert policy["RevisionId"] == local.configured()["RevisionId"] != before
    assert [one["Sid"] for one in json.loads(policy["Policy"])["Statement"]] == ["s3"]
    assert "already exists" in local.refused("ResourceConflictException", 409, "AddPermission", **s3)
    local.refused("ResourceNotFoundException", 404, "RemovePermission", FunctionName="orders", StatementId="none")
    local.refused("PreconditionFailedException", 412, "RemovePermission", FunctionName="orders", StatementId="s3", RevisionId=before)
    local("RemovePermission", FunctionName="orders", StatementId="s3", RevisionId=policy["RevisionId"])
    assert (
        local.refused("ResourceNotFoundException", 404, "GetPolicy", FunctionName="orders")
        == "No policy is associated with the given resource."
    )


def test_policies_of_versions_and_aliases_are_their_own(local: Local) -> None:
    given = {"FunctionName": "orders", "StatementId": "all", "Action": "lambda:InvokeFunctionUrl", "Principal": "*"}
    local("AddPermission", **given, Qualifier="live", FunctionUrlAuthType="NONE")
    statement = json.loads(local("GetPolicy", FunctionName="orders:live")["Policy"])["Statement"][0]
    assert (statement["Resource"], statement["Principal"]) == (f"{ARN}:live", "*")
    assert statement["Condition"] == {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}}
    for qualifier in ("1", None):
        more = {"Qualifier": qualifier} if qualifier else {}
        local.refused("ResourceNotFoundException", 404, "GetPolicy", FunctionName="orders", **more)
    local.refused("InvalidParameterValueException", 400, "AddPermission", **given, Qualifier="$LATEST")


def test_a_url_is_configured_once_for_the_function_and_for_an_alias(local: Local) -> None:
    made = local("CreateFunctionUrlConfig", FunctionName="orders", AuthType="NONE")
    assert made["FunctionUrl"].endswith(f".lambda-url.{REGION}.on.aws/")
    message = local.refused("ResourceConflictException", 409, "CreateFunctionUrlConfig", FunctionName="orders", AuthType="NONE")
    assert message.startswith(f"Failed to create function url config for [functionArn = {ARN}]. Error message:  FunctionUrlConfig exists")
    local("CreateFunctionUrlConfig", FunctionName="orders", AuthType="AWS_IAM", Qualifier="live", Cors={"AllowOrigins": ["*"]})
    assert local("UpdateFunctionUrlConfig", FunctionName="orders", AuthType="AWS_IAM")["AuthType"] == "AWS_IAM"
    assert local("GetFunctionUrlConfig", FunctionName="orders")["AuthType"] == "AWS_IAM"
    assert len(local("ListFunctionUrlConfigs", FunctionName="orders")["FunctionUrlConfigs"]) == 2
    local("DeleteFunctionUrlConfig", FunctionName="orders")
    local.refused("ResourceNotFoundException", 404, "GetFunctionUrlConfig", FunctionName="orders")
    local.refused("ResourceNotFoundException", 404, "DeleteFunctionUrlConfig", FunctionName="orders")


def test_concurrency_is_reserved_within_what_the_account_has(local: Local) -> None:
    assert local("GetFunctionConcurrency", FunctionName="orders") == {}
    local("PutFunctionConcurrency", FunctionName="orders", ReservedConcurrentExecutions=900)
    assert local("GetFunction", FunctionName="orders")["Concurrency"] == {"ReservedConcurrentExecutions": 900}
    message = local.refused(
        "InvalidParameterValueException", 400, "PutFunctionConcurrency", FunctionName="orders", ReservedConcurrentExecutions=901
    )
    assert message.endswith("below its minimum value of [100].")
    local("DeleteFunctionConcurrency", FunctionName="orders")
    assert local("GetFunctionConcurrency", FunctionName="orders") == {}


def test_provisioned_concurrency_is_of_versions_and_aliases(local: Local) -> None:
    given: dict[str, Any] = {"FunctionName": "orders", "Qualifier": "live"}
    code = "ProvisionedConcurrencyConfigNotFoundException"
    assert (
        local.refused(code, 404, "GetProvisionedConcurrencyConfig", **given) == "No Provisioned Concurrency Config found for this function"
    )
    assert local("PutProvisionedConcurrencyConfig", **given, ProvisionedConcurrentExecutions=5)["Status"] == "IN_PROGRESS"
    local.settle()
    assert local("GetProvisionedConcurrencyConfig", **given)["Status"] == "READY"
    listed = local("ListProvisionedConcurrencyConfigs", FunctionName="orders")["ProvisionedConcurrencyConfigs"]
    assert [one["FunctionArn"] for one in listed] == [f"{ARN}:live"]
    local("DeleteProvisionedConcurrencyConfig", **given)
    local.refused(code, 404, "GetProvisionedConcurrencyConfig", **given)
    latest = {"FunctionName": "orders", "Qualifier": "$LATEST", "ProvisionedConcurrentExecutions": 1}
    local.refused("InvalidParameterValueException", 400, "PutProvisionedConcurrencyConfig", **latest)


def test_asynchronous_invocation_is_configured_per_qualifier(local: Local) -> None:
    message = local.refused("ResourceNotFoundException", 404, "GetFunctionEventInvokeConfig", FunctionName="orders")
    assert message == f"The function {ARN}:$LATEST doesn't have an EventInvokeConfig"
    local("PutFunctionEventInvokeConfig", FunctionName="orders", MaximumRetryAttempts=1)
    local("PutFunctionEventInvokeConfig", FunctionName="orders:live", MaximumEventAgeInSeconds=60)
    answer = local("UpdateFunctionEventInvokeConfig", FunctionName="orders", MaximumEventAgeInSeconds=120)
    assert (answer["MaximumRetryAttempts"], answer["MaximumEventAgeInSeconds"]) == (1, 120)
    assert isinstance(answer["LastModified"], datetime)
    listed = local("ListFunctionEventInvokeConfigs", FunctionName="orders")["FunctionEventInvokeConfigs"]
    assert [one["FunctionArn"] for one in listed] == [f"{ARN}:$LATEST", f"{ARN}:live"]
    local("DeleteFunctionEventInvokeConfig", FunctionName="orders")
    local.refused("ResourceNotFoundException", 404, "DeleteFunctionEventInvokeConfig", FunctionName="orders")
    local.refused("InvalidParameterValueException", 400, "PutFunctionEventInvokeConfig", FunctionName="orders")


def test_event_source_mappings_are_kept(local: Local) -> None:
    queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:queue"
    made = local("CreateEventSourceMapping", FunctionName="orders:live", EventSourceArn=queue, Tags={"a": "b"})
    assert (made["State"], made["BatchSize"], made["FunctionArn"]) == ("Enabled", 10, f"{ARN}:live")
    assert "already exists" in local.refused(
        "ResourceConflictException", 409, "CreateEventSourceMapping", FunctionName="orders:live", EventSourceArn=queue
    )
    assert local("ListTags", Resource=made["EventSourceMappingArn"]) == {"Tags": {"a": "b"}}
    changed = local("UpdateEventSourceMapping", UUID=made["UUID"], Enabled=False, BatchSize=5)
    assert (changed["State"], changed["BatchSize"]) == ("Disabled", 5)
    stream = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/s"
    at = local.clock.now()
    local(
        "CreateEventSourceMapping",
        FunctionName="orders",
        EventSourceArn=stream,
        StartingPosition="AT_TIMESTAMP",
        StartingPositionTimestamp=at,
    )
    assert len(local("ListEventSourceMappings")["EventSourceMappings"]) == 2
    assert [one["UUID"] for one in local("ListEventSourceMappings", FunctionName="orders:live")["EventSourceMappings"]] == [made["UUID"]]
    json.dumps(local.core.snapshot())
    assert local("DeleteEventSourceMapping", UUID=made["UUID"])["State"] == "Deleting"
    local.refused("ResourceNotFoundException", 404, "GetEventSourceMapping", UUID=made["UUID"])


def test_runtimes_and_recursion_are_kept(local: Local) -> None:
    assert local("GetRuntimeManagementConfig", FunctionName="orders")["UpdateRuntimeOn"] == "Auto"
    local("PutRuntimeManagementConfig", FunctionName="orders", UpdateRuntimeOn="FunctionUpdate")
    assert local("GetRuntimeManagementConfig", FunctionName="orders")["UpdateRuntimeOn"] == "FunctionUpdate"
    runtime = local.configured()["RuntimeVersionConfig"]["RuntimeVersionArn"]
    pinned = local("PutRuntimeManagementConfig", FunctionName="orders", UpdateRuntimeOn="Manual", RuntimeVersionArn=runtime)
    assert pinned["RuntimeVersionArn"] == runtime
    local.refused("InvalidParameterValueException", 400, "PutRuntimeManagementConfig", FunctionName="orders", UpdateRuntimeOn="Manual")
    assert local("GetFunctionRecursionConfig", FunctionName="orders") == {"RecursiveLoop": "Terminate"}
    local("PutFunctionRecursionConfig", FunctionName="orders", RecursiveLoop="Allow")
    assert local("GetFunctionRecursionConfig", FunctionName="orders") == {"RecursiveLoop": "Allow"}


def test_deleting_an_alias_takes_with_it_what_hung_on_it(local: Local) -> None:
    given = {"FunctionName": "orders", "Qualifier": "live"}
    local("AddPermission", **given, StatementId="x", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com")
    local("DeleteAlias", FunctionName="orders", Name="live")
    local("CreateAlias", FunctionName="orders", Name="live", FunctionVersion="1")
    local.refused("ResourceNotFoundException", 404, "GetPolicy", **given)


def test_deployed_code_can_be_had_again(local: Local) -> None:
    location = local("GetFunction", FunctionName="orders")["Code"]["Location"]
    assert local.blobs.get(location.removeprefix("local:")) == zipped()
