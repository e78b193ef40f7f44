"""Function URLs: their configuration. Nobody answers at the URL itself."""

from typing import Any

from shipsafe.local.call import Call
from shipsafe.local.functions.names import LATEST, Found, function, function_arn, qualified
from shipsafe.local.functions.pages import page
from shipsafe.local.functions.refusals import invalid, refusal
from shipsafe.local.functions.world import Operation, World


def create_function_url_config(world: World, call: Call) -> dict[str, Any]:
    """CreateFunctionUrlConfig: of the function, or of an alias."""
    given = call.parameters
    found = _find(world, call)
    urls, arn = found.function["urls"], function_arn(call, found.function["name"], found.qualifier)
    if found.qualifier in urls:
        raise refusal(
            "ResourceConflictException",
            f"Failed to create function url config for [functionArn = {arn}]. "
            "Error message:  FunctionUrlConfig exists for this Lambda function",
        )
    urls[found.qualifier] = {
        "FunctionUrl": f"https://{world.ids().hex}.lambda-url.{call.region}.on.aws/",
        "FunctionArn": arn,
        "AuthType": given["AuthType"],
        "CreationTime": _now(world),
        "LastModifiedTime": _now(world),
        "InvokeMode": given.get("InvokeMode") or "BUFFERED",
        **({"Cors": given["Cors"]} if given.get("Cors") else {}),
    }
    return {name: value for name, value in urls[found.qualifier].items() if name != "LastModifiedTime"}


def get_function_url_config(world: World, call: Call) -> dict[str, Any]:
    """GetFunctionUrlConfig."""
    return _config(_find(world, call))


def update_function_url_config(world: World, call: Call) -> dict[str, Any]:
    """UpdateFunctionUrlConfig."""
    config = _config(_find(world, call))
    config |= {name: call.parameters[name] for name in ("AuthType", "InvokeMode", "Cors") if call.parameters.get(name) is not None}
    if config.get("Cors") == {}:
        del config["Cors"]
    config["LastModifiedTime"] = _now(world)
    return config


def delete_function_url_config(world: World, call: Call) -> dict[str, Any]:
    """DeleteFunctionUrlConfig."""
    found = _find(world, call)
    _config(found)
    del found.function["urls"][found.qualifier]
    return {}


def list_function_url_configs(world: World, call: Call) -> dict[str, Any]:
    """ListFunctionUrlConfigs."""
    it = function(world, call, call.parameters["FunctionName"])
    return page(it["urls"].items(), call.parameters, "FunctionUrlConfigs")


def _find(world: World, call: Call) -> Found:
    found = qualified(world, call, call.parameters["FunctionName"], call.parameters.get("Qualifier"))
    if found.qualifier == LATEST or found.qualifier.isdigit():
        raise invalid("A function URL can be added to a function or an alias, not to $LATEST or a version.")
    return found


def _config(found: Found) -> dict[str, Any]:
    config = found.function["urls"].get(found.qualifier)
    if config is None:
        raise refusal("ResourceNotFoundException", "The resource you requested does not exist.")
    return config


def _now(world: World) -> str:
    return world.clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")


OPERATIONS = {
    "CreateFunctionUrlConfig": Operation(create_function_url_config, "nobody answers at the URL"),
    "GetFunctionUrlConfig": Operation(get_function_url_config),
    "UpdateFunctionUrlConfig": Operation(update_function_url_config),
    "DeleteFunctionUrlConfig": Operation(delete_function_url_config),
    "ListFunctionUrlConfigs": Operation(list_function_url_configs),
}
