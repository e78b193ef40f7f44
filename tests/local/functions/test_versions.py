"""Published versions never change; aliases lead to one or two of them."""

from typing import Any

import pytest

from tests.local.functions.world import ACCOUNT, REGION, Local, zipped

ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:orders"
STALE = (
    "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id"
)


def code(number: int) -> bytes:
    return zipped({"handler.py": f"def main(*_): return {number}\n".encode()})


def publish(local: Local, number: int | None = None, **more: Any) -> dict[str, Any]:
    if number is not None:
        local("UpdateFunctionCode", FunctionName="orders", ZipFile=code(number))
        local.settle()
    answer = local("PublishVersion", FunctionName="orders", **more)
    local.settle()
    return answer


def test_a_version_stays_what_it_was(local: Local) -> None:
    local.create(code=code(1))
    first = publish(local)
    assert (first["Version"], first["FunctionArn"], first["State"]) == ("1", f"{ARN}:1", "Pending")
    before = local.configured(Qualifier="1")
    assert before["State"] == "Active"
    assert before["RevisionId"] == first["RevisionId"], "becoming active does not change a version's revision"
    local("UpdateFunctionConfiguration", FunctionName="orders", Timeout=9)
    local.settle()
    second = publish(local, 2)
    assert (second["Version"], second["Timeout"]) == ("2", 9)
    assert local.configured(Qualifier="1") == before
    assert [item["Version"] for item in local("ListVersionsByFunction", FunctionName="orders")["Versions"]] == ["$LATEST", "1", "2"]


def test_nothing_new_gives_the_version_that_there_is(local: Local) -> None:
    local.create()
    first = publish(local, Description="first")
    latest = local.configured()["RevisionId"]
    again = publish(local, Description="another")
    assert (again["Version"], again["Description"], again["RevisionId"]) == ("1", "first", first["RevisionId"])
    assert local.configured()["RevisionId"] == latest
    assert local.configured()["Description"] == ""


def test_publishing_changes_the_revision_of_latest_and_creating_an_alias_does_not(local: Local) -> None:
    local.create()
    before = local.configured()["RevisionId"]
    version = publish(local, RevisionId=before)
    after = local.configured()["RevisionId"]
    assert len({before, version["RevisionId"], after}) == 3
    local("CreateAlias", FunctionName="orders", Name="live", FunctionVersion="1")
    assert local.configured()["RevisionId"] == after


def test_publishing_is_guarded_by_the_digest_of_the_code(local: Local) -> None:
    have = local.create()["CodeSha256"]
    message = local.refused("InvalidParameterValueException", 400, "PublishVersion", FunctionName="orders", CodeSha256="AAAA")
    assert message == (
        f"CodeSHA256 (AAAA) is different from current CodeSHA256 in $LATEST ({have}). Please try again with the CodeSHA256 in $LATEST."
    )
    assert publish(local, CodeSha256=have)["Version"] == "1"


def test_publish_in_the_same_call(local: Local) -> None:
    assert local.create(code=code(1), Publish=True)["Version"] == "1"
    answer = local("UpdateFunctionCode", FunctionName="orders", ZipFile=code(2), Publish=True)
    assert (answer["Version"], answer["FunctionArn"]) == ("2", f"{ARN}:2")
    local.settle()
    assert local.configured(Qualifier="2")["State"] == "Active"


def test_numbers_are_not_used_again_and_a_version_in_use_stays(local: Local) -> None:
    local.create(code=code(1))
    publish(local)
    publish(local, 2)
    local("CreateAlias", FunctionName="orders", Name="live", FunctionVersion="1")
    message = local.refused("ResourceConflictException", 409, "DeleteFunction", FunctionName="orders", Qualifier="1")
    assert message.endswith("was unable to be deleted due to following aliases referencing it: [live]")
    local("PutFunctionEventInvokeConfig", FunctionName="orders:2", MaximumRetryAttempts=0)
    local("DeleteFunction", FunctionName="orders:2")
    assert local("ListFunctionEventInvokeConfigs", FunctionName="orders")["FunctionEventInvokeConfigs"] == []
    local.refused("ResourceNotFoundException", 404, "GetFunctionConfiguration", FunctionName="orders", Qualifier="2")
    assert publish(local, 3)["Version"] == "3"
    local.refused("InvalidParameterValueException", 400, "DeleteFunction", FunctionName="orders", Qualifier="$LATEST")
    local.refused("InvalidParameterValueException", 400, "DeleteFunction", FunctionName="orders", Qualifier="live")


