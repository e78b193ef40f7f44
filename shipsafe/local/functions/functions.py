"""Functions: create, get, list and delete."""

from collections.abc import Mapping
from typing import Any

from shipsafe.local.call import Call
from shipsafe.local.functions import admission, attached, configuration, packages, versions, windows
from shipsafe.local.functions.account import refuse_system
from shipsafe.local.functions.admission import Part
from shipsafe.local.functions.configuration import describe, listed
from shipsafe.local.functions.names import LATEST, function, function_arn, named, qualified
from shipsafe.local.functions.pages import page
from shipsafe.local.functions.refusals import invalid, not_reproduced, refusal
from shipsafe.local.functions.state import Function, Version
from shipsafe.local.functions.world import Operation, World


def create_function(world: World, call: Call) -> dict[str, Any]:
    """CreateFunction."""
    given = call.parameters
    refuse_unknown(given)
    refuse_system(given.get("Tags") or ())
    name, qualifier = named(call, given["FunctionName"])
    if qualifier:
        raise invalid("FunctionName cannot have a qualifier in CreateFunction.")
    if name in world.place(call)["functions"]:
        raise refusal("ResourceConflictException", f"Function already exist: {name}")
    image = given.get("PackageType") == "Image"
    if image != bool(given["Code"].get("ImageUri")):
        raise invalid(
            "Please provide ImageUri when building an Image package type" if image else "Please provide a source for function code."
        )
    if image and given.get("Layers"):
        raise invalid("Please don't provide Runtime, Handler or Layer parameters when the intended function PackageType is Image.")
    if image and given.get("CodeSigningConfigArn"):
        raise invalid("Code signing is not supported for functions with PackageType Image.")
    members = configuration.changed(configuration.defaults(name), given)
    config = admission.find(world, call, given["CodeSigningConfigArn"]) if given.get("CodeSigningConfigArn") else None
    layers = attached.attach(world, call, given.get("Layers") or [])
    code = packages.take(world, call, given["Code"], room=packages.LARGEST_UNZIPPED - attached.weight(layers))
    parts = [] if image else [Part(function_arn(call, name), code["seen"]), *attached.parts(layers)]
    admission.admit(world, call, name, config, parts)
    latest: Version = {
        "number": LATEST,
        "members": members,
        "layers": layers,
        "code": code,
        "revision": world.revision(),
        "modified": world.stamp(),
        "becoming": "",
        "until": 0.0,
        "failed": {},
        "doom": {},
    }
    it = _new(name, latest, given, config["arn"] if config else "")
    world.place(call)["functions"][name] = it
    windows.begin(world, latest, "created")
    shown = versions.publish(world, it, "") if given.get("Publish") else latest
    return describe(call, it, shown)


def get_function(world: World, call: Call) -> dict[str, Any]:
    """GetFunction."""
    it, version, qualifier, _ = qualified(world, call, call.parameters["FunctionName"], call.parameters.get("Qualifier"))
    code = version["code"]
    answer: dict[str, Any] = {"Configuration": describe(call, it, version, qualifier)}
    if code["image"]:
        answer["Code"] = {"RepositoryType": "ECR", "ImageUri": code["image"], "ResolvedImageUri": code["image"]}
    else:
        answer["Code"] = {"RepositoryType": "S3", "Location": world.location(code["sha256"])}
    if code["reference"]:
        answer["Code"]["ResolvedS3Object"] = code["reference"]
    if code["kms_key"]:
        answer["Code"]["SourceKMSKeyArn"] = code["kms_key"]
    if it["tags"]:
        answer["Tags"] = it["tags"]
    if it["reserved"] is not None:
        answer["Concurrency"] = {"ReservedConcurrentExecutions": it["reserved"]}
    return answer


def get_function_configuration(world: World, call: Call) -> dict[str, Any]:
    """GetFunctionConfiguration."""
    it, version, qualifier, _ = qualified(world, call, call.parameters["FunctionName"], call.parameters.get("Qualifier"))
    return describe(call, it, version, qualifier)


def list_functions(world: World, call: Call) -> dict[str, Any]:
    """ListFunctions."""
    if call.parameters.get("MasterRegion"):
        raise not_reproduced("functions of Lambda@Edge")
    items: list[tuple[str, dict[str, Any]]] = []
    for name, it in world.place(call)["functions"].items():
        items.append((f"{name}:", listed(call, it, it["latest"], LATEST if call.parameters.get("FunctionVersion") else "")))
        if call.parameters.get("FunctionVersion") == "ALL":
            items += [(f"{name}:{int(number):012}", listed(call, it, version, number)) for number, version in it["versions"].items()]
    return page(items, call.parameters, "Functions")


def delete_function(world: World, call: Call) -> dict[str, Any]:
    """DeleteFunction: all of it, or one version."""
    name, qualifier = named(call, call.parameters["FunctionName"], call.parameters.get("Qualifier"))
    it = function(world, call, call.parameters["FunctionName"])
    if not qualifier:
        del world.place(call)["functions"][name]
        return {"StatusCode": 204}
    if qualifier == LATEST:
        raise invalid("$LATEST version cannot be deleted without deleting the function.")
    if qualifier in it["aliases"] or not qualifier.isdigit():
        raise invalid("Deletion of aliases is not currently supported.")
    users = [alias["name"] for alias in it["aliases"].values() if qualifier == alias["version"] or qualifier in alias["weights"]]
    if users:
        raise refusal(
            "ResourceConflictException",
            f"Function {function_arn(call, name, qualifier)} was unable to be deleted due to following aliases referencing it: "
            f"[{', '.join(users)}]",
        )
    for table in (it["versions"], it["policies"], it["provisioned"], it["retries"], it["runtimes"], it["answers"]):
        table.pop(qualifier, None)
    return {"StatusCode": 204}


def refuse_unknown(given: Mapping[str, Any]) -> None:
    """Refuse what could only be ignored here.

    Raises:
        ApiError: status 501.
    """
    for member in configuration.UNKNOWN:
        if given.get(member):
            raise not_reproduced(f"{member} of a function")
    if given.get("PublishTo"):
        raise not_reproduced("PublishTo")


def _new(name: str, latest: Version, given: Mapping[str, Any], code_signing: str) -> Function:
    return {
        "name": name,
        "latest": latest,
        "versions": {},
        "last_version": 0,
        "aliases": {},
        "tags": dict(given.get("Tags") or {}),
        "code_signing": code_signing,
        "policies": {},
        "urls": {},
        "reserved": None,
        "provisioned": {},
        "retries": {},
        "runtimes": {},
        "recursion": "Terminate",
        "answers": {},
    }


OPERATIONS = {
    "CreateFunction": Operation(
        create_function,
        "the role, VPC, KMS key and file system are not looked up; an image only by digest; tenancy, durable and capacity members 501; "
        "the words for expired, revoked and foreign code are assumed to be those for unsigned code",
    ),
    "GetFunction": Operation(get_function, "Code.Location is a URL of the local endpoint"),
    "GetFunctionConfiguration": Operation(get_function_configuration, "ConfigSha256 and RuntimeVersionArn are our own"),
    "ListFunctions": Operation(list_functions, "MasterRegion 501"),
    "DeleteFunction": Operation(delete_function),
}
