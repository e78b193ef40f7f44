"""Reserved and provisioned concurrency. Nothing runs here: what is provisioned is ready at once, or after the length of an update."""

from typing import Any

from shipsafe.local.call import Call
from shipsafe.local.functions.names import LATEST, Found, function, function_arn, qualified, unqualified
from shipsafe.local.functions.pages import page
from shipsafe.local.functions.refusals import invalid, refusal
from shipsafe.local.functions.world import Operation, World

UNRESERVED = 100  # that an account must keep in a region ("Configuring reserved concurrency")


def put_function_concurrency(world: World, call: Call) -> dict[str, Any]:
    """PutFunctionConcurrency; 0 stops the function."""
    it = unqualified(world, call, call.parameters["FunctionName"])
    wanted = call.parameters["ReservedConcurrentExecutions"]
    others = reserved(world, call) - (it["reserved"] or 0)
    if wanted and others + wanted > world.settings.concurrency - UNRESERVED:
        raise invalid(
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
            f"below its minimum value of [{UNRESERVED}]."
        )
    it["reserved"] = wanted
    return {"ReservedConcurrentExecutions": wanted}


def get_function_concurrency(world: World, call: Call) -> dict[str, Any]:
    """GetFunctionConcurrency: nothing where nothing is reserved."""
    it = unqualified(world, call, call.parameters["FunctionName"])
    return {} if it["reserved"] is None else {"ReservedConcurrentExecutions": it["reserved"]}


def delete_function_concurrency(world: World, call: Call) -> dict[str, Any]:
    """DeleteFunctionConcurrency."""
    it = unqualified(world, call, call.parameters["FunctionName"])
    it["reserved"] = None
    return {}


def reserved(world: World, call: Call) -> int:
    """What all functions of the account have reserved in the region."""
    return sum(it["reserved"] or 0 for it in world.place(call)["functions"].values())


def put_provisioned_concurrency_config(world: World, call: Call) -> dict[str, Any]:
    """PutProvisionedConcurrencyConfig: of a version or an alias."""
    found = _find(world, call)
    wanted = call.parameters["ProvisionedConcurrentExecutions"]
    if found.function["reserved"] is not None and wanted > found.function["reserved"]:
        raise invalid("Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function")
    found.function["provisioned"][found.qualifier] = {
        "requested": wanted,
        "until": world.now() + world.settings.updating,
        "modified": world.stamp(),
    }
    return _describe(world, found.function["provisioned"][found.qualifier])


def get_provisioned_concurrency_config(world: World, call: Call) -> dict[str, Any]:
    """GetProvisionedConcurrencyConfig."""
    found = _find(world, call)
    config = found.function["provisioned"].get(found.qualifier)
    if config is None:
        raise refusal("ProvisionedConcurrencyConfigNotFoundException", "No Provisioned Concurrency Config found for this function")
    return _describe(world, config)


def delete_provisioned_concurrency_config(world: World, call: Call) -> dict[str, Any]:
    """DeleteProvisionedConcurrencyConfig; one that is not there is no error."""
    found = _find(world, call)
    found.function["provisioned"].pop(found.qualifier, None)
    return {}


def list_provisioned_concurrency_configs(world: World, call: Call) -> dict[str, Any]:
    """ListProvisionedConcurrencyConfigs."""
    it = function(world, call, call.parameters["FunctionName"])
    configs = [
        (qualifier, {"FunctionArn": function_arn(call, it["name"], qualifier), **_describe(world, config)})
        for qualifier, config in it["provisioned"].items()
    ]
    return page(configs, call.parameters, "ProvisionedConcurrencyConfigs")


def _find(world: World, call: Call) -> Found:
    found = qualified(world, call, call.parameters["FunctionName"], call.parameters["Qualifier"])
    if found.version["number"] == LATEST:
        raise invalid("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
    return found


def _describe(world: World, config: dict[str, Any]) -> dict[str, Any]:
    ready = world.now() >= config["until"]
    return {
        "RequestedProvisionedConcurrentExecutions": config["requested"],
        "AllocatedProvisionedConcurrentExecutions": config["requested"] if ready else 0,
        "AvailableProvisionedConcurrentExecutions": config["requested"] if ready else 0,
        "Status": "READY" if ready else "IN_PROGRESS",
        "LastModified": config["modified"],
    }


OPERATIONS = {
    "PutFunctionConcurrency": Operation(put_function_concurrency),
    "GetFunctionConcurrency": Operation(get_function_concurrency),
    "DeleteFunctionConcurrency": Operation(delete_function_concurrency),
    "PutProvisionedConcurrencyConfig": Operation(
        put_provisioned_concurrency_config, "ready after the length of an update, and never fails"
    ),
    "GetProvisionedConcurrencyConfig": Operation(get_provisioned_concurrency_config),
    "DeleteProvisionedConcurrencyConfig": Operation(delete_provisioned_concurrency_config),
    "ListProvisionedConcurrencyConfigs": Operation(list_provisioned_concurrency_configs),
}
