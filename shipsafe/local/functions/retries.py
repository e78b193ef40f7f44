"""Configuration of asynchronous invocations (EventInvokeConfig): retries, age and destinations."""

from datetime import UTC, datetime
from typing import Any

from shipsafe.local.call import Call
from shipsafe.local.functions.names import LATEST, Found, function, function_arn, qualified
from shipsafe.local.functions.pages import page
from shipsafe.local.functions.refusals import invalid, refusal
from shipsafe.local.functions.world import Operation, World

_MEMBERS = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")


def put_function_event_invoke_config(world: World, call: Call) -> dict[str, Any]:
    """PutFunctionEventInvokeConfig: in place of what was there."""
    found = _find(world, call)
    given = {name: call.parameters[name] for name in _MEMBERS if call.parameters.get(name) is not None}
    if not given:
        raise invalid("You must specify at least one of error handling or destination setting.")
    found.function["retries"][found.qualifier or LATEST] = {**given, "modified": world.now()}
    return _describe(call, found, found.function["retries"][found.qualifier or LATEST])


def update_function_event_invoke_config(world: World, call: Call) -> dict[str, Any]:
    """UpdateFunctionEventInvokeConfig: only what is given."""
    found = _find(world, call)
    config = _config(call, found)
    config |= {name: call.parameters[name] for name in _MEMBERS if call.parameters.get(name) is not None}
    config["modified"] = world.now()
    return _describe(call, found, config)


def get_function_event_invoke_config(world: World, call: Call) -> dict[str, Any]:
    """GetFunctionEventInvokeConfig."""
    found = _find(world, call)
    return _describe(call, found, _config(call, found))


def delete_function_event_invoke_config(world: World, call: Call) -> dict[str, Any]:
    """DeleteFunctionEventInvokeConfig."""
    found = _find(world, call)
    _config(call, found)
    del found.function["retries"][found.qualifier or LATEST]
    return {}


def list_function_event_invoke_configs(world: World, call: Call) -> dict[str, Any]:
    """ListFunctionEventInvokeConfigs."""
    it = function(world, call, call.parameters["FunctionName"])
    configs = [(qualifier, _shape(call, it["name"], qualifier, config)) for qualifier, config in it["retries"].items()]
    return page(configs, call.parameters, "FunctionEventInvokeConfigs")


def _find(world: World, call: Call) -> Found:
    return qualified(world, call, call.parameters["FunctionName"], call.parameters.get("Qualifier"))


def _config(call: Call, found: Found) -> dict[str, Any]:
    config = found.function["retries"].get(found.qualifier or LATEST)
    if config is None:
        arn = function_arn(call, found.function["name"], found.qualifier or LATEST)
        raise refusal("ResourceNotFoundException", f"The function {arn} doesn't have an EventInvokeConfig")
    return config


def _describe(call: Call, found: Found, config: dict[str, Any]) -> dict[str, Any]:
    return _shape(call, found.function["name"], found.qualifier or LATEST, config)


def _shape(call: Call, name: str, qualifier: str, config: dict[str, Any]) -> dict[str, Any]:
    return {
        "LastModified": datetime.fromtimestamp(config["modified"], UTC),
        "FunctionArn": function_arn(call, name, qualifier),
        "DestinationConfig": {"OnSuccess": {}, "OnFailure": {}},
        **{member: config[member] for member in _MEMBERS if member in config},
    }


OPERATIONS = {
    "PutFunctionEventInvokeConfig": Operation(put_function_event_invoke_config, "destinations are not looked up"),
    "UpdateFunctionEventInvokeConfig": Operation(update_function_event_invoke_config, "destinations are not looked up"),
    "GetFunctionEventInvokeConfig": Operation(get_function_event_invoke_config),
    "DeleteFunctionEventInvokeConfig": Operation(delete_function_event_invoke_config),
    "ListFunctionEventInvokeConfigs": Operation(list_function_event_invoke_configs),
}
