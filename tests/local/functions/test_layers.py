"""Layers: anything is published, and the signature is looked at when one is attached."""

import json
from typing import Any

import pytest

from tests.local.functions.test_admission import changed
from tests.local.functions.world import ACCOUNT, JOB, OTHER, PROFILE, REGION, ROLE, Local, zipped

LAYER = f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:shared"


def publish(local: Local, body: bytes, name: str = "shared", **more: str) -> str:
    return str(local("PublishLayerVersion", LayerName=name, Content={"ZipFile": body}, **more)["LayerVersionArn"])


def test_unsigned_and_tampered_layers_are_published_without_the_signing_fields(local: Local) -> None:
    signed = local.sign(zipped())
    for body, shown in ((zipped(), None), (changed(signed), None), (signed, JOB)):
        content = local("GetLayerVersionByArn", Arn=publish(local, body))["Content"]
        assert (content.get("SigningJobArn"), content.get("SigningProfileVersionArn")) == (shown, PROFILE if shown else None)


def test_versions_are_numbered_for_ever_and_a_deleted_one_runs_on(local: Local) -> None:
    assert publish(local, zipped()) == f"{LAYER}:1"
    local.create(Layers=[f"{LAYER}:1"])
    local("DeleteLayerVersion", LayerName="shared", VersionNumber=1)
    local("DeleteLayerVersion", LayerName="shared", VersionNumber=1)
    assert local.refused("ResourceNotFoundException", 404, "GetLayerVersionByArn", Arn=f"{LAYER}:1") == (
        "The resource you requested does not exist."
    )
    assert local.configured()["Layers"] == [{"Arn": f"{LAYER}:1", "CodeSize": len(zipped())}]
    local("UpdateFunctionConfiguration", FunctionName="orders", Layers=[f"{LAYER}:1"])
    local.settle()
    message = local.refused(
        "InvalidParameterValueException", 400, "CreateFunction",
        FunctionName="new", Role=ROLE, Runtime="python3.13", Handler="h.m", Code={"ZipFile": zipped()}, Layers=[f"{LAYER}:1"],
    )  # fmt: skip
    assert message == f"Layer version {LAYER}:1 does not exist."
    assert publish(local, zipped()) == f"{LAYER}:2"
    publish(local, zipped())
    assert [item["Version"] for item in local("ListLayerVersions", LayerName="shared")["LayerVersions"]] == [3, 2]
    assert local("ListLayers")["Layers"][0]["LatestMatchingVersion"]["Version"] == 3


@pytest.mark.parametrize("policy", ["Enforce", "Warn"])
def test_attaching_is_checked_at_create_and_at_update(local: Local, policy: str) -> None:
    unsigned, signed = publish(local, zipped()), publish(local, local.sign(zipped()), "signed")
    tampered = publish(local, changed(local.sign(zipped())), "tampered")
    config = local.config(policy)
    code = local.sign(zipped())
    local.create(code=code, CodeSigningConfigArn=config, Layers=[signed])
    assert local.configured()["Layers"][0]["SigningJobArn"] == JOB
    creating = {
        "FunctionName": "new", "Role": ROLE, "Runtime": "python3.13", "Handler": "h.m", "Code": {"ZipFile": code},
        "CodeSigningConfigArn": config,
    }  # fmt: skip
    for operation, more in (("UpdateFunctionConfiguration", {"FunctionName": "orders"}), ("CreateFunction", creating)):
        message = local.refused("CodeVerificationFailedException", 400, operation, **more, Layers=[signed, tampered])
        assert "not properly signed" in message
        if policy == "Enforce":
            message = local.refused("CodeVerificationFailedException", 400, operation, **more, Layers=[signed, unsigned])
            assert message.endswith(f"not configured to accept. Check the provided signature for {unsigned}.")
        else:
            local(operation, **more, Layers=[signed, unsigned])
            assert local.core.events()[-1]["additionalEventData"] == {"signatureStatus": "MISMATCH"}
            assert local.metrics.pop()[2] == {"FunctionName": more["FunctionName"]}