@pytest.fixture
def two(local: Local) -> Local:
    """A function with two versions."""
    local.create(code=code(1))
    publish(local)
    publish(local, 2)
    return local


def test_an_alias_leads_to_a_version_and_shows_itself_in_the_arn(two: Local) -> None:
    made = two("CreateAlias", FunctionName="orders", Name="live", FunctionVersion="1", Description="d")
    assert made == {
        "AliasArn": f"{ARN}:live", "Name": "live", "FunctionVersion": "1", "Description": "d", "RevisionId": made["RevisionId"],
    }  # fmt: skip
    configured = two.configured("orders:live")
    assert (configured["Version"], configured["FunctionArn"]) == ("1", f"{ARN}:live")
    message = two.refused("ResourceConflictException", 409, "CreateAlias", FunctionName="orders", Name="live", FunctionVersion="2")
    assert message == f"Alias already exists: {ARN}:live"
    message = two.refused("ResourceNotFoundException", 404, "GetAlias", FunctionName="orders", Name="none")
    assert message == f"Cannot find alias arn: {ARN}:none"
    two.refused("ResourceNotFoundException", 404, "CreateAlias", FunctionName="orders", Name="x", FunctionVersion="9")
    two.refused("ValidationException", 400, "CreateAlias", FunctionName="orders", Name="12", FunctionVersion="1")
    two("CreateAlias", FunctionName="orders", Name="dev", FunctionVersion="$LATEST")
    assert [alias["Name"] for alias in two("ListAliases", FunctionName="orders")["Aliases"]] == ["dev", "live"]
    assert [alias["Name"] for alias in two("ListAliases", FunctionName="orders", FunctionVersion="1")["Aliases"]] == ["live"]
    two("DeleteAlias", FunctionName="orders", Name="dev")
    two("DeleteAlias", FunctionName="orders", Name="dev")


@pytest.mark.parametrize(
    ("code_", "version", "weights", "message"),
    [
        (
            "InvalidParameterValueException",
            "1",
            {"2": 0.1, "3": 0.1},
            "Number of items in AdditionalVersionWeights cannot be greater than 1",
        ),
        ("InvalidParameterValueException", "$LATEST", {"2": 0.1}, "$LATEST is not supported for an alias pointing to more than 1 version"),
        ("ValidationException", "1", {"$LATEST": 0.1}, "failed to satisfy constraint"),
        ("InvalidParameterValueException", "1", {"1": 0.1}, "Function version 1 is already included in routing configuration."),
        ("ResourceNotFoundException", "1", {"9": 0.1}, f"Function not found: {ARN}:9"),
        ("ValidationException", "1", {"2": 1.5}, "less than or equal to 1"),
    ],
)
def test_weights_that_cannot_be(two: Local, code_: str, version: str, weights: dict[str, float], message: str) -> None:
    status = 404 if code_ == "ResourceNotFoundException" else 400
    parameters: dict[str, Any] = {"FunctionName": "orders", "Name": "live", "RoutingConfig": {"AdditionalVersionWeights": weights}}
    assert message in two.refused(code_, status, "CreateAlias", FunctionVersion=version, **parameters)
    assert two("ListAliases", FunctionName="orders")["Aliases"] == []


