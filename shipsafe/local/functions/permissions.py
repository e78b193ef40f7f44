"""Resource policies of functions, versions and aliases.

A policy has no revision of its own: it is that of the version or alias, and changing the policy changes it (as recorded on AWS). Whoever
deploys with a RevisionId is stopped by a permission that was added meanwhile.
"""

from typing import Any

from shipsafe.local.call import Call
from shipsafe.local.functions import statements
from shipsafe.local.functions.names import LATEST, Found, function_arn, qualified
from shipsafe.local.functions.refusals import check_revision, invalid
from shipsafe.local.functions.state import Alias, Version
from shipsafe.local.functions.world import Operation, World


def add_permission(world: World, call: Call) -> dict[str, Any]:
    """AddPermission."""
    given = call.parameters
    found = _find(world, call)
    holder = _holder(found)
    check_revision(given.get("RevisionId"), holder["revision"], ask="GetPolicy")
    resource = function_arn(call, found.function["name"], found.qualifier)
    new = statements.statement(call, given["Action"], resource, _condition(call))
    statements.add(found.function["policies"].setdefault(found.qualifier, []), new)
    holder["revision"] = world.revision()
    return {"Statement": statements.text(new)}


def remove_permission(world: World, call: Call) -> dict[str, Any]:
    """RemovePermission."""
    found = _find(world, call)
    holder = _holder(found)
    rest = statements.without(found.function["policies"].get(found.qualifier, []), call.parameters["StatementId"])
    check_revision(call.parameters.get("RevisionId"), holder["revision"])
    found.function["policies"][found.qualifier] = rest
    holder["revision"] = world.revision()
    return {}


def get_policy(world: World, call: Call) -> dict[str, Any]:
    """GetPolicy."""
    found = _find(world, call)
    return {"Policy": statements.document(found.function["policies"].get(found.qualifier, [])), "RevisionId": _holder(found)["revision"]}


def _find(world: World, call: Call) -> Found:
    found = qualified(world, call, call.parameters["FunctionName"], call.parameters.get("Qualifier"))
    if found.qualifier == LATEST:
        raise invalid("We currently do not support adding policies for $LATEST.")
    return found


def _holder(found: Found) -> Version | Alias:
    return found.alias or found.version


def _condition(call: Call) -> dict[str, Any]:
    """The condition keys that Lambda writes for the members of AddPermission."""
    given = call.parameters
    equal = {
        "AWS:SourceAccount": given.get("SourceAccount"),
        "lambda:EventSourceToken": given.get("EventSourceToken"),
        "lambda:FunctionUrlAuthType": given.get("FunctionUrlAuthType"),
        "aws:PrincipalOrgID": given.get("PrincipalOrgID"),
    }
    condition: dict[str, Any] = {}
    if held := {key: value for key, value in equal.items() if value}:
        condition["StringEquals"] = held
    if given.get("SourceArn"):
        condition["ArnLike"] = {"AWS:SourceArn": given["SourceArn"]}
    if given.get("InvokedViaFunctionUrl") is not None:
        condition["Bool"] = {"lambda:InvokedViaFunctionUrl": str(given["InvokedViaFunctionUrl"]).lower()}
    return condition


OPERATIONS = {
    "AddPermission": Operation(add_permission, "whether the principal exists is not looked at"),
    "RemovePermission": Operation(remove_permission),
    "GetPolicy": Operation(get_policy),
}
