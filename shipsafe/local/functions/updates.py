"""Changes to `$LATEST`: its code and its configuration, one at a time, and against the revision that the caller knows."""

import copy
from typing import Any

from shipsafe.local.call import Call
from shipsafe.local.functions import admission, attached, configuration, packages, versions, windows
from shipsafe.local.functions.admission import Part
from shipsafe.local.functions.configuration import describe
from shipsafe.local.functions.functions import refuse_unknown
from shipsafe.local.functions.names import function_arn, unqualified
from shipsafe.local.functions.refusals import check_revision, invalid
from shipsafe.local.functions.state import CodeSigning, Function, Version
from shipsafe.local.functions.world import Operation, World


def update_function_code(world: World, call: Call) -> dict[str, Any]:
    """UpdateFunctionCode. `DryRun` checks everything, the signature too, answers what would be, and changes nothing."""
    given = call.parameters
    refuse_unknown(given)
    it = unqualified(world, call, given["FunctionName"])
    latest = it["latest"]
    windows.check_quiet(call, it)
    check_revision(given.get("RevisionId"), latest["revision"])
    image = latest["members"]["PackageType"] == "Image"
    if image != bool(given.get("ImageUri")):
        raise invalid(
            "Please provide ImageUri when updating a function with packageType Image."
            if image
            else "Please don't provide ImageUri when updating a function with packageType Zip."
        )
    code = packages.take(world, call, given, room=packages.LARGEST_UNZIPPED - attached.weight(latest["layers"]))
    parts = [] if image else [Part(function_arn(call, it["name"]), code["seen"])]
    dry_run = bool(given.get("DryRun"))
    admission.admit(world, call, it["name"], _config(world, call, it), parts, dry_run=dry_run)
    changed: Version = copy.deepcopy(latest)
    changed["code"] = code
    if given.get("Architectures"):
        changed["members"]["Architectures"] = list(given["Architectures"])
    if dry_run:
        return describe(call, it, changed)
    _apply(world, it, changed)
    if given.get("Publish"):
        published = versions.publish(world, it, "")
        return describe(call, it, published, published["number"])
    return describe(call, it, changed)


def update_function_configuration(world: World, call: Call) -> dict[str, Any]:
    """UpdateFunctionConfiguration. Signatures of layers are checked when they are attached: here and in CreateFunction."""
    given = call.parameters
    refuse_unknown(given)
    it = unqualified(world, call, given["FunctionName"])
    latest = it["latest"]
    windows.check_quiet(call, it)
    check_revision(given.get("RevisionId"), latest["revision"])
    if latest["members"]["PackageType"] == "Image" and given.get("Layers"):
        raise invalid("Please don't provide Runtime, Handler or Layer parameters when the intended function PackageType is Image.")
    changed: Version = copy.deepcopy(latest)
    changed["members"] = configuration.changed(latest["members"], given)
    if given.get("Layers") is not None:
        changed["layers"] = attached.attach(world, call, given["Layers"], before=latest["layers"], code=latest["code"]["unzipped"])
        admission.admit(world, call, it["name"], _config(world, call, it), attached.parts(changed["layers"]))
    _apply(world, it, changed)
    return describe(call, it, changed)


def _config(world: World, call: Call, it: Function) -> CodeSigning | None:
    return admission.find(world, call, it["code_signing"]) if it["code_signing"] else None


def _apply(world: World, it: Function, changed: Version) -> None:
    changed["revision"], changed["modified"] = world.revision(), world.stamp()
    it["latest"] = changed
    windows.begin(world, changed, "updated")


OPERATIONS = {
    "UpdateFunctionCode": Operation(
        update_function_code, "PublishTo 501; an image only by digest; the words for expired, revoked and foreign code as in CreateFunction"
    ),
    "UpdateFunctionConfiguration": Operation(
        update_function_configuration,
        "the role, VPC, KMS key and file system are not looked up; a refusal names the layer, which is assumed",
    ),
}
