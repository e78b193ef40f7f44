"""Limits, with the words that AWS has for them."""

import io
import struct
import zipfile
from typing import Any

import pytest

from tests.local.functions.world import ROLE, Local, zipped

MIB = 1024 * 1024


def claiming(size: int) -> bytes:
    """A small zip that says it unpacks to `size` bytes, as Lambda reads it off the directory."""
    body = bytearray(zipped({"big.bin": b"x"}, zipfile.ZIP_STORED))
    at = body.rindex(b"PK\x01\x02")
    body[at + 24 : at + 28] = struct.pack("<L", size)
    return bytes(body)


def incompressible(size: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("blob.bin", bytes(size))
    return out.getvalue()


def refused(local: Local, operation: str, **parameters: Any) -> str:
    return local.refused("InvalidParameterValueException", 400, operation, **parameters)


def test_fifty_megabytes_inline_and_more_from_a_bucket(local: Local) -> None:
    large = incompressible(50 * MIB)
    assert (
        refused(local, "PublishLayerVersion", LayerName="l", Content={"ZipFile": large})
        == "Zipped size must be smaller than 52428800 bytes"
    )
    local.objects.put("code", "large.zip", large)
    answer = local("PublishLayerVersion", LayerName="l", Content={"S3Bucket": "code", "S3Key": "large.zip"})
    assert answer["Content"]["CodeSize"] == len(large)


def test_250_megabytes_unzipped(local: Local) -> None:
    local.create(code=claiming(262_144_000))
    message = refused(local, "UpdateFunctionCode", FunctionName="orders", ZipFile=claiming(262_144_001))
    assert message == "Unzipped size must be smaller than 262144000 bytes"


def test_layers_count_into_the_250_megabytes_and_the_message_says_what_is_left(local: Local) -> None:
    layer = local("PublishLayerVersion", LayerName="big", Content={"ZipFile": claiming(200_000_000)})["LayerVersionArn"]
    local.create(Layers=[layer])
    message = refused(local, "UpdateFunctionCode", FunctionName="orders", ZipFile=claiming(62_144_001))
    assert message == "Unzipped size must be smaller than 62144000 bytes"
    local("UpdateFunctionCode", FunctionName="orders", ZipFile=claiming(62_144_000))
    local.settle()
    second = local("PublishLayerVersion", LayerName="more", Content={"ZipFile": claiming(1)})["LayerVersionArn"]
    message = refused(local, "UpdateFunctionConfiguration", FunctionName="orders", Layers=[layer, second])
    assert message == (
        "Function code combined with layers exceeds the maximum allowed size of 262144000 bytes. The actual size is 262144001 bytes."
    )


def test_five_layers_of_which_no_two_are_versions_of_one(local: Local) -> None:
    arns = [local("PublishLayerVersion", LayerName=f"l{n}", Content={"ZipFile": zipped()})["LayerVersionArn"] for n in range(6)]
    local.create(Layers=arns[:5])
    assert refused(local, "UpdateFunctionConfiguration", FunctionName="orders", Layers=arns) == "Cannot reference more than 5 layers."
    again = local("PublishLayerVersion", LayerName="l0", Content={"ZipFile": zipped()})["LayerVersionArn"]
    message = refused(local, "UpdateFunctionConfiguration", FunctionName="orders", Layers=[arns[0], again])
    assert (
        message == f"Two different versions of the same layer are not allowed to be referenced in the same function. {arns[0]} and {again}"
    )


def test_four_kilobytes_of_environment(local: Local) -> None:
    fits = {"STAGE": "x" * (4096 - len('{"STAGE":""}'))}
    local.create(Environment={"Variables": fits})
    message = refused(
        local, "UpdateFunctionConfiguration", FunctionName="orders", Environment={"Variables": {"STAGE": fits["STAGE"] + "x"}}
    )
    assert message.startswith(
        "Lambda was unable to configure your environment variables because the environment variables you have provided "
        'exceeded the 4KB limit. String measured: {"STAGE":"xxx'
    )


def test_reserved_names_of_the_environment(local: Local) -> None:
    local.create()
    given = {"AWS_REGION": "x", "LAMBDA_TASK_ROOT": "y", "MINE": "z"}
    message = refused(local, "UpdateFunctionConfiguration", FunctionName="orders", Environment={"Variables": given})
    assert message.endswith("Reserved keys used in this request: AWS_REGION, LAMBDA_TASK_ROOT")


@pytest.mark.parametrize("missing", ["Runtime", "Handler"])
def test_a_zip_needs_runtime_and_handler(local: Local, missing: str) -> None:
    given = {"Runtime": "python3.13", "Handler": "h.m"}
    del given[missing]
    message = refused(local, "CreateFunction", FunctionName="f", Role=ROLE, Code={"ZipFile": zipped()}, **given)
    assert message == "Runtime and Handler are mandatory parameters for functions created with deployment packages."


def test_what_the_service_model_forbids_is_a_validation_error(local: Local) -> None:
    message = local.refused(
        "ValidationException", 400, "CreateFunction", FunctionName="orders", Role=ROLE, Runtime="cobol", Code={"ZipFile": b""}
    )
    assert "at 'runtime' failed to satisfy constraint: Member must satisfy enum value set" in message
    local.refused("ValidationException", 400, "CreateFunction", FunctionName="a b", Role=ROLE, Code={})
    local.refused("ValidationException", 400, "GetFunction")


@pytest.mark.parametrize("member", ["TenancyConfig", "CapacityProviderConfig", "DurableConfig"])
def test_what_is_not_reproduced_is_said_and_never_ignored(local: Local, member: str) -> None:
    value = {
        "TenancyConfig": {"TenantIsolationMode": "PER_TENANT"},
        "CapacityProviderConfig": {
            "LambdaManagedInstancesCapacityProviderConfig": {
                "CapacityProviderArn": "arn:aws:lambda:eu-west-1:111122223333:capacity-provider:cp"
            }
        },
        "DurableConfig": {"ExecutionTimeout": 60},
    }[member]
    parameters = {
        "FunctionName": "f",
        "Role": ROLE,
        "Runtime": "python3.13",
        "Handler": "h.m",
        "Code": {"ZipFile": zipped()},
        member: value,
    }
    message = local.refused("NotImplemented", 501, "CreateFunction", **parameters)
    assert member in message


def test_unknown_operations_are_501(local: Local) -> None:
    for operation in ("PutResourcePolicy", "InvokeAsync", "InvokeWithResponseStream", "CreateCapacityProvider", "NoSuchThing"):
        assert "does not reproduce" in local.refused("NotImplemented", 501, operation)
    image = {"PackageType": "Image", "Code": {"ImageUri": "1.dkr.ecr.eu-west-1.amazonaws.com/orders:latest"}}
    local.refused("NotImplemented", 501, "CreateFunction", FunctionName="f", Role=ROLE, **image)


def test_account_settings_count_what_is_there(local: Local) -> None:
    local.create()
    local("PutFunctionConcurrency", FunctionName="orders", ReservedConcurrentExecutions=10)
    answer = local("GetAccountSettings")
    assert answer["AccountUsage"] == {"TotalCodeSize": len(zipped()), "FunctionCount": 1}
    assert answer["AccountLimit"]["UnreservedConcurrentExecutions"] == 990
    assert answer["AccountLimit"]["CodeSizeZipped"] == 52_428_800
