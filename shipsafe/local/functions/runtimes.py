"""How Lambda keeps a runtime up to date, and what it does with a function that calls itself: settings that are only kept here."""

from typing import Any

from shipsafe.local.call import Call
from shipsafe.local.functions.configuration import runtime_arn
from shipsafe.local.functions.names import LATEST, Found, function_arn, qualified, unqualified
from shipsafe.local.functions.refusals import invalid
from shipsafe.local.functions.world import Operation, World


def put_runtime_management_config(world: World, call: Call) -> dict[str, Any]:
    """PutRuntimeManagementConfig."""
    found, mode = _find(world, call), call.parameters["UpdateRuntimeOn"]
    runtime = call.parameters.get("RuntimeVersionArn")
    if (mode == "Manual") != bool(runtime):
        raise invalid(
            "RuntimeVersionArn is required when UpdateRuntimeOn is Manual."
            if mode == "Manual"
            else "RuntimeVersionArn can only be given when UpdateRuntimeOn is Manual."
        )
    if runtime and runtime != runtime_arn(call, found.version["members"].get("Runtime", "")):
        raise invalid(f"Runtime version {runtime} not found")
    found.function["runtimes"][found.qualifier or LATEST] = {"UpdateRuntimeOn": mode, **({"RuntimeVersionArn": runtime} if runtime else {})}
    return get_runtime_management_config(world, call)


def get_runtime_management_config(world: World, call: Call) -> dict[str, Any]:
    """GetRuntimeManagementConfig."""
    found = _find(world, call)
    qualifier = found.qualifier or LATEST
    config = found.function["runtimes"].get(qualifier, {"UpdateRuntimeOn": "Auto"})
    return {"FunctionArn": function_arn(call, found.function["name"], qualifier), **config}


def put_function_recursion_config(world: World, call: Call) -> dict[str, Any]:
    """PutFunctionRecursionConfig."""
    it = unqualified(world, call, call.parameters["FunctionName"])
    it["recursion"] = call.parameters["RecursiveLoop"]
    return {"RecursiveLoop": it["recursion"]}


def get_function_recursion_config(world: World, call: Call) -> dict[str, Any]:
    """GetFunctionRecursionConfig."""
    return {"RecursiveLoop": unqualified(world, call, call.parameters["FunctionName"])["recursion"]}


def _find(world: World, call: Call) -> Found:
    found = qualified(world, call, call.parameters["FunctionName"], call.parameters.get("Qualifier"))
    if found.alias is not None:
        raise invalid("Runtime management is of a version, not of an alias.")
    return found


OPERATIONS = {
    "PutRuntimeManagementConfig": Operation(put_runtime_management_config, "kept, and without effect"),
    "GetRuntimeManagementConfig": Operation(get_runtime_management_config),
    "PutFunctionRecursionConfig": Operation(put_function_recursion_config, "kept, and without effect"),
    "GetFunctionRecursionConfig": Operation(get_function_recursion_config),
}