def test_another_account_needs_a_permission(local: Local) -> None:
    arn = publish(local, zipped())

    def attach() -> None:
        local("UpdateFunctionConfiguration", FunctionName="theirs", Layers=[arn], account=OTHER)
        local.settle()

    local.create("theirs", account=OTHER)
    local.refused("AccessDeniedException", 403, "GetLayerVersionByArn", Arn=arn, account=OTHER)
    local.refused("AccessDeniedException", 403, "UpdateFunctionConfiguration", FunctionName="theirs", Layers=[arn], account=OTHER)
    local.refused("AccessDeniedException", 403, "GetLayerVersionByArn", Arn=f"{LAYER}:99", account=OTHER)
    local.refused("ResourceNotFoundException", 404, "GetLayerVersionPolicy", LayerName="shared", VersionNumber=1)
    grant: dict[str, Any] = {"LayerName": "shared", "VersionNumber": 1, "Action": "lambda:GetLayerVersion"}
    local("AddLayerVersionPermission", **grant, StatementId="org", Principal="*", OrganizationId="o-abcdefghij")
    local.refused("AccessDeniedException", 403, "GetLayerVersionByArn", Arn=arn, account=OTHER)
    added = local("AddLayerVersionPermission", **grant, StatementId="them", Principal=OTHER)
    local.refused("ResourceConflictException", 409, "AddLayerVersionPermission", **grant, StatementId="them", Principal=OTHER)
    assert json.loads(added["Statement"])["Principal"] == {"AWS": f"arn:aws:iam::{OTHER}:root"}
    attach()
    assert local("GetLayerVersion", LayerName=LAYER, VersionNumber=1, account=OTHER)["LayerVersionArn"] == arn
    local.refused("AccessDeniedException", 403, "ListLayerVersions", LayerName=LAYER, account=OTHER)
    message = local.refused(
        "PreconditionFailedException",
        412,
        "RemoveLayerVersionPermission",
        LayerName="shared",
        VersionNumber=1,
        StatementId="them",
        RevisionId="no",
    )
    assert message.endswith("Call the GetLayerPolicy API to retrieve the latest Revision Id")
    local("RemoveLayerVersionPermission", LayerName="shared", VersionNumber=1, StatementId="them", RevisionId=added["RevisionId"])
    local.refused("AccessDeniedException", 403, "GetLayerVersionByArn", Arn=arn, account=OTHER)
    assert len(json.loads(local("GetLayerVersionPolicy", LayerName="shared", VersionNumber=1)["Policy"])["Statement"]) == 1


def test_layers_of_another_region_and_awslayers_are_refused(local: Local) -> None:
    local.create()
    far = LAYER.replace(REGION, "us-east-1") + ":1"
    assert "Layers are not in the same region" in local.refused(
        "InvalidParameterValueException", 400, "UpdateFunctionConfiguration", FunctionName="orders", Layers=[far]
    )
    publish(local, zipped())
    local.refused("ResourceNotFoundException", 404, "GetLayerVersionByArn", Arn=f"{LAYER}:1", region="us-east-1")
    local.refused(
        "NotImplemented", 501, "UpdateFunctionConfiguration", FunctionName="orders", Layers=["arn:aws:lambda:::awslayer:AmazonLinux1803"]
    )
    local.refused("ValidationException", 400, "UpdateFunctionConfiguration", FunctionName="orders", Layers=[LAYER])


def test_layers_are_found_by_runtime(local: Local) -> None:
    local("PublishLayerVersion", LayerName="shared", Content={"ZipFile": zipped()}, CompatibleRuntimes=["python3.13"])
    local("PublishLayerVersion", LayerName="shared", Content={"ZipFile": zipped()}, CompatibleRuntimes=["python3.12"])
    found = local("ListLayers", CompatibleRuntime="python3.13")["Layers"]
    assert found[0]["LatestMatchingVersion"]["Version"] == 1
    assert local("ListLayers", CompatibleRuntime="python3.11")["Layers"] == []
    assert local("ListLayerVersions", LayerName="nobody")["LayerVersions"] == []
