"""Properties of a resource as the call takes them that makes it: numbers written as text, names in small letters, lists of tags."""

import re
from collections.abc import Mapping
from typing import Any

from shipsafe.local.call import ApiError
from shipsafe.local.routes import service_model
from shipsafe.local.stacks.intrinsics import as_text
from shipsafe.local.stacks.kinds.kind import INVALID, Acting, Properties


def fitted(operation: str, properties: Any, *, without: frozenset[str] = frozenset(), service: str = "lambda") -> dict[str, Any]:
    """Properties as a call takes them: numbers and booleans that a template may write as text, by the service's model.

    Raises:
        ApiError: INVALID: the call has no such member, or it is of another type.
    """
    shape = service_model(service).operation_model(operation).input_shape
    if not isinstance(properties, Mapping):
        raise ApiError(INVALID, f"#: expected type: Object, found: {type(properties).__name__}")
    given = {name: value for name, value in properties.items() if name not in without}
    if foreign := sorted(set(given) - set(shape.members)):
        raise ApiError(INVALID, f"#: extraneous key [{foreign[0][:100]}] is not permitted")
    return {name: _fit(shape.members[name], value, f"#/{name}") for name, value in given.items() if value is not None}


def _fit(shape: Any, value: Any, path: str) -> Any:
    match shape.type_name:
        case "structure" if isinstance(value, dict):
            if foreign := sorted(set(value) - set(shape.members)):
                raise ApiError(INVALID, f"{path}: extraneous key [{foreign[0][:100]}] is not permitted")
            return {name: _fit(shape.members[name], item, f"{path}/{name}") for name, item in value.items() if item is not None}
        case "map" if isinstance(value, dict):
            return {str(name): _fit(shape.value, item, f"{path}/{name}") for name, item in value.items()}
        case "list" if isinstance(value, list):
            return [_fit(shape.member, item, f"{path}/{number}") for number, item in enumerate(value)]
        case "integer" | "long" if re.fullmatch(r"-?[0-9]{1,18}", str(value)):
            return int(value)
        case "double" | "float" if re.fullmatch(r"-?[0-9]{1,18}(\.[0-9]+)?", str(value)):
            return float(value)
        case "boolean" if str(value).lower() in ("true", "false"):
            return str(value).lower() == "true"
        case "string" if isinstance(value, str | int | float):
            return as_text(value)
        case "blob" if isinstance(value, bytes):
            return value
    raise ApiError(INVALID, f"{path}: expected type: {shape.type_name.capitalize()}, found: {type(value).__name__}")


def small(properties: Properties) -> dict[str, Any]:
    """Properties as Signer and CodeDeploy call them: their names begin with a small letter."""
    return {name[:1].lower() + name[1:]: _small(value) for name, value in properties.items()}


def _small(value: Any) -> Any:
    return small(value) if isinstance(value, dict) else [_small(item) for item in value] if isinstance(value, list) else value


def tags_of(acting: Acting, properties: Properties) -> dict[str, str]:
    """The tags that a resource has: the stack's, and its own, which win.

    Raises:
        ApiError: INVALID: `Tags` is neither a list of keys and values nor a mapping.
    """
    own = properties.get("Tags") or []
    try:
        pairs = own.items() if isinstance(own, dict) else [(one["Key"], one["Value"]) for one in own]
        told = {str(key): value for key, value in pairs}
    except (KeyError, TypeError) as error:
        raise ApiError(INVALID, "#/Tags: expected a list of Key and Value") from error
    if any(isinstance(value, dict | list) for value in told.values()):
        raise ApiError(INVALID, "#/Tags: expected a list of Key and Value")
    return {**acting.tags, **{key: as_text(value) for key, value in told.items()}}
