"""Layers: versions that never change, numbered for ever, and who else may use them.

Anything is published: unsigned, and tampered with. The answer shows profile and job for a properly signed zip alone, so that one can see it
before a layer is attached; refused it is only then.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from shipsafe.local.call import Call
from shipsafe.local.functions import packages, statements
from shipsafe.local.functions.attached import layer_version
from shipsafe.local.functions.pages import page
from shipsafe.local.functions.refusals import check_revision, invalid, refusal
from shipsafe.local.functions.signature import members as signing_members
from shipsafe.local.functions.state import LayerVersion
from shipsafe.local.functions.world import Operation, World

_KEPT = ("Description", "CompatibleRuntimes", "CompatibleArchitectures", "LicenseInfo")
_HIGHEST = 10**12  # lists of versions begin with the newest


def publish_layer_version(world: World, call: Call) -> dict[str, Any]:
    """PublishLayerVersion."""
    given = call.parameters
    name = given["LayerName"].rpartition(":")[2]
    arn = _arn(call, name)
    if given["LayerName"] not in (name, arn):
        raise invalid(f"Layer {given['LayerName']} is not of this account and region.")
    code = packages.take(world, call, given["Content"])
    layer = world.place(call)["layers"].setdefault(name, {"name": name, "last_version": 0, "versions": {}})
    layer["last_version"] += 1
    version: LayerVersion = {
        "number": layer["last_version"],
        "members": {"Description": "", **{member: given[member] for member in _KEPT if given.get(member)}},
        "created": world.stamp(),
        "code": code,
        "policy": {"statements": [], "revision": ""},
    }
    layer["versions"][str(version["number"])] = version
    return _describe(world, arn, version)


def get_layer_version(world: World, call: Call) -> dict[str, Any]:
    """GetLayerVersion: of one's own by name, of others by ARN."""
    given = call.parameters
    layer = given["LayerName"] if given["LayerName"].startswith("arn:") else _arn(call, given["LayerName"])
    return _describe(world, layer, _readable(world, call, f"{layer}:{given['VersionNumber']}"))


def get_layer_version_by_arn(world: World, call: Call) -> dict[str, Any]:
    """GetLayerVersionByArn."""
    arn = call.parameters["Arn"]
    return _describe(world, arn.rpartition(":")[0], _readable(world, call, arn))


def list_layers(world: World, call: Call) -> dict[str, Any]:
    """ListLayers: one's own, each with its newest version that fits."""
    items: list[tuple[str, dict[str, Any]]] = []
    for name, layer in world.place(call)["layers"].items():
        if fitting := _fitting(layer["versions"].values(), call.parameters):
            newest = _short(_arn(call, name), max(fitting, key=lambda version: version["number"]))
            items.append((name, {"LayerName": name, "LayerArn": _arn(call, name), "LatestMatchingVersion": newest}))
    return page(items, call.parameters, "Layers")


def list_layer_versions(world: World, call: Call) -> dict[str, Any]:
    """ListLayerVersions: of one's own layers, newest first."""
    name = call.parameters["LayerName"].rpartition(":")[2]
    arn = _arn(call, name)
    if call.parameters["LayerName"] not in (name, arn):
        raise refusal(
            "AccessDeniedException",
            f"User: {call.caller or call.account} is not authorized to perform: lambda:ListLayerVersions on resource: "
            f"{call.parameters['LayerName']} because no resource-based policy allows the lambda:ListLayerVersions action",
        )
    layer = world.place(call)["layers"].get(name)
    fitting = _fitting(layer["versions"].values(), call.parameters) if layer else []
    return page(((f"{_HIGHEST - version['number']:013}", _short(arn, version)) for version in fitting), call.parameters, "LayerVersions")


def delete_layer_version(world: World, call: Call) -> dict[str, Any]:
    """DeleteLayerVersion; one that is not there is no error. Functions that have it keep it."""
    layer = world.place(call)["layers"].get(call.parameters["LayerName"].rpartition(":")[2])
    if layer is not None:
        layer["versions"].pop(str(call.parameters["VersionNumber"]), None)
    return {}


