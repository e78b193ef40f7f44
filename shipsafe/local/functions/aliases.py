"""Aliases: a name for one published version, or for two with a weight, as a canary needs."""

from collections.abc import Mapping
from typing import Any

from shipsafe.local.call import Call
from shipsafe.local.functions.names import LATEST, function, function_arn, unqualified
from shipsafe.local.functions.pages import page
from shipsafe.local.functions.refusals import check_revision, invalid, refusal
from shipsafe.local.functions.state import Alias, Function
from shipsafe.local.functions.world import Operation, World


def create_alias(world: World, call: Call) -> dict[str, Any]:
    """CreateAlias."""
    given = call.parameters
    it = unqualified(world, call, given["FunctionName"])
    name = given["Name"]
    if name in it["aliases"]:
        raise refusal("ResourceConflictException", f"Alias already exists: {function_arn(call, it['name'], name)}")
    weights = _weights(given.get("RoutingConfig"))
    _check(call, it, given["FunctionVersion"], weights)
    it["aliases"][name] = {
        "name": name,
        "version": given["FunctionVersion"],
        "description": given.get("Description") or "",
        "weights": weights,
        "revision": world.revision(),
    }
    return _describe(call, it, it["aliases"][name])


def get_alias(world: World, call: Call) -> dict[str, Any]:
    """GetAlias."""
    return _describe(call, *_find(world, call))


def list_aliases(world: World, call: Call) -> dict[str, Any]:
    """ListAliases, all or those that lead to a version."""
    it = function(world, call, call.parameters["FunctionName"])
    wanted = call.parameters.get("FunctionVersion")
    chosen = [alias for alias in it["aliases"].values() if not wanted or wanted == alias["version"] or wanted in alias["weights"]]
    return page(((alias["name"], _describe(call, it, alias)) for alias in chosen), call.parameters, "Aliases")


def update_alias(world: World, call: Call) -> dict[str, Any]:
    """UpdateAlias. Weights stay unless RoutingConfig is given; an empty one takes them away."""
    given = call.parameters
    it, alias = _find(world, call)
    check_revision(given.get("RevisionId"), alias["revision"])
    version = given.get("FunctionVersion") or alias["version"]
    weights = alias["weights"] if given.get("RoutingConfig") is None else _weights(given["RoutingConfig"])
    _check(call, it, version, weights)
    alias["version"], alias["weights"], alias["revision"] = version, weights, world.revision()
    if given.get("Description") is not None:
        alias["description"] = given["Description"]
    return _describe(call, it, alias)


def delete_alias(world: World, call: Call) -> dict[str, Any]:
    """DeleteAlias; an alias that is not there is no error. What hung on it goes with it."""
    it = unqualified(world, call, call.parameters["FunctionName"])
    name = call.parameters["Name"]
    for table in (it["aliases"], it["policies"], it["urls"], it["provisioned"], it["retries"]):
        table.pop(name, None)
    return {}


def _weights(routing: Mapping[str, Any] | None) -> dict[str, float]:
    return {version: float(weight) for version, weight in ((routing or {}).get("AdditionalVersionWeights") or {}).items()}


def _check(call: Call, it: Function, version: str, weights: Mapping[str, float]) -> None:
    """One more version at most, both published, of the same role and dead-letter queue ("Configuring alias routing")."""
    if version != LATEST and version not in it["versions"]:
        raise refusal("ResourceNotFoundException", f"Function not found: {function_arn(call, it['name'], version)}")
    if not weights:
        return
    if len(weights) > 1:
        raise invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")
    if version == LATEST:
        raise invalid("$LATEST is not supported for an alias pointing to more than 1 version")
    other = next(iter(weights))
    if other == LATEST:
        raise invalid("$LATEST is not supported for an alias pointing to more than 1 version")
    if other == version:
        raise invalid(f"Invalid function version {version}. Function version {version} is already included in routing configuration.")
    if other not in it["versions"]:
        raise refusal("ResourceNotFoundException", f"Function not found: {function_arn(call, it['name'], other)}")
    first, second = it["versions"][version]["members"], it["versions"][other]["members"]
    for member, shown in (("Role", "execution role"), ("DeadLetterConfig", "dead-letter queue configuration")):
        if first.get(member) != second.get(member):
            raise invalid(f"Versions {version} and {other} of an alias must have the same {shown}.")


def _find(world: World, call: Call) -> tuple[Function, Alias]:
    it = unqualified(world, call, call.parameters["FunctionName"])
    alias = it["aliases"].get(call.parameters["Name"])
    if alias is None:
        arn = function_arn(call, it["name"], call.parameters["Name"])
        raise refusal("ResourceNotFoundException", f"Cannot find alias arn: {arn}")
    return it, alias


def _describe(call: Call, it: Function, alias: Alias) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "AliasArn": function_arn(call, it["name"], alias["name"]),
        "Name": alias["name"],
        "FunctionVersion": alias["version"],
        "Description": alias["description"],
        "RevisionId": alias["revision"],
    }
    if alias["weights"]:
        answer["RoutingConfig"] = {"AdditionalVersionWeights": alias["weights"]}
    return answer


OPERATIONS = {
    "CreateAlias": Operation(create_alias),
    "GetAlias": Operation(get_alias),
    "ListAliases": Operation(list_aliases),
    "UpdateAlias": Operation(update_alias),
    "DeleteAlias": Operation(delete_alias),
}
