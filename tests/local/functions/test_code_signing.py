"""Code-signing configurations, with what surprises on AWS."""

import re

import pytest

from tests.local.functions.world import ACCOUNT, PROFILE, REGION, STRANGER, Local, zipped


def test_warn_is_the_default_and_unknown_publishers_are_accepted(local: Local) -> None:
    elsewhere = "arn:aws:signer:us-west-2:999999999999:/signing-profiles/nobody/aaaaaaaaaa"
    made = local("CreateCodeSigningConfig", AllowedPublishers={"SigningProfileVersionArns": [elsewhere]}, Description="d")[
        "CodeSigningConfig"
    ]
    assert made["CodeSigningPolicies"] == {"UntrustedArtifactOnDeployment": "Warn"}
    assert re.fullmatch(rf"arn:aws:lambda:{REGION}:{ACCOUNT}:code-signing-config:csc-[a-z0-9]{{17}}", made["CodeSigningConfigArn"])
    assert local("GetCodeSigningConfig", CodeSigningConfigArn=made["CodeSigningConfigArn"])["CodeSigningConfig"] == made


@pytest.mark.parametrize(
    "publishers",
    [
        [],
        [f"{STRANGER[:-10]}{n:010}" for n in range(21)],
        [PROFILE.rpartition("/")[0]],
        ["arn:aws:iam::111122223333:role/r"],
    ],
)
def test_publishers_that_cannot_be(local: Local, publishers: list[str]) -> None:
    code = "InvalidParameterValueException" if len(publishers) == 1 else "ValidationException"
    local.refused(code, 400, "CreateCodeSigningConfig", AllowedPublishers={"SigningProfileVersionArns": publishers})
    local.config(publishers=[f"{STRANGER[:-10]}{n:010}" for n in range(20)])


def test_an_update_without_a_policy_keeps_the_old_one(local: Local) -> None:
    arn = local.config("Enforce")
    answer = local("UpdateCodeSigningConfig", CodeSigningConfigArn=arn, CodeSigningPolicies={}, Description="new")["CodeSigningConfig"]
    assert answer["CodeSigningPolicies"] == {"UntrustedArtifactOnDeployment": "Enforce"}
    assert (answer["Description"], answer["AllowedPublishers"]) == ("new", {"SigningProfileVersionArns": [PROFILE]})
    answer = local(
        "UpdateCodeSigningConfig", CodeSigningConfigArn=arn, AllowedPublishers={"SigningProfileVersionArns": [PROFILE, STRANGER]}
    )
    assert answer["CodeSigningConfig"]["AllowedPublishers"] == {"SigningProfileVersionArns": [PROFILE, STRANGER]}


def test_a_function_without_a_configuration_answers_nothing_at_all(local: Local) -> None:
    local.create()
    assert local("GetFunctionCodeSigningConfig", FunctionName="orders") == {}
    arn = local.config()
    bound = {"CodeSigningConfigArn": arn, "FunctionName": "orders"}
    assert local("PutFunctionCodeSigningConfig", FunctionName="orders", CodeSigningConfigArn=arn) == bound
    assert local("GetFunctionCodeSigningConfig", FunctionName="orders") == bound
    assert local("DeleteFunctionCodeSigningConfig", FunctionName="orders") == {}
    assert local("GetFunctionCodeSigningConfig", FunctionName="orders") == {}


@pytest.mark.parametrize("name", ["orders:1", "orders:$LATEST", "orders:live", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:orders:1"])
def test_a_qualifier_is_refused(local: Local, name: str) -> None:
    local.create(Publish=True)
    for operation, more in (
        ("GetFunctionCodeSigningConfig", {}),
        ("PutFunctionCodeSigningConfig", {"CodeSigningConfigArn": local.config()}),
        ("DeleteFunctionCodeSigningConfig", {}),
    ):
        local.refused("InvalidParameterValueException", 400, operation, FunctionName=name, **more)


def test_one_that_is_in_use_cannot_be_deleted(local: Local) -> None:
    arn = local.config("Warn")
    local.create(CodeSigningConfigArn=arn)
    local.create("second", CodeSigningConfigArn=arn)
    assert local("ListFunctionsByCodeSigningConfig", CodeSigningConfigArn=arn)["FunctionArns"] == [
        f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}" for name in ("orders", "second")
    ]
    message = local.refused("ResourceConflictException", 409, "DeleteCodeSigningConfig", CodeSigningConfigArn=arn)
    assert message.startswith("Lambda cannot delete the code signing configuration at this time")
    assert message.endswith("another operation is in progress. Try again later.")
    local("DeleteFunction", FunctionName="second")
    local("UpdateFunctionConfiguration", FunctionName="orders", Timeout=9)
    local.refused("ResourceConflictException", 409, "PutFunctionCodeSigningConfig", FunctionName="orders", CodeSigningConfigArn=arn)
    local.settle()
    local("DeleteFunctionCodeSigningConfig", FunctionName="orders")
    assert local("DeleteCodeSigningConfig", CodeSigningConfigArn=arn) == {}
    assert local("ListCodeSigningConfigs")["CodeSigningConfigs"] == []


def test_one_that_is_not_there(local: Local) -> None:
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:code-signing-config:csc-{'0' * 17}"
    local.create()
    for operation in ("GetCodeSigningConfig", "DeleteCodeSigningConfig", "UpdateCodeSigningConfig", "ListFunctionsByCodeSigningConfig"):
        local.refused("ResourceNotFoundException", 404, operation, CodeSigningConfigArn=arn)
    local.refused(
        "CodeSigningConfigNotFoundException", 404, "PutFunctionCodeSigningConfig", FunctionName="orders", CodeSigningConfigArn=arn
    )
    local.refused(
        "CodeSigningConfigNotFoundException", 404, "CreateFunction",
        FunctionName="n", Role="arn:aws:iam::111122223333:role/r", Runtime="python3.13", Handler="h.m", Code={"ZipFile": zipped()},
        CodeSigningConfigArn=arn,
    )  # fmt: skip


def test_tags_of_functions_and_configurations(local: Local) -> None:
    function = local.create(Tags={"team": "shop"})["FunctionArn"]
    for arn in (function, local.config()):
        local("TagResource", Resource=arn, Tags={"stage": "prod"})
        local("UntagResource", Resource=arn, TagKeys=["team", "nothing"])
        assert local("ListTags", Resource=arn) == {"Tags": {"stage": "prod"}}
