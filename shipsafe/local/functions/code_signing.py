"""Code-signing configurations, with what surprises on AWS.

The default policy is Warn. Publishers are taken unseen: a version that does not exist, or is another account's, is accepted. Reading the
configuration of a function that has none is a success without members. An update with an empty CodeSigningPolicies keeps the old policy.
That an ARN without a version is refused is an assumption: the service model would let it through.
"""

import re
from collections.abc import Mapping
from typing import Any

from shipsafe.local.call import Call
from shipsafe.local.functions import admission, windows
from shipsafe.local.functions.names import function_arn, unqualified
from shipsafe.local.functions.pages import page
from shipsafe.local.functions.refusals import invalid, refusal
from shipsafe.local.functions.state import CodeSigning
from shipsafe.local.functions.world import Operation, World

MOST_PUBLISHERS = 20
_PUBLISHER = re.compile(r"arn:aws[a-z-]*:signer:[a-z0-9-]+:\d{12}:/signing-profiles/\w{2,64}/[A-Za-z0-9]{10}", re.ASCII)


def create_code_signing_config(world: World, call: Call) -> dict[str, Any]:
    """CreateCodeSigningConfig."""
    given = call.parameters
    publishers = _publishers(given["AllowedPublishers"])
    identifier = f"csc-{world.ids().hex[:17]}"
    arn = f"arn:{call.partition}:lambda:{call.region}:{call.account}:code-signing-config:{identifier}"
    config: CodeSigning = {
        "id": identifier,
        "arn": arn,
        "description": given.get("Description") or "",
        "publishers": publishers,
        "policy": (given.get("CodeSigningPolicies") or {}).get("UntrustedArtifactOnDeployment") or "Warn",
        "modified": world.stamp(),
        "tags": dict(given.get("Tags") or {}),
    }
    world.place(call)["code_signing"][arn] = config
    return {"CodeSigningConfig": _describe(config)}


def update_code_signing_config(world: World, call: Call) -> dict[str, Any]:
    """UpdateCodeSigningConfig; it holds for the next deployment of each function."""
    given = call.parameters
    config = _find(world, call)
    publishers = _publishers(given["AllowedPublishers"]) if given.get("AllowedPublishers") is not None else config["publishers"]
    policy = (given.get("CodeSigningPolicies") or {}).get("UntrustedArtifactOnDeployment") or config["policy"]
    config["publishers"], config["policy"], config["modified"] = publishers, policy, world.stamp()
    if given.get("Description") is not None:
        config["description"] = given["Description"]
    return {"CodeSigningConfig": _describe(config)}


def get_code_signing_config(world: World, call: Call) -> dict[str, Any]:
    """GetCodeSigningConfig."""
    return {"CodeSigningConfig": _describe(_find(world, call))}


def list_code_signing_configs(world: World, call: Call) -> dict[str, Any]:
    """ListCodeSigningConfigs."""
    configs = world.place(call)["code_signing"].values()
    return page(((config["arn"], _describe(config)) for config in configs), call.parameters, "CodeSigningConfigs")


def delete_code_signing_config(world: World, call: Call) -> dict[str, Any]:
    """DeleteCodeSigningConfig, unless a function uses it."""
    config = _find(world, call)
    if any(it["code_signing"] == config["arn"] for it in world.place(call)["functions"].values()):
        raise refusal(
            "ResourceConflictException",
            "Lambda cannot delete the code signing configuration at this time \N{EM DASH} another operation is in progress. "
            "Try again later.",
        )
    del world.place(call)["code_signing"][config["arn"]]
    return {}


def list_functions_by_code_signing_config(world: World, call: Call) -> dict[str, Any]:
    """ListFunctionsByCodeSigningConfig."""
    config = _find(world, call)
    users = [name for name, it in world.place(call)["functions"].items() if it["code_signing"] == config["arn"]]
    return page(((name, function_arn(call, name)) for name in users), call.parameters, "FunctionArns")


def put_function_code_signing_config(world: World, call: Call) -> dict[str, Any]:
    """PutFunctionCodeSigningConfig. What is deployed already is not looked at."""
    it = unqualified(world, call, call.parameters["FunctionName"])
    config = admission.find(world, call, call.parameters["CodeSigningConfigArn"])
    if it["latest"]["members"]["PackageType"] == "Image":
        raise invalid("Code signing is not supported for functions with PackageType Image.")
    windows.check_quiet(call, it)
    it["code_signing"] = config["arn"]
    return {"CodeSigningConfigArn": config["arn"], "FunctionName": it["name"]}


def get_function_code_signing_config(world: World, call: Call) -> dict[str, Any]:
    """GetFunctionCodeSigningConfig: nothing at all where there is none."""
    it = unqualified(world, call, call.parameters["FunctionName"])
    return {"CodeSigningConfigArn": it["code_signing"], "FunctionName": it["name"]} if it["code_signing"] else {}


def delete_function_code_signing_config(world: World, call: Call) -> dict[str, Any]:
    """DeleteFunctionCodeSigningConfig."""
    it = unqualified(world, call, call.parameters["FunctionName"])
    windows.check_quiet(call, it)
    it["code_signing"] = ""
    return {}


def _publishers(given: Mapping[str, Any]) -> list[str]:
    arns = given["SigningProfileVersionArns"]
    if not 1 <= len(arns) <= MOST_PUBLISHERS:
        raise invalid(f"SigningProfileVersionArns must have between 1 and {MOST_PUBLISHERS} items.")
    for arn in arns:
        if not _PUBLISHER.fullmatch(arn):
            raise invalid(f"The signing profile version ARN {arn[:300]} is not valid: it must end in /signing-profiles/NAME/VERSION.")
    return list(dict.fromkeys(arns))


def _find(world: World, call: Call) -> CodeSigning:
    arn = call.parameters["CodeSigningConfigArn"]
    config = world.place(call)["code_signing"].get(arn)
    if config is None:
        raise refusal("ResourceNotFoundException", f"The Lambda code signing configuration {arn} can not be found.")
    return config


def _describe(config: CodeSigning) -> dict[str, Any]:
    return {
        "CodeSigningConfigId": config["id"],
        "CodeSigningConfigArn": config["arn"],
        "Description": config["description"],
        "AllowedPublishers": {"SigningProfileVersionArns": list(config["publishers"])},
        "CodeSigningPolicies": {"UntrustedArtifactOnDeployment": config["policy"]},
        "LastModified": config["modified"],
    }


OPERATIONS = {
    "CreateCodeSigningConfig": Operation(
        create_code_signing_config, "refuses a publisher's ARN without a version, which is not confirmed of AWS"
    ),
    "UpdateCodeSigningConfig": Operation(update_code_signing_config, "as CreateCodeSigningConfig"),
    "GetCodeSigningConfig": Operation(get_code_signing_config),
    "ListCodeSigningConfigs": Operation(list_code_signing_configs),
    "DeleteCodeSigningConfig": Operation(delete_code_signing_config),
    "ListFunctionsByCodeSigningConfig": Operation(list_functions_by_code_signing_config),
    "PutFunctionCodeSigningConfig": Operation(put_function_code_signing_config, "refused while the function is updated, which is assumed"),
    "GetFunctionCodeSigningConfig": Operation(get_function_code_signing_config),
    "DeleteFunctionCodeSigningConfig": Operation(delete_function_code_signing_config, "as PutFunctionCodeSigningConfig"),
}
