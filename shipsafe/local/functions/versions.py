"""Published versions: copies of `$LATEST` that never change."""

import copy
from typing import Any

from shipsafe.local.call import Call
from shipsafe.local.functions import windows
from shipsafe.local.functions.configuration import describe, listed
from shipsafe.local.functions.names import LATEST, function, unqualified
from shipsafe.local.functions.pages import page
from shipsafe.local.functions.refusals import check_revision, invalid, not_reproduced
from shipsafe.local.functions.state import Function, Version
from shipsafe.local.functions.world import Operation, World


def publish_version(world: World, call: Call) -> dict[str, Any]:
    """PublishVersion: a new version, or the last one where nothing has changed since."""
    given = call.parameters
    if given.get("PublishTo"):
        raise not_reproduced("PublishTo")
    it = unqualified(world, call, given["FunctionName"])
    windows.check_quiet(call, it)
    check_revision(given.get("RevisionId"), it["latest"]["revision"])
    have = it["latest"]["code"]["code_sha256"]
    if given.get("CodeSha256") and given["CodeSha256"] != have:
        raise invalid(
            f"CodeSHA256 ({given['CodeSha256']}) is different from current CodeSHA256 in $LATEST ({have}). "
            "Please try again with the CodeSHA256 in $LATEST."
        )
    version = publish(world, it, given.get("Description"))
    return describe(call, it, version, version["number"])


def publish(world: World, it: Function, description: str | None) -> Version:
    """Publish `$LATEST` as it is, or give the last version, where that is the same. Publishing changes the revision of `$LATEST`."""
    latest = it["latest"]
    last = it["versions"].get(str(it["last_version"]))
    if last is not None and _same(last, latest):
        return last
    it["last_version"] += 1
    version: Version = copy.deepcopy(latest)
    version["number"] = str(it["last_version"])
    version["revision"], version["modified"] = world.revision(), world.stamp()
    version["doom"] = {}
    if description:
        version["members"]["Description"] = description
    it["versions"][version["number"]] = version
    windows.begin(world, version, "created")
    latest["revision"] = world.revision()
    return version


def _same(published: Version, latest: Version) -> bool:
    """Whether a version has the code and configuration of `$LATEST`. Its description may be its own."""

    def configured(version: Version) -> dict[str, Any]:
        return {**version["members"], "Description": "", "layers": [layer["arn"] for layer in version["layers"]]}

    same_code = published["code"]["code_sha256"] == latest["code"]["code_sha256"]
    return same_code and published["code"]["reference"] == latest["code"]["reference"] and configured(published) == configured(latest)


def list_versions_by_function(world: World, call: Call) -> dict[str, Any]:
    """ListVersionsByFunction: `$LATEST` first."""
    it = function(world, call, call.parameters["FunctionName"])
    items = [("", listed(call, it, it["latest"], LATEST))]
    items += [(f"{int(number):012}", listed(call, it, version, number)) for number, version in it["versions"].items()]
    return page(items, call.parameters, "Versions")


OPERATIONS = {
    "PublishVersion": Operation(publish_version, "PublishTo 501"),
    "ListVersionsByFunction": Operation(list_versions_by_function),
}
