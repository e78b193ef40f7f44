"""The configuration of a function: what a client may set, with AWS's defaults and limits, and FunctionConfiguration as AWS answers it."""

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from shipsafe.local.call import Call
from shipsafe.local.functions.names import function_arn
from shipsafe.local.functions.refusals import invalid
from shipsafe.local.functions.signature import members as signing_members
from shipsafe.local.functions.state import AttachedLayer, Function, Version
from shipsafe.local.functions.windows import status

LARGEST_ENVIRONMENT = 4096  # bytes of the variables as JSON
_RESERVED = (
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
)  # "Defined runtime environment variables", those that cannot be set
_SET = (
    "Runtime",
    "Role",
    "Handler",
    "Description",
    "Timeout",
    "MemorySize",
    "VpcConfig",
    "DeadLetterConfig",
    "Environment",
    "KMSKeyArn",
    "TracingConfig",
    "FileSystemConfigs",
    "ImageConfig",
    "EphemeralStorage",
    "SnapStart",
    "LoggingConfig",
    "Architectures",
    "PackageType",
)
UNKNOWN = ("TenancyConfig", "CapacityProviderConfig", "DurableConfig", "RuntimeConfig", "AcceleratorConfig")  # refused, never ignored


def defaults(name: str) -> dict[str, Any]:
    """What a function has that sets nothing."""
    return {
        "Description": "",
        "Timeout": 3,
        "MemorySize": 128,
        "TracingConfig": {"Mode": "PassThrough"},
        "PackageType": "Zip",
        "Architectures": ["x86_64"],
        "EphemeralStorage": {"Size": 512},
        "SnapStart": {"ApplyOn": "None"},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"},
    }


def changed(members: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Members after a call that sets some of them; what AWS unsets by an empty value is gone.

    Raises:
        ApiError: InvalidParameterValueException.
    """
    new = {**members, **{name: given[name] for name in _SET if given.get(name) is not None}}
    check_environment((given.get("Environment") or {}).get("Variables") or {})
    if given.get("LoggingConfig"):
        new["LoggingConfig"] = {**members["LoggingConfig"], **given["LoggingConfig"]}
    for name, empty in (
        ("Environment", {"Variables": {}}),
        ("Environment", {}),
        ("KMSKeyArn", ""),
        ("FileSystemConfigs", []),
        ("ImageConfig", {}),
    ):
        if new.get(name) == empty:
            del new[name]
    if not new.get("DeadLetterConfig", {}).get("TargetArn"):
        new.pop("DeadLetterConfig", None)
    if new["PackageType"] == "Zip" and not (new.get("Runtime") and new.get("Handler")):
        raise invalid("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
    if new["PackageType"] == "Image" and (new.get("Runtime") or new.get("Handler")):
        raise invalid("Please don't provide Runtime, Handler or Layer parameters when the intended function PackageType is Image.")
    return new


def check_environment(variables: Mapping[str, str]) -> None:
    """Hold environment variables against what AWS allows.

    Raises:
        ApiError: InvalidParameterValueException.
    """
    why = "Lambda was unable to configure your environment variables because the environment variables you have provided"
    if reserved := [name for name in _RESERVED if name in variables]:
        raise invalid(
            f"{why} contains reserved keys that are currently not supported for modification. "
            f"Reserved keys used in this request: {', '.join(reserved)}"
        )
    measured = json.dumps(dict(variables), separators=(",", ":"), ensure_ascii=False)
    if len(measured.encode()) > LARGEST_ENVIRONMENT:
        raise invalid(f"{why} exceeded the 4KB limit. String measured: {measured}")


def describe(call: Call, it: Function, version: Version, qualifier: str = "") -> dict[str, Any]:
    """FunctionConfiguration of a version. `qualifier` is what its ARN ends in, as AWS gives back the one that was asked for."""
    members = version["members"]
    answer: dict[str, Any] = {
        "FunctionName": it["name"],
        "FunctionArn": function_arn(call, it["name"], qualifier),
        **{name: value for name, value in members.items() if name not in ("ImageConfig", "SnapStart", "VpcConfig")},
        "CodeSize": version["code"]["size"],
        "CodeSha256": version["code"]["code_sha256"],
        "LastModified": version["modified"],
        "Version": version["number"],
        "RevisionId": version["revision"],
        "SnapStart": _snap_start(version),
        **status(version),
        **signing_members(version["code"]["seen"]),
        "ConfigSha256": fingerprint(version),
    }
    if version["layers"]:
        answer["Layers"] = [_layer(layer) for layer in version["layers"]]
    if "VpcConfig" in members:
        answer["VpcConfig"] = {"SubnetIds": [], "SecurityGroupIds": [], "VpcId": "", **members["VpcConfig"]}
    if "ImageConfig" in members:
        answer["ImageConfigResponse"] = {"ImageConfig": members["ImageConfig"]}
    if members.get("Runtime"):
        answer["RuntimeVersionConfig"] = {"RuntimeVersionArn": runtime_arn(call, members["Runtime"])}
    return answer


def listed(call: Call, it: Function, version: Version, qualifier: str) -> dict[str, Any]:
    """FunctionConfiguration as lists have it: without State, LastUpdateStatus and RuntimeVersionConfig (API reference of ListFunctions)."""
    full = describe(call, it, version, qualifier)
    return {
        name: value for name, value in full.items() if not name.startswith(("State", "LastUpdateStatus")) and name != "RuntimeVersionConfig"
    }


def runtime_arn(call: Call, runtime: str) -> str:
    """A RuntimeVersionArn: one for ever for each runtime, because nothing runs here that could be patched."""
    return f"arn:{call.partition}:lambda:{call.region}::runtime:{hashlib.sha256(runtime.encode()).hexdigest()}"


def fingerprint(version: Version) -> str:
    """Changes with the configuration, and only with it. AWS does not say how it makes its ConfigSha256."""
    configured = {"members": version["members"], "layers": [layer["arn"] for layer in version["layers"]]}
    return base64.b64encode(hashlib.sha256(json.dumps(configured, sort_keys=True).encode()).digest()).decode()


def _layer(layer: AttachedLayer) -> dict[str, Any]:
    return {"Arn": layer["arn"], "CodeSize": layer["size"], **signing_members(layer["seen"])}


def _snap_start(version: Version) -> dict[str, str]:
    apply_on = version["members"]["SnapStart"]["ApplyOn"]
    on = apply_on == "PublishedVersions" and version["number"].isdigit()
    return {"ApplyOn": apply_on, "OptimizationStatus": "On" if on else "Off"}