def test_a_canary_is_moved_by_its_revision(two: Local) -> None:
    made = two("CreateAlias", FunctionName="orders", Name="live", FunctionVersion="1")
    canary = two(
        "UpdateAlias",
        FunctionName="orders",
        Name="live",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.1}},
        RevisionId=made["RevisionId"],
    )
    assert canary["RoutingConfig"] == {"AdditionalVersionWeights": {"2": 0.1}}
    assert canary["RevisionId"] != made["RevisionId"]
    message = two.refused(
        "PreconditionFailedException",
        412,
        "UpdateAlias",
        FunctionName="orders",
        Name="live",
        FunctionVersion="2",
        RevisionId=made["RevisionId"],
    )
    assert message == STALE
    kept = two("UpdateAlias", FunctionName="orders", Name="live", Description="still")
    assert kept["RoutingConfig"] == {"AdditionalVersionWeights": {"2": 0.1}}
    done = two("UpdateAlias", FunctionName="orders", Name="live", FunctionVersion="2", RoutingConfig={}, RevisionId=kept["RevisionId"])
    assert "RoutingConfig" not in done
    assert two("GetAlias", FunctionName="orders", Name="live") == done


def test_both_versions_of_an_alias_have_one_role(two: Local) -> None:
    two("UpdateFunctionConfiguration", FunctionName="orders", Role=f"arn:aws:iam::{ACCOUNT}:role/other")
    two.settle()
    publish(two)
    message = two.refused(
        "InvalidParameterValueException", 400, "CreateAlias",
        FunctionName="orders", Name="live", FunctionVersion="1", RoutingConfig={"AdditionalVersionWeights": {"3": 0.5}},
    )  # fmt: skip
    assert "the same execution role" in message


def test_invoke_follows_the_weights_and_answers_what_was_set(two: Local) -> None:
    draws = iter([0.05, 0.5])
    local = Local(two.root, chance=lambda: next(draws))
    local.create(code=code(1))
    publish(local)
    publish(local, 2)
    local("CreateAlias", FunctionName="orders", Name="live", FunctionVersion="1", RoutingConfig={"AdditionalVersionWeights": {"2": 0.1}})
    assert "no answer was set" in local.refused("NotImplemented", 501, "Invoke", FunctionName="orders:1")
    local.core.set_answer(ACCOUNT, REGION, "orders", payload=b'"ok"', log="END")
    local.core.set_answer(ACCOUNT, REGION, "orders", version="2", payload=b'{"errorMessage":"no"}', error="Unhandled")
    canary = local("Invoke", FunctionName="orders", Qualifier="live", Payload=b"{}")
    assert canary == {"StatusCode": 200, "ExecutedVersion": "2", "Payload": b'{"errorMessage":"no"}', "FunctionError": "Unhandled"}
    stable = local("Invoke", FunctionName="orders:live", LogType="Tail")
    assert stable == {"StatusCode": 200, "ExecutedVersion": "1", "Payload": b'"ok"', "LogResult": "RU5E"}
    assert local("Invoke", FunctionName="orders", InvocationType="Event")["StatusCode"] == 202
    assert local("Invoke", FunctionName="orders", InvocationType="DryRun")["StatusCode"] == 204
    assert [(one["version"], one["error"]) for one in local.core.invocations()] == [("2", "Unhandled"), ("1", ""), ("$LATEST", "")]
    canary_errors = ("Errors", 1.0, {"FunctionName": "orders", "Resource": "orders:live", "ExecutedVersion": "2"})
    assert canary_errors in local.metrics
    assert [value for name, value, dimensions in local.metrics if name == "Invocations" and len(dimensions) == 1] == [1.0] * 3
    large = bytes(1_048_577)
    local.refused("RequestTooLargeException", 413, "Invoke", FunctionName="orders", InvocationType="Event", Payload=large)
    assert local("Invoke", FunctionName="orders", Payload=large)["StatusCode"] == 200
    local("PutFunctionConcurrency", FunctionName="orders", ReservedConcurrentExecutions=0)
    assert local.refused("TooManyRequestsException", 429, "Invoke", FunctionName="orders") == "Rate Exceeded."