def add_layer_version_permission(world: World, call: Call) -> dict[str, Any]:
    """AddLayerVersionPermission."""
    given = call.parameters
    arn, version = _own(world, call)
    check_revision(given.get("RevisionId"), version["policy"]["revision"], ask="GetLayerPolicy")
    if given.get("OrganizationId") and given["Principal"] != "*":
        raise invalid("OrganizationId can only be provided together with the Principal *.")
    condition = {"StringEquals": {"aws:PrincipalOrgID": given["OrganizationId"]}} if given.get("OrganizationId") else {}
    new = statements.statement(call, given["Action"], arn, condition)
    statements.add(version["policy"]["statements"], new)
    version["policy"]["revision"] = world.revision()
    return {"Statement": statements.text(new), "RevisionId": version["policy"]["revision"]}


def remove_layer_version_permission(world: World, call: Call) -> dict[str, Any]:
    """RemoveLayerVersionPermission."""
    _, version = _own(world, call)
    check_revision(call.parameters.get("RevisionId"), version["policy"]["revision"], ask="GetLayerPolicy")
    version["policy"]["statements"] = statements.without(version["policy"]["statements"], call.parameters["StatementId"])
    version["policy"]["revision"] = world.revision()
    return {}


def get_layer_version_policy(world: World, call: Call) -> dict[str, Any]:
    """GetLayerVersionPolicy."""
    _, version = _own(world, call)
    return {"Policy": statements.document(version["policy"]["statements"]), "RevisionId": version["policy"]["revision"]}


def _arn(call: Call, name: str) -> str:
    return f"arn:{call.partition}:lambda:{call.region}:{call.account}:layer:{name}"


def _readable(world: World, call: Call, arn: str) -> LayerVersion:
    version = layer_version(world, call, arn)
    if version is None:
        raise refusal("ResourceNotFoundException", "The resource you requested does not exist.")
    return version


def _own(world: World, call: Call) -> tuple[str, LayerVersion]:
    name, number = call.parameters["LayerName"].rpartition(":")[2], str(call.parameters["VersionNumber"])
    arn = f"{_arn(call, name)}:{number}"
    layer = world.place(call)["layers"].get(name)
    if layer is None or number not in layer["versions"]:
        raise refusal("ResourceNotFoundException", f"Layer version {arn} does not exist.")
    return arn, layer["versions"][number]


def _fitting(versions: Iterable[LayerVersion], given: Mapping[str, Any]) -> list[LayerVersion]:
    """Versions that say they fit the runtime and architecture that were asked for."""
    wanted = [
        (member, given[f"Compatible{one}"])
        for member, one in (("CompatibleRuntimes", "Runtime"), ("CompatibleArchitectures", "Architecture"))
        if given.get(f"Compatible{one}")
    ]
    return [version for version in versions if all(value in version["members"].get(member, ()) for member, value in wanted)]


def _short(arn: str, version: LayerVersion) -> dict[str, Any]:
    return {
        "LayerVersionArn": f"{arn}:{version['number']}",
        "Version": version["number"],
        "CreatedDate": version["created"],
        **version["members"],
    }


def _describe(world: World, arn: str, version: LayerVersion) -> dict[str, Any]:
    code = version["code"]
    content: dict[str, Any] = {
        "Location": world.location(code["sha256"]),
        "CodeSha256": code["code_sha256"],
        "CodeSize": code["size"],
        **signing_members(code["seen"]),
    }
    if code["reference"]:
        content["ResolvedS3Object"] = code["reference"]
    return {"Content": content, "LayerArn": arn, **_short(arn, version)}


OPERATIONS = {
    "PublishLayerVersion": Operation(publish_layer_version),
    "GetLayerVersion": Operation(get_layer_version, "Content.Location is a URL of the local endpoint"),
    "GetLayerVersionByArn": Operation(get_layer_version_by_arn, "as GetLayerVersion; AWS's own layers without a version 501"),
    "ListLayers": Operation(list_layers),
    "ListLayerVersions": Operation(list_layer_versions, "of one's own account; another account's is always denied"),
    "DeleteLayerVersion": Operation(delete_layer_version),
    "AddLayerVersionPermission": Operation(add_layer_version_permission, "a statement for an organization lets nobody in: there are none"),
    "RemoveLayerVersionPermission": Operation(remove_layer_version_permission),
    "GetLayerVersionPolicy": Operation(get_layer_version_policy),
}
